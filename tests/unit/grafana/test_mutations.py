"""The checks of the dashboards are checked: whatever is planted must be found."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

from grafana.lint.linting import RULES, findings_in
from tests.unit.grafana.planted import IN_BOARDS, IN_PANELS

Boards = list[dict[str, Any]]

#: Rules for what dashboards here do not have, with tests of their own, and one that needs many
#: workers or partitions to be broken.
NOT_PLANTED = {"target-logql-rule", "target-logql-auto-rule", "series"}


def single_panels(boards: Boards) -> Iterator[dict[str, Any]]:
    """Each panel in a dashboard of its own, which is quicker to look at."""
    for board in boards:
        for panel in board["panels"]:
            if panel["type"] != "row":
                yield {**board, "panels": [panel], "annotations": {"list": []}}


@pytest.fixture(scope="module")
def singles(boards: Boards) -> Boards:
    """All of them; nothing is wrong with any."""
    found = list(single_panels(boards))
    assert [str(each) for board in found for each in findings_in(board)] == []
    return found


@pytest.mark.parametrize("name", IN_PANELS)
def test_a_fault_in_a_panel_is_found(singles: Boards, name: str) -> None:
    """Wherever it can be planted, by a rule that is there for it."""
    fault, rules = IN_PANELS[name]
    planted = [changed for board in singles for changed in fault(board)]

    missed = [
        board["panels"][0]
        for board in planted
        if not rules & {each.rule for each in findings_in(board)}
    ]
    assert planted, "nothing to plant it in"
    assert missed == []


@pytest.mark.parametrize("name", IN_BOARDS)
def test_a_fault_in_a_dashboard_is_found(boards: Boards, name: str) -> None:
    """In each of them, by the rule that is there for it."""
    change, rule = IN_BOARDS[name]
    for board in boards:
        changed = deepcopy(board)
        change(changed)

        assert rule in {each.rule for each in findings_in(changed)}


def test_too_many_series_are_found(singles: Boards) -> None:
    """A graph whose choice of the worst is left out."""
    chosen = [b for b in singles if "topk(" in b["panels"][0]["targets"][0]["expr"]]
    assert chosen
    for board in chosen:
        changed = deepcopy(board)
        for target in changed["panels"][0]["targets"]:
            target["expr"] = target["expr"].replace("topk(10, ", "(")

        assert "series" in {each.rule for each in findings_in(changed)}


def test_every_rule_has_found_something() -> None:
    """A rule that nothing planted breaks may as well not be there."""
    shown = {rule for _, rules in IN_PANELS.values() for rule in rules}
    shown |= {rule for _, rule in IN_BOARDS.values()}

    assert RULES.keys() - shown == NOT_PLANTED
