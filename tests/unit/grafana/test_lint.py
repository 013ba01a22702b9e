from copy import deepcopy
from typing import Any

from grafana.lint.exceptions import EXCEPTIONS, Exempt
from grafana.lint.linting import RULES, findings, findings_in
from grafana.lint.names import INFO_LABELS
from pop_stream.settings import Settings
from pop_stream.watch.facts import build, facts_of

Boards = list[dict[str, Any]]


def test_the_dashboards_keep_all_rules(boards: Boards) -> None:
    """Exceptions with a reason aside, nothing is found; and each exception is needed."""
    assert [str(each) for each in findings(boards)] == []


def test_an_exception_that_nothing_needs_is_an_error(boards: Boards) -> None:
    """What has become right must not be allowed to become wrong again."""
    extra = Exempt("panel-units-rule", "furlongs")

    (found,) = findings(boards, {**EXCEPTIONS, extra: "planted"})

    assert (found.rule, found.about) == ("exceptions", "furlongs")


def test_every_exception_says_why() -> None:
    """An exception without a reason is a hole."""
    assert all(len(reason.split()) > 5 for reason in EXCEPTIONS.values())


def test_without_its_exception_a_rule_speaks(boards: Boards) -> None:
    """Exceptions hide findings; they do not switch rules off."""
    rules = {each.rule for each in findings(boards, {})}

    assert rules == {exempt.rule for exempt in EXCEPTIONS}


def test_a_metric_that_no_panel_shows_is_told_of(boards: Boards) -> None:
    """Of every metric of the table it is known where it is to be seen."""
    less = deepcopy(boards)
    for board in less:
        board["panels"] = [p for p in board["panels"] if p["title"] != "Topics missing"]

    (found,) = findings(less)

    assert (found.rule, found.about) == ("charted", "pop_stream_missing_topics")


def test_a_metric_that_is_excepted_and_shown_is_told_of(boards: Boards) -> None:
    """The list of what is not charted cannot grow stale."""
    (found,) = findings(boards, not_charted={"pop_stream_missing_topics": "planted"})

    assert (found.rule, found.about) == ("charted", "pop_stream_missing_topics")


def test_a_loki_query_is_looked_at() -> None:
    """None is used; the two rules for them hold should one come."""
    targets = [
        {"refId": "A", "expr": "", "datasource": {"type": "loki"}},
        {"refId": "B", "expr": 'rate({app="x"}[5m])', "datasource": {"type": "loki"}},
    ]
    found = findings_in({"panels": [{"id": 1, "type": "stat", "targets": targets}]})

    assert {"target-logql-rule", "target-logql-auto-rule"} <= {each.rule for each in found}


def test_all_seventeen_rules_of_the_linter_are_there() -> None:
    """By their names in grafana/dashboard-linter."""
    assert len([name for name in RULES if name.endswith("-rule") or name.startswith("un")]) == 17


def test_the_labels_of_infos_are_those_that_are_served() -> None:
    """The table does not have them; the facts do."""
    facts = facts_of(Settings(gstv_url="http://127.0.0.1:1/"))

    assert {
        "pop_stream_build_info": tuple(facts.build),
        "pop_stream_watch_build_info": tuple(build()),
        "pop_stream_config_info": tuple(facts.config),
    } == INFO_LABELS
