"""When a drill has shown a panel or an alert, and when not."""

import math
from typing import cast

from drill.judge import judge_alerts, judge_panels
from drill.prometheus import Prometheus, QueryError, Series
from drill.report import as_markdown
from grafana.expressions import Expression

BEGAN, ENDED = 1000.0, 1100.0
SPAN = (BEGAN, ENDED)
RULES = [{"alert": "Old", "expr": "1", "labels": {"severity": "warning"}}]


class Answers:
    """Stands in for a Prometheus: gives each query its answer."""

    def __init__(self, answers: dict[str, list[Series] | QueryError]) -> None:
        self._answers = answers

    def range(self, query: str, *_: float, **__: float) -> list[Series]:
        """The answer, or the refusal."""
        answer = self._answers[query]
        if isinstance(answer, QueryError):
            raise answer
        return answer


def expression(promql: str) -> Expression:
    """A panel's query."""
    return Expression("board", "Panel", 1, "A", promql, promql, instant=False)


def test_a_panel_needs_a_number_somewhere() -> None:
    """No series, one without a number, and a query that is refused are all no data."""
    prometheus = Answers(
        {
            "good": [Series({}, [(1000, math.nan), (1005, 0.0)])],
            "empty": [],
            "nan": [Series({}, [(1000, math.nan)])],
            "wrong": QueryError("parse error: wrong"),
        }
    )
    queries = [expression(name) for name in ("good", "empty", "nan", "wrong")]
    verdicts = judge_panels(cast(Prometheus, prometheus), queries, SPAN)

    assert [(each.series, each.fault) for each in verdicts] == [
        (1, ""), (0, "no data"), (0, "no data"), (0, "parse error: wrong"),
    ]  # fmt: skip
    report = as_markdown(verdicts, [])
    assert "| board | 4 | 3 |" in report
    assert "board, Panel, A: parse error: wrong" in report


def firing(*times: float, severity: str = "warning") -> Answers:
    """A Prometheus in which the alert fired at these times."""
    series = Series({"alertname": "Old", "severity": severity}, [(at, 1.0) for at in times])
    return Answers({'ALERTS{alertstate="firing"}': [series] if times else []})


def test_an_alert_must_fire_and_go_quiet() -> None:
    """Each alone is not enough; nor is one of the same name and another severity."""
    cases = {
        (1010.0, 1011.0, 1020.0): (10, 3, True, True),
        (1010.0, 1099.0): (10, 2, False, False),
        (): (None, 0, True, False),
    }
    for times, expected in cases.items():
        (verdict,) = judge_alerts(cast(Prometheus, firing(*times)), RULES, SPAN)
        seen = (verdict.fired_after, verdict.fired_seconds, verdict.is_quiet, verdict.ok)
        assert seen == expected
    (verdict,) = judge_alerts(cast(Prometheus, firing(1010.0, severity="critical")), RULES, SPAN)
    assert not verdict.ok
    assert "| Old/warning | **never** | 0 | yes |" in as_markdown([], [verdict])
