"""The rules and their tests, as they stand in docker/prometheus."""

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[3]
PROMETHEUS = ROOT / "docker" / "prometheus"
RULE_FILES = sorted((PROMETHEUS / "rules").glob("*.yml"))
TEST_FILES = sorted((PROMETHEUS / "tests").glob("*.yml"))

Rule = dict[str, Any]


def groups(file: Path) -> list[dict[str, Any]]:
    """The groups of a file of rules."""
    found: list[dict[str, Any]] = yaml.safe_load(file.read_text())["groups"]
    return found


RULES: list[Rule] = [
    rule for file in RULE_FILES for group in groups(file) for rule in group["rules"]
]
ALERTS = [rule for rule in RULES if "alert" in rule]
RECORDS = [rule for rule in RULES if "record" in rule]


def kind_of(rule: Rule) -> str:
    """The key under which its name stands."""
    return "alert" if "alert" in rule else "record"


def name_of(rule: Rule) -> str:
    """Of an alert, or of what is recorded."""
    name: str = rule[kind_of(rule)]
    return name


#: Each once, in the order of the files; an alert may have two severities.
NAMES = tuple(dict.fromkeys(map(name_of, RULES)))
ALERT_NAMES = tuple(dict.fromkeys(map(name_of, ALERTS)))
