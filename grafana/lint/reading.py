"""How checks read a dashboard's JSON: what is not there is empty, never an error."""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, Final

from grafana.lint.promql import Node, NotUnderstoodError, parse

Json = Mapping[str, Any]

#: How a variable asks for the values of a label.
LABEL_VALUES: Final = re.compile(r"label_values\((.+), *([a-z_]+)\)")


def panels(board: Json) -> Iterator[Json]:
    """All panels but headlines."""
    return (panel for panel in board.get("panels", ()) if panel.get("type") != "row")


def targets(board: Json) -> Iterator[tuple[Json, Json]]:
    """Every query, with its panel; an annotation's too, with the annotation as its panel."""
    for panel in panels(board):
        for target in panel.get("targets", ()):
            yield panel, target
    for annotation in board.get("annotations", {}).get("list", ()):
        yield {"title": annotation.get("name"), "type": "annotation"}, annotation.get("target", {})


def variables(board: Json) -> Iterator[Json]:
    """All variables."""
    yield from board.get("templating", {}).get("list", ())


def variable(board: Json, name: str) -> Json:
    """One variable; an empty one where it is not there."""
    return next((each for each in variables(board) if each.get("name") == name), {})


def queries(board: Json) -> Iterator[tuple[Json, Json, Node]]:
    """Every query that can be read; that one cannot is told of by a check of its own."""
    for panel, target in targets(board):
        try:
            yield panel, target, parse(target.get("expr", ""))
        except NotUnderstoodError:
            continue


def label_values(board: Json) -> Iterator[tuple[str, str, Node]]:
    """Every variable whose values are those of a label: its name, the label, and of what."""
    for each in variables(board):
        called = LABEL_VALUES.fullmatch(str(each.get("query")))
        with suppress(NotUnderstoodError):
            if called:
                yield each["name"], called[2], parse(called[1])


def title(panel: Json) -> str:
    """A panel's title, or its number."""
    return str(panel.get("title") or panel.get("id"))


def defaults(panel: Json) -> Json:
    """How a panel's values are shown where nothing else is said."""
    found: Json = panel.get("fieldConfig", {}).get("defaults", {})
    return found


def overrides(panel: Json) -> Iterator[tuple[str, Json]]:
    """By name: what is said else, one property at a time."""
    for override in panel.get("fieldConfig", {}).get("overrides", ()):
        for each in override.get("properties", ()):
            yield override.get("matcher", {}).get("options", ""), each


def texts(value: Any) -> Iterator[str]:
    """Every text in it, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from texts(each)
