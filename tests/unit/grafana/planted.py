"""Faults to plant in dashboards: each is a small change that a person could make by mistake."""

from typing import Any

from tests.unit.grafana.planting import (
    SELECTOR,
    Change,
    Fault,
    Json,
    each_match,
    misspelt_groups,
    misspelt_labels,
    misspelt_metrics,
    misspelt_values,
    rates_of_gauges,
    with_expression,
    with_panel,
    with_target,
)


def first_link(panel: Json) -> Any:
    """The first link of the panel's values."""
    links = panel["fieldConfig"]["defaults"].get("links")
    return links[0] if links else None


def _misspell_legend(target: Json) -> object:
    if "{{" not in target["legendFormat"]:
        return False
    target["legendFormat"] = target["legendFormat"].replace("}}", "s}}", 1)
    return None


def _change_link(old: str, new: str) -> Change:
    def change(panel: Json) -> object:
        link = first_link(panel)
        if link is None:
            return False
        link["url"] = link["url"].replace(old, new)
        return None

    return change


def _change_override(key: str, value: str) -> Change:
    """Misspell a property of the first column that has it."""

    def change(panel: Json) -> object:
        for override in panel["fieldConfig"]["overrides"]:
            for each in override["properties"]:
                if each["id"] == key:
                    each["value"] = value
                    return None
        return False

    return change


def _rename_column(panel: Json) -> object:
    overrides = panel["fieldConfig"]["overrides"]
    if not overrides:
        return False
    overrides[0]["matcher"]["options"] += "s"
    return None


def _misspell_column(panel: Json) -> object:
    if not panel.get("transformations"):
        return False
    panel["transformations"][0]["options"]["include"]["names"][-1] += "s"
    return None


def _repeat_letter(panel: Json) -> object:
    for target in panel["targets"][1:]:
        target["refId"] = panel["targets"][0]["refId"]
    return None


def _end_at_null(panel: Json) -> object:
    for word in panel["fieldConfig"]["defaults"].get("mappings", ()):
        if word["type"] == "range":
            word["options"]["to"] = None
    return None


def _turn_steps(panel: Json) -> object:
    panel["fieldConfig"]["defaults"]["thresholds"]["steps"].reverse()
    return None


#: What is planted in every panel, and the rules of which one has to find it.
IN_PANELS: dict[str, tuple[Fault, set[str]]] = {
    "a kind misspelt": (with_panel(lambda p: p.update(type=f"{p['type']}s")), {"kinds"}),
    "a unit misspelt": (
        with_panel(lambda p: p["fieldConfig"]["defaults"].update(unit="secs")),
        {"panel-units-rule"},
    ),
    "no unit": (
        with_panel(lambda p: p["fieldConfig"]["defaults"].pop("unit")),
        {"panel-units-rule"},
    ),
    "a column's unit misspelt": (
        with_panel(_change_override("unit", "dateTimeAsISO")),
        {"panel-units-rule"},
    ),
    "no title": (with_panel(lambda p: p.pop("title")), {"panel-title-description-rule"}),
    "no description": (
        with_panel(lambda p: p.pop("description")),
        {"panel-title-description-rule"},
    ),
    "a blank description": (
        with_panel(lambda p: p.update(description=" ")),
        {"panel-title-description-rule"},
    ),
    "a description that says little": (
        with_panel(lambda p: p.update(description="Bad if red.")),
        {"texts"},
    ),
    "no queries": (with_panel(lambda p: p.update(targets=[])), {"panel-no-targets-rule"}),
    "a query blanked": (with_target(lambda t: t.update(expr="")), {"target-promql-rule"}),
    "a query gone": (with_target(lambda t: t.pop("expr")), {"target-promql-rule"}),
    "a query's key misspelt": (with_target(lambda t: t.update(exprs=t.pop("expr"))), {"keys"}),
    "a panel's key misspelt": (
        with_panel(lambda p: p.update(datasources=p.pop("datasource"))),
        {"keys"},
    ),
    "a bracket left out": (
        with_expression(each_match(r"\)$", "")),
        {"target-promql-rule"},
    ),
    "a metric misspelt": (with_expression(misspelt_metrics), {"metrics"}),
    "a label misspelt": (with_expression(misspelt_labels), {"labels"}),
    "a label's value misspelt": (with_expression(misspelt_values), {"values"}),
    "a grouping misspelt": (with_expression(misspelt_groups), {"labels", "buckets"}),
    "a variable misspelt": (with_expression(each_match(r"\$topic", "$topics")), {"variables"}),
    "a legend misspelt": (with_target(_misspell_legend), {"legends"}),
    "the rate of a gauge": (with_expression(rates_of_gauges), {"gauges"}),
    "a counter without its rate": (
        with_expression(each_match(rf"(?:rate|increase)\(({SELECTOR})\[[^\]]*\]\)", r"\1")),
        {"target-counter-agg-rule"},
    ),
    "a rate over a fixed span": (
        with_expression(each_match(rf"(rate\({SELECTOR})\[[^\]]*\]", r"\1[5m]")),
        {"target-rate-interval-rule"},
    ),
    "another job": (
        with_expression(each_match(r'job=~"\$job"', 'job="pop-stream"')),
        {"target-job-rule"},
    ),
    "any instance": (
        with_expression(each_match(r', instance=~"\$instance"', "")),
        {"target-instance-rule"},
    ),
    "buckets not summed by le": (
        with_expression(each_match(r"sum by \(le(?:, instance)?\) ", "sum")),
        {"buckets"},
    ),
    "a gap papered over": (with_expression(each_match(r"$", " or vector(0)")), {"gaps"}),
    "a letter twice": (with_panel(_repeat_letter), {"ids"}),
    "a data source by its uid": (
        with_panel(lambda p: p["datasource"].update(uid="PBFA97CFB590B2093")),
        {"panel-datasource-rule"},
    ),
    "a query of another data source": (
        with_target(lambda t: t["datasource"].update(uid="PBFA97CFB590B2093")),
        {"datasources"},
    ),
    "no room": (with_panel(lambda p: p["gridPos"].update(x=23, w=12)), {"grid"}),
    "no height": (with_panel(lambda p: p["gridPos"].update(h=0)), {"grid"}),
    "a link to nowhere": (with_panel(_change_link("/d/pop-stream", "/d/pop")), {"links"}),
    "a link that loses the time": (
        with_panel(_change_link("${__url_time_range}&", "")),
        {"links"},
    ),
    "a link that loses the variables": (
        with_panel(_change_link("&${__all_variables}", "")),
        {"links"},
    ),
    "a runbook that is not there": (
        with_panel(lambda p: [link.update(url="${runbooks:raw}/No.md") for link in p["links"]]),
        {"links"},
    ),
    "a column's settings misspelt": (with_panel(_rename_column), {"columns"}),
    "a column misspelt": (with_panel(_misspell_column), {"columns"}),
    "a table sorted by nothing": (
        with_panel(
            lambda p: [s.update(displayName="Owned") for s in p["options"].get("sortBy", ())]
        ),
        {"columns"},
    ),
    "a range of values that ends at null": (with_panel(_end_at_null), {"words"}),
    "colours that change the wrong way": (with_panel(_turn_steps), {"steps"}),
}

