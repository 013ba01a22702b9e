"""Our own rules of queries: what Prometheus answers with nothing, or with something else."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from grafana.lint.grafana_rules import Found, Rule
from grafana.lint.names import KNOWN, Series, matches
from grafana.lint.promql import Binary, Call, Matcher, Node, Selector, selectors, walk
from grafana.lint.reading import Json, label_values, queries, title
from grafana.lint.results import labels_of, most_series

#: More lines than these nobody tells apart.
MOST_SERIES: Final = 12
_LINES: Final = ("timeseries", "state-timeline")
_LEGEND: Final = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_RATES: Final = ("rate", "irate", "increase")


def _metrics(board: Json) -> Found:
    for panel, _, node in queries(board):
        for selector in selectors(node):
            if selector.metric not in KNOWN:
                yield title(panel), selector.metric, f"nobody shows {selector.metric}"


def _choices(board: Json) -> Found:
    for name, label, node in label_values(board):
        for selector in selectors(node):
            series = KNOWN.get(selector.metric)
            if series is None or label not in series.labels:
                yield "", name, f"variable `{name}`: no {label} of {selector.metric}"


def _labels(board: Json) -> Found:
    for panel, _, node in queries(board):
        for selector, series in _known(node):
            for matcher in selector.matchers:
                if matcher.label not in series.labels:
                    yield title(panel), matcher.label, f"{series.name} has no {matcher.label}"
        for label, inside in _grouped(node):
            if not any(label in labels_of(each) for each in inside):
                yield title(panel), label, f"grouped by {label}, which nothing there has"


def _grouped(node: Node) -> Iterator[tuple[str, tuple[Node, ...]]]:
    """Every label by which something is put together, and what that is."""
    for each, _ in walk(node):
        if isinstance(each, Call):
            yield from ((label, each.arguments) for label in each.by or ())
        if isinstance(each, Binary):
            # A label of `on` has to be on both sides.
            yield from (
                (label, (side,)) for label in each.labels for side in (each.left, each.right)
            )


def _values(board: Json) -> Found:
    for panel, _, node in queries(board):
        for selector, series in _known(node):
            for matcher in selector.matchers:
                for value in _unknown(series, matcher):
                    yield title(panel), value, f"{series.name}: {matcher.label} is never {value}"


def _unknown(series: Series, matcher: Matcher) -> Iterator[str]:
    values = series.values(matcher.label)
    if not values or "$" in matcher.value:
        return
    regular = matcher.sign in ("=~", "!~")
    plain = regular and re.fullmatch(r"[\w|-]+", matcher.value)
    # One alternative that is misspelt would not be missed beside the others.
    for one in matcher.value.split("|") if plain else [matcher.value]:
        if not any(matches(one, matcher.sign, value) for value in values):
            yield one


def _gauges(board: Json) -> Found:
    for panel, _, node in queries(board):
        for each, parents in walk(node):
            series = KNOWN.get(each.metric) if isinstance(each, Selector) else None
            nearest = parents[-1] if parents else None
            if (
                series
                and not series.counts
                and isinstance(nearest, Call)
                and nearest.name in _RATES
            ):
                yield title(panel), series.name, f"{nearest.name} of {series.name}, a gauge"


def _buckets(board: Json) -> Found:
    for panel, _, node in queries(board):
        for each, parents in walk(node):
            if isinstance(each, Selector) and each.metric.endswith("_bucket"):
                sums = [call for call in parents if isinstance(call, Call) and call.by is not None]
                if not all("le" in (call.by or ()) for call in sums[-1:]) or not sums:
                    yield title(panel), each.metric, f"{each.metric} not summed by le"


def _gaps(board: Json) -> Found:
    for panel, _, node in queries(board):
        for each, _ in walk(node):
            if isinstance(each, Call) and each.name in ("vector", "absent"):
                yield title(panel), each.name, f"{each.name}() stands in for what is not there"


def _legends(board: Json) -> Found:
    for panel, target, node in queries(board):
        for label in _LEGEND.findall(str(target.get("legendFormat", ""))):
            if label not in labels_of(node):
                yield title(panel), label, f"the legend tells of {label}, which no series has"


def _series(board: Json) -> Found:
    count: dict[str, float] = {}
    for panel, _, node in queries(board):
        if panel.get("type") in _LINES and all(s.metric in KNOWN for s in selectors(node)):
            count[title(panel)] = count.get(title(panel), 0) + most_series(node)
    for name, most in count.items():
        if most > MOST_SERIES:
            yield name, "", f"may show {most:g} series"


def _known(node: Node) -> Iterator[tuple[Selector, Series]]:
    for selector in selectors(node):
        series = KNOWN.get(selector.metric)
        if series:
            yield selector, series


RULES: Final[Mapping[str, Rule]] = {
    "metrics": _metrics,
    "choices": _choices,
    "labels": _labels,
    "values": _values,
    "gauges": _gauges,
    "buckets": _buckets,
    "gaps": _gaps,
    "legends": _legends,
    "series": _series,
}


def charted(boards: Any) -> frozenset[str]:
    """The metrics of pop-stream's table that a panel asks for, not only an annotation."""
    return frozenset(
        series.metric.shown_as
        for board in boards
        for panel, _, node in queries(board)
        if panel.get("type") != "annotation"
        for _, series in _known(node)
        if series.metric
    )
