"""The seventeen rules of Grafana's own dashboard-linter, by their names there.

It is written in Go and cannot be had from a package index; what its rules say is said here again.
Where a rule there looks at some kinds of panels only, it looks at all here.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from grafana.lint.names import KNOWN
from grafana.lint.promql import (
    Call,
    Matcher,
    Node,
    NotUnderstoodError,
    Selector,
    parse,
    selectors,
    walk,
)
from grafana.lint.reading import (
    Json,
    defaults,
    label_values,
    overrides,
    panels,
    queries,
    targets,
    title,
    variable,
    variables,
)
from grafana.lint.units import UNITS

_DATASOURCES: Final = ("$datasource", "${datasource}")
_RATES: Final = ("rate", "irate")
_COUNTED: Final = (*_RATES, "increase")
_LOKI: Final = "loki"

Found = Iterator[tuple[str, str, str]]
#: Gives the panel, what it is about, and the message.
Rule = Callable[[Json], Found]


def _template_datasource(board: Json) -> Found:
    found = variable(board, "datasource")
    if found.get("type") != "datasource" or found.get("label") != "Data source":
        yield "", "datasource", "no variable `datasource` that chooses the data source"


def _template(name: str) -> Rule:
    def rule(board: Json) -> Found:
        found = variable(board, name)
        wanted = {"type": "query", "label": name.title(), "multi": True, "allValue": ".+"}
        for key, value in wanted.items():
            if found.get(key) != value:
                yield "", name, f"variable `{name}`: {key} is {found.get(key)!r}, not {value!r}"
        if found.get("datasource", {}).get("uid") not in _DATASOURCES:
            yield "", name, f"variable `{name}` asks another data source than the chosen one"

    return rule


def _template_label_promql(board: Json) -> Found:
    read = {name for name, _, _ in label_values(board)}
    for each in variables(board):
        if each.get("type") == "query" and each.get("name") not in read:
            yield "", each["name"], f"variable `{each['name']}`: not understood"


def _template_on_time_change_reload(board: Json) -> Found:
    for each in variables(board):
        if each.get("type") == "query" and each.get("refresh") != 2:
            yield "", each["name"], f"variable `{each['name']}` is not read anew with the time"


def _panel_datasource(board: Json) -> Found:
    for panel in panels(board):
        if panel.get("datasource", {}).get("uid") not in _DATASOURCES:
            yield title(panel), "", "not of the chosen data source"


def _panel_title_description(board: Json) -> Found:
    for panel in panels(board):
        for key in ("title", "description"):
            if not str(panel.get(key, "")).strip():
                yield title(panel), key, f"no {key}"


def _panel_units(board: Json) -> Found:
    for panel in panels(board):
        units = [defaults(panel).get("unit")]
        units += [each["value"] for _, each in overrides(panel) if each.get("id") == "unit"]
        for unit in units:
            if unit not in UNITS:
                yield title(panel), str(unit), f"{unit!r} is no unit that is used here"


def _panel_no_targets(board: Json) -> Found:
    for panel in panels(board):
        if not panel.get("targets"):
            yield title(panel), "", "asks for nothing"


def _target_logql(board: Json) -> Found:
    for panel, target in targets(board):
        if _asks_loki(board, target) and not str(target.get("expr", "")).strip():
            yield title(panel), "", "asks Loki for nothing"


def _target_logql_auto(board: Json) -> Found:
    for panel, target in targets(board):
        spans = re.findall(r"\[([^\]]+)\]", str(target.get("expr", "")))
        if _asks_loki(board, target) and any(span != "$__auto" for span in spans):
            yield title(panel), "", "asks Loki for another span than $__auto"


def _target_promql(board: Json) -> Found:
    for panel, target in targets(board):
        try:
            parse(target.get("expr", ""))
        except NotUnderstoodError as error:
            yield title(panel), "", str(error)


def _target_rate_interval(board: Json) -> Found:
    for panel, _, node in queries(board):
        for selector, call in _spans(node):
            if call in _RATES and selector.span != "$__rate_interval":
                yield title(panel), selector.metric, f"{call} over {selector.span}"


def _target_matcher(label: str) -> Rule:
    wanted = Matcher(label, "=~", f"${label}")

    def rule(board: Json) -> Found:
        for panel, _, node in queries(board):
            for selector in selectors(node):
                if wanted not in selector.matchers:
                    yield title(panel), selector.metric, f"{selector.metric} of any {label}"

    return rule


def _target_counter_agg(board: Json) -> Found:
    """By kind, not by the ending `_total`: the parts of a histogram count, too."""
    for panel, _, node in queries(board):
        for selector, call in _spans(node):
            series = KNOWN.get(selector.metric)
            if series and series.counts and call not in _COUNTED:
                yield title(panel), selector.metric, f"{selector.metric} without rate or increase"


def _uneditable(board: Json) -> Found:
    if board.get("editable") is not False:
        yield "", "", "can be edited: what is changed by hand is lost with the next deployment"


RULES: Final[Mapping[str, Rule]] = {
    "template-datasource-rule": _template_datasource,
    "template-job-rule": _template("job"),
    "template-instance-rule": _template("instance"),
    "template-label-promql-rule": _template_label_promql,
    "template-on-time-change-reload-rule": _template_on_time_change_reload,
    "panel-datasource-rule": _panel_datasource,
    "panel-title-description-rule": _panel_title_description,
    "panel-units-rule": _panel_units,
    "panel-no-targets-rule": _panel_no_targets,
    "target-logql-rule": _target_logql,
    "target-logql-auto-rule": _target_logql_auto,
    "target-promql-rule": _target_promql,
    "target-rate-interval-rule": _target_rate_interval,
    "target-job-rule": _target_matcher("job"),
    "target-instance-rule": _target_matcher("instance"),
    "target-counter-agg-rule": _target_counter_agg,
    "uneditable-dashboard": _uneditable,
}


def _spans(node: Node) -> Iterator[tuple[Selector, str]]:
    """Every selector, and the function that it is directly in."""
    for each, parents in walk(node):
        if isinstance(each, Selector):
            nearest = parents[-1] if parents else None
            yield each, nearest.name if isinstance(nearest, Call) else ""


def _asks_loki(board: Json, target: Json) -> bool:
    kinds = (target.get("datasource", {}).get("type"), variable(board, "datasource").get("query"))
    return _LOKI in kinds
