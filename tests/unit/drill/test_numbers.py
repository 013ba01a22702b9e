"""What a drill changes in the rules stands there."""

import yaml

from drill.__main__ import _RULES
from drill.numbers import NEVER_QUIET, NUMBERS
from drill.shortened import key_of, shortened

FILES = [yaml.safe_load(path.read_text()) for path in sorted(_RULES.glob("*.yml"))]


def test_all_rules_can_be_made_quick() -> None:
    """Each number that is replaced stands in its rule: one that moved away would be an error."""
    quick = [rule for file in FILES for group in shortened(file, NUMBERS)["groups"]
             for rule in group["rules"]]  # fmt: skip

    assert len(quick) == sum(len(group["rules"]) for file in FILES for group in file["groups"])


def test_the_drill_knows_no_rule_that_is_not_there() -> None:
    """Names of alerts are written in two places."""
    keys = {key_of(rule) for file in FILES for group in file["groups"] for rule in group["rules"]}

    assert NUMBERS.keys() | NEVER_QUIET <= keys
