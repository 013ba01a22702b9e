from typing import Any

import pytest

from grafana.expressions import expressions

BOARD: dict[str, Any] = {
    "uid": "board",
    "templating": {
        "list": [
            {"name": "datasource", "includeAll": False},
            {"name": "job", "includeAll": True, "allValue": ".+"},
            {"name": "instance", "includeAll": True, "allValue": ".+"},
        ]
    },
    "panels": [
        {"id": 100, "type": "row", "title": "Row"},
        {
            "id": 101,
            "title": "Panel",
            "targets": [
                {"refId": "A", "expr": 'm{job=~"$job", instance=~"${instance:regex}"}'},
                {"refId": "B", "expr": "n[$__rate_interval] o[$__range]", "instant": True},
            ],
        },
    ],
    "annotations": {"list": [{"name": "Mark", "target": {"refId": "A", "expr": "p"}}]},
}


def test_all_variables_stand_at_all_unless_chosen() -> None:
    """Every query is there, with its place, annotations at the end."""
    found = [(e.panel, e.panel_id, e.ref_id, e.promql, e.instant) for e in expressions(BOARD)]

    assert found == [
        ("Panel", 101, "A", 'm{job=~".+", instance=~".+"}', False),
        ("Panel", 101, "B", "n[1m] o[1h]", True),
        ("Mark", 0, "A", "p", False),
    ]


def test_a_chosen_value_is_escaped_as_grafana_does() -> None:
    """A dot in an address is a dot, and two backslashes in PromQL's text are one."""
    first, *_ = expressions(BOARD, {"instance": "10.0.0.1:9108"})

    assert first.promql == r'm{job=~".+", instance=~"10\\.0\\.0\\.1:9108"}'
    assert first.written == BOARD["panels"][1]["targets"][0]["expr"]


def test_the_spans_can_be_said() -> None:
    """As long as Prometheus is scraped and looked at."""
    _, second, _ = expressions(BOARD, rate_interval="10s", span="2m")

    assert second.promql == "n[10s] o[2m]"


def test_an_unknown_variable_is_an_error() -> None:
    """Nothing is sent to Prometheus with a `$` in it."""
    board = BOARD | {"templating": {"list": []}}

    with pytest.raises(KeyError, match="job"):
        list(expressions(board))


def test_every_query_of_the_dashboards_is_listed(boards: list[dict[str, Any]]) -> None:
    """None is left out."""
    for board in boards:
        targets = [t for panel in board["panels"] for t in panel.get("targets", ())]
        listed = [each.written for each in expressions(board) if each.panel_id]

        assert listed == [target["expr"] for target in targets]
