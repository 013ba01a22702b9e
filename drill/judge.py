"""Judges a drill by what Prometheus saw: every panel has data, every alert fired and rested."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from drill.prometheus import Prometheus, QueryError
from drill.shortened import key_of
from grafana.expressions import Expression


@dataclass(frozen=True, slots=True)
class PanelVerdict:
    """What came of one expression of a panel."""

    expression: Expression
    series: int
    #: Why it is not well; empty: it is.
    fault: str = ""


@dataclass(frozen=True, slots=True)
class AlertVerdict:
    """What an alert did, by its name and its severity."""

    key: str
    #: When it first fired, in seconds since the drill began; None: never.
    fired_after: float | None
    #: For how long it fired, all times together.
    fired_seconds: float
    #: Whether it was quiet at the end.
    is_quiet: bool

    @property
    def ok(self) -> bool:
        """Whether it fired and went quiet."""
        return self.fired_after is not None and self.is_quiet


def judge_panels(
    prometheus: Prometheus, expressions: Iterable[Expression], span: tuple[float, float]
) -> list[PanelVerdict]:
    """Evaluate each expression over the drill: it must give a number somewhere."""
    return [_judge_panel(prometheus, each, span) for each in expressions]


def _judge_panel(
    prometheus: Prometheus, expression: Expression, span: tuple[float, float]
) -> PanelVerdict:
    start, end = span
    try:
        found = prometheus.range(expression.promql, start, end, step=5)
    except QueryError as error:
        return PanelVerdict(expression, 0, str(error))
    with_numbers = [
        series for series in found if any(not math.isnan(value) for _, value in series.samples)
    ]
    return PanelVerdict(expression, len(with_numbers), "" if with_numbers else "no data")


def judge_alerts(
    prometheus: Prometheus, rules: Sequence[Mapping[str, Any]], span: tuple[float, float]
) -> list[AlertVerdict]:
    """See when each alert fired. A rule whose evaluation failed is told of by its own alert."""
    start, end = span
    fired: dict[str, set[float]] = {}
    for series in prometheus.range('ALERTS{alertstate="firing"}', start, end):
        key = f"{series.labels['alertname']}/{series.labels.get('severity', '')}"
        fired.setdefault(key, set()).update(at for at, _ in series.samples)
    keys = [key_of(rule) for rule in rules if "alert" in rule]
    return [_alert(key, sorted(fired.get(key, ())), span) for key in dict.fromkeys(keys)]


def _alert(key: str, times: Sequence[float], span: tuple[float, float]) -> AlertVerdict:
    start, end = span
    return AlertVerdict(
        key=key,
        fired_after=times[0] - start if times else None,
        fired_seconds=float(len(times)),
        is_quiet=not times or times[-1] < end - 2,
    )
