"""How faults are planted in a dashboard: in its panel, its queries, its expressions.

A fault gives every board that it can make of a board with one panel; it gives none where the panel
has nothing that it could change.
"""

import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

from grafana.lint.names import KNOWN
from grafana.lint.promql import Binary, Call, parse, selectors, walk

Json = dict[str, Any]
Fault = Callable[[Json], Iterator[Json]]
#: Changes the one panel, or gives False.
Change = Callable[[Json], object]

SELECTOR = r"[\w:]+(?:\{[^}]*\})?"


def panel_of(board: Json) -> Json:
    """The one panel that is no headline."""
    (panel,) = (each for each in board["panels"] if each["type"] != "row")
    return panel


def with_panel(change: Change) -> Fault:
    """A fault in the panel."""

    def fault(board: Json) -> Iterator[Json]:
        changed = deepcopy(board)
        if change(panel_of(changed)) is not False and changed != board:
            yield changed

    return fault


def with_target(change: Change) -> Fault:
    """A fault in each query."""

    def fault(board: Json) -> Iterator[Json]:
        for number in range(len(panel_of(board)["targets"])):
            changed = deepcopy(board)
            if change(panel_of(changed)["targets"][number]) is not False and changed != board:
                yield changed

    return fault


def with_expression(rewrite: Callable[[str], Iterator[str]]) -> Fault:
    """A fault in each query's expression."""

    def fault(board: Json) -> Iterator[Json]:
        for number, target in enumerate(panel_of(board)["targets"]):
            for expression in rewrite(target["expr"]):
                if expression != target["expr"]:
                    changed = deepcopy(board)
                    panel_of(changed)["targets"][number]["expr"] = expression
                    yield changed

    return fault


def each_match(pattern: str, replacement: str) -> Callable[[str], Iterator[str]]:
    """Replace every match, one at a time."""

    def rewrite(expression: str) -> Iterator[str]:
        for found in re.finditer(pattern, expression):
            yield (
                expression[: found.start()] + found.expand(replacement) + expression[found.end() :]
            )

    return rewrite


def misspelt_metrics(expression: str) -> Iterator[str]:
    """Each metric, one letter short."""
    for selector in {*selectors(parse(expression))}:
        name = re.escape(selector.metric)
        yield re.sub(rf"(?<![\w:]){name}(?![\w:(])", selector.metric[:-1], expression, count=1)


def misspelt_labels(expression: str) -> Iterator[str]:
    """Each label that is matched, one letter more."""
    yield from each_match(r'(?<=[{ ])(\w+)(?=(?:=~|!~|!=|=)")', r"\1s")(expression)


def misspelt_values(expression: str) -> Iterator[str]:
    """Each value of a label whose values are known, one letter more; each alternative by itself."""
    for selector in {*selectors(parse(expression))}:
        for matcher in selector.matchers:
            values = KNOWN[selector.metric].values(matcher.label)
            for value in re.findall(r"[\w-]+", matcher.value):
                if values and "$" not in matcher.value and value in values:
                    yield from each_match(rf'(?<=["|]){value}(?=["|])', f"{value}x")(expression)


def misspelt_groups(expression: str) -> Iterator[str]:
    """Each label by which something is grouped or matched, one letter more."""
    for node, _ in walk(parse(expression)):
        labels = node.by if isinstance(node, Call) else None
        labels = node.labels if isinstance(node, Binary) else labels
        for label in {*(labels or ())}:
            yield re.sub(
                rf"(?<=[(,] ){label}(?=[,)])|(?<=\(){label}(?=[,)])", f"{label}x", expression
            )


def rates_of_gauges(expression: str) -> Iterator[str]:
    """Each gauge, taken for a counter."""
    for selector in {*selectors(parse(expression))}:
        if not selector.span and not KNOWN[selector.metric].counts:
            name = re.escape(selector.metric)
            whole = rf"(?<![\w:])({name}(?:\{{[^}}]*\}}|(?![\w:{{])))(?!\[)"
            yield from each_match(whole, r"rate(\1[$__rate_interval])")(expression)