#: What is planted in whole dashboards.
IN_BOARDS: dict[str, tuple[Change, str]] = {
    "panels that lie on each other": (
        lambda b: b["panels"][2].update(gridPos=dict(b["panels"][1]["gridPos"])),
        "grid",
    ),
    "an id twice": (lambda b: b["panels"][2].update(id=b["panels"][1]["id"]), "ids"),
    "a panel without an id": (lambda b: b["panels"][2].pop("id"), "ids"),
    "a row folded away": (lambda b: b["panels"][0].update(collapsed=True), "rows"),
    "a dashboard that can be edited": (lambda b: b.update(editable=True), "uneditable-dashboard"),
    "another refresh": (lambda b: b.update(refresh="5s"), "frame"),
    "another schema": (lambda b: b.update(schemaVersion=39), "frame"),
    "an id of a database": (lambda b: b.update(id=42), "frame"),
    "no data source to choose": (
        lambda b: b["templating"]["list"].pop(0),
        "template-datasource-rule",
    ),
    "no job to choose": (lambda b: b["templating"]["list"].pop(1), "template-job-rule"),
    "no instance to choose": (lambda b: b["templating"]["list"].pop(2), "template-instance-rule"),
    "no topic to choose": (lambda b: b["templating"]["list"].pop(3), "variables"),
    "no runbooks": (lambda b: b["templating"]["list"].pop(4), "variables"),
    "All is a list": (
        lambda b: b["templating"]["list"][1].update(allValue=""),
        "template-job-rule",
    ),
    "one job at a time": (
        lambda b: b["templating"]["list"][1].update(multi=False),
        "template-job-rule",
    ),
    "values that are never read anew": (
        lambda b: b["templating"]["list"][3].update(refresh=0),
        "template-on-time-change-reload-rule",
    ),
    "values of a query that cannot be read": (
        lambda b: b["templating"]["list"][3].update(query="label_values(m{, topic)"),
        "template-label-promql-rule",
    ),
    "values of a metric that nobody shows": (
        lambda b: b["templating"]["list"][3].update(query="label_values(no_such_metric, topic)"),
        "choices",
    ),
    "values of a label that a metric does not have": (
        lambda b: b["templating"]["list"][1].update(
            query="label_values(pop_stream_build_info, jo)"
        ),
        "choices",
    ),
    "a mark that cannot be read": (
        lambda b: b["annotations"]["list"][1]["target"].update(expr="sum(up"),
        "target-promql-rule",
    ),
    "a mark of a metric that nobody shows": (
        lambda b: b["annotations"]["list"][1]["target"].update(expr="no_such_metric"),
        "metrics",
    ),
}
