"""Our own rules of a dashboard's build: what Grafana takes without a word, and shows wrongly."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, Final

from grafana.alerts import Alert
from grafana.board import COLUMNS
from grafana.links import TITLES
from grafana.lint.grafana_rules import Found, Rule
from grafana.lint.reading import (
    Json,
    defaults,
    overrides,
    panels,
    queries,
    targets,
    texts,
    title,
    variables,
)
from grafana.lint.results import labels_of
from grafana.lint.units import KINDS

_FRAME: Final[Mapping[str, Any]] = {
    "schemaVersion": 42,
    "refresh": "30s",
    "tags": ["pop-stream"],
}
_PANEL_KEYS: Final = frozenset({
    "collapsed", "datasource", "description", "fieldConfig", "gridPos", "id", "links", "options",
    "panels", "targets", "title", "transformations", "type",
})  # fmt: skip
_TARGET_KEYS: Final = frozenset({
    "datasource", "expr", "format", "instant", "interval", "legendFormat", "range", "refId",
})  # fmt: skip
_VARIABLE: Final = re.compile(r"\$(?:\{(\w+)[^}]*\}|(\w+))")
_DASHBOARD: Final = re.compile(r"/d/([\w-]+)\?(.*)")
_PAGE: Final = re.compile(r"\$\{runbooks:raw\}/(?:(\w+)|\$\{__data\.fields\.\w+\})\.md")
_FIELD: Final = re.compile(r"\$\{__data\.fields\.(\w+)\}")
#: In fewer words nobody says what a panel means and what to do.
_LEAST_WORDS: Final = 12


def _frame(board: Json) -> Found:
    for key, value in _FRAME.items():
        if board.get(key) != value:
            yield "", key, f"{key} is {board.get(key)!r}, not {value!r}"
    if "id" in board:
        yield "", "id", "an id of one Grafana's database stands in the file"


def _kinds(board: Json) -> Found:
    for panel in board.get("panels", ()):
        if panel.get("type") not in KINDS:
            yield title(panel), "", f"{panel.get('type')!r} is no kind of panel that is used here"


def _keys(board: Json) -> Found:
    for panel in board.get("panels", ()):
        yield from ((title(panel), key, f"{key!r}: no such key") for key in {*panel} - _PANEL_KEYS)
    for panel, target in targets(board):
        yield from (
            (title(panel), key, f"{key!r}: no such key") for key in {*target} - _TARGET_KEYS
        )


def _ids(board: Json) -> Found:
    count = Counter(panel.get("id") for panel in board.get("panels", ()))
    for number, times in count.items():
        if not isinstance(number, int) or number < 1 or times > 1:
            yield "", str(number), f"{times} panels have the id {number}"
    for panel in panels(board):
        letters = [target.get("refId") for target in panel.get("targets", ())]
        if not all(letters) or len({*letters}) < len(letters):
            yield title(panel), "", f"refIds are {letters}"


def _grid(board: Json) -> Found:
    places = [(title(panel), panel.get("gridPos", {})) for panel in board.get("panels", ())]
    for name, at in places:
        if min(at.get("w", 0), at.get("h", 0)) < 1 or at.get("x", 0) + at.get("w", 0) > COLUMNS:
            yield name, "", f"does not fit: {at}"
    for (name, one), (other, two) in combinations(places, 2):
        if all(
            one.get(start, 0) < two.get(start, 0) + two.get(size, 0)
            and two.get(start, 0) < one.get(start, 0) + one.get(size, 0)
            for start, size in (("x", "w"), ("y", "h"))
        ):
            yield name, "", f"lies over {other}"


def _rows(board: Json) -> Found:
    for panel in board.get("panels", ()):
        if panel.get("type") == "row" and (panel.get("collapsed") or panel.get("panels")):
            yield title(panel), "", "is folded away"


def _texts(board: Json) -> Found:
    for panel in panels(board):
        if len(str(panel.get("description", "")).split()) < _LEAST_WORDS:
            yield title(panel), "", "says too little of what it means and what to do"


def _steps(board: Json) -> Found:
    for panel in panels(board):
        all_steps = [defaults(panel).get("thresholds", {}).get("steps", [])]
        all_steps += [
            each["value"]["steps"] for _, each in overrides(panel) if each["id"] == "thresholds"
        ]
        for steps in all_steps:
            values = [step.get("value") for step in steps]
            if not values or values[0] is not None or not _rise(values[1:]):
                yield title(panel), "", f"colours change at {values}"


def _words(board: Json) -> Found:
    for panel in panels(board):
        words = [*defaults(panel).get("mappings", ())]
        words += [each for _, p in overrides(panel) if p["id"] == "mappings" for each in p["value"]]
        for word in words:
            ends = [word["options"].get(key, 0) for key in ("from", "to")]
            if word.get("type") == "range" and None in ends:
                yield title(panel), "", "a range of values ends at null, which some take for 0"


def _rise(values: Sequence[Any]) -> bool:
    return all(isinstance(value, (int, float)) for value in values) and [*values] == sorted(
        {*values}
    )


def _variables(board: Json) -> Found:
    defined = {each.get("name") for each in variables(board)}
    for text in texts(board):
        for braced, plain in _VARIABLE.findall(text):
            name = braced or plain
            if not name.startswith("__") and name not in defined:
                yield "", name, f"there is no variable {name}, but {text!r}"


def _datasources(board: Json) -> Found:
    for panel, target in targets(board):
        if target.get("datasource", panel.get("datasource", {})).get("uid") != "${datasource}" and (
            panel.get("type") != "annotation"
        ):
            yield title(panel), "", "asks another data source than the chosen one"


def _links(board: Json) -> Found:
    for panel in panels(board):
        for link in _links_of(panel):
            fault = _fault_of(str(link.get("url", "")))
            if fault:
                yield title(panel), "", f"{link.get('url')}: {fault}"


def _links_of(panel: Json) -> Iterator[Json]:
    yield from panel.get("links", ())
    yield from defaults(panel).get("links", ())
    for _, each in overrides(panel):
        if each.get("id") == "links":
            yield from each.get("value", ())


def _fault_of(url: str) -> str:
    page, board = _PAGE.fullmatch(url), _DASHBOARD.fullmatch(url)
    if page:
        return "" if page[1] is None or page[1] in {*Alert} else "no such alert"
    if not board:
        return "leads nowhere that is known"
    if board[1] not in TITLES:
        return "no such dashboard"
    carried = board[2].split("&")
    if "${__url_time_range}" not in carried:
        return "loses the time"
    if "${__all_variables}" in carried or "${datasource:queryparam}" in carried:
        return ""
    return "loses the variables"


def _columns(board: Json) -> Found:
    for panel in panels(board):
        if panel.get("type") != "table":
            continue
        options = {each.get("id"): each.get("options", {}) for each in panel["transformations"]}
        kept = options.get("filterFieldsByName", {}).get("include", {}).get("names", [])
        organized = options.get("organize", {})
        renamed = organized.get("renameByName", {})
        yield from _absent(panel, kept, _given_columns(board, panel))
        yield from _absent(panel, [*renamed, *organized.get("indexByName", {})], kept)
        named = [name for name, _ in overrides(panel)]
        named += [each.get("displayName") for each in panel["options"].get("sortBy", ())]
        named += [name for text in texts(panel) for name in _FIELD.findall(text)]
        yield from _absent(panel, named, [renamed.get(name, name) for name in kept])


def _absent(panel: Json, names: Iterable[str], columns: Collection[str]) -> Found:
    for name in names:
        if name not in columns:
            yield title(panel), name, f"there is no column {name!r}"


def _given_columns(board: Json, panel: Json) -> set[str]:
    """The columns that the queries give, by the names that Grafana gives them."""
    labels = {
        label for each, _, node in queries(board) if each is panel for label in labels_of(node)
    }
    letters = [target.get("refId") for target in panel.get("targets", ())]
    return (
        {"Time"}
        | labels
        | ({f"Value #{each}" for each in letters} if len(letters) > 1 else {"Value"})
    )


RULES: Final[Mapping[str, Rule]] = {
    "frame": _frame,
    "kinds": _kinds,
    "keys": _keys,
    "ids": _ids,
    "grid": _grid,
    "rows": _rows,
    "texts": _texts,
    "steps": _steps,
    "words": _words,
    "variables": _variables,
    "datasources": _datasources,
    "links": _links,
    "columns": _columns,
}
