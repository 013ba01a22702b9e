"""Makes Grafana's panels of ours."""

from typing import TypeVar

from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import (
    dashboard,
    heatmap,
    prometheus,
    stat,
    statetimeline,
    table,
    timeseries,
)
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models import heatmap as heatmap_model
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from grafana.links import drill_links, links_of_labels, runbook_links
from grafana.panels import Graph, Heatmap, Panel, Stat, Table, Timeline
from grafana.tables import overrides, transformations
from grafana.variables import DATASOURCE
from grafana.words import mappings, thresholds

B = TypeVar(
    "B", stat.Panel, timeseries.Panel, heatmap.Panel, statetimeline.Panel, table.Panel
)  # fmt: skip


def draw(panel: Panel, place: model.GridPos) -> Builder[model.Panel]:
    """Make the panel, at its place."""
    match panel:
        case Stat():
            return _stat(panel, place)
        case Graph():
            return _graph(panel, place)
        case Heatmap():
            return _heatmap(panel, place)
        case Timeline():
            return _timeline(panel, place)
        case Table():
            return _table(panel, place)


def _common(builder: B, panel: Panel, place: model.GridPos) -> B:
    builder.id(panel.id).title(panel.title).description(panel.text).grid_pos(place)
    builder.datasource(DATASOURCE).unit(panel.unit)
    builder.thresholds(thresholds(panel.steps))
    builder.links(runbook_links(panel.alerts))
    # Those of a table's column say which row was clicked on.
    if panel.leads_to and not isinstance(panel, Table):
        builder.data_links(drill_links(panel.leads_to))
    if panel.least is not None:
        builder.min(panel.least)
    if panel.words:
        builder.mappings(mappings(panel.words))
    if panel.nothing:
        builder.no_value(panel.nothing)
    return builder


def _targets(
    panel: Panel, *, now_only: bool = False, form: PromQueryFormat = PromQueryFormat.TIME_SERIES
) -> list[Builder[Dataquery]]:
    targets: list[Builder[Dataquery]] = []
    for number, query in enumerate(panel.queries):
        target = prometheus.Dataquery().ref_id(chr(ord("A") + number)).expr(query.expr)
        target.datasource(DATASOURCE).format(form).legend_format(query.legend or "__auto")
        targets.append(target.instant() if now_only else target.range())
    return targets


def _stat(panel: Stat, place: model.GridPos) -> stat.Panel:
    builder = _common(stat.Panel(), panel, place).targets(_targets(panel, now_only=True))
    builder.color_scheme(_colors(model.FieldColorModeId.THRESHOLDS))
    judged = len(panel.steps) > 1 or bool(panel.words)
    ground, plain = common.BigValueColorMode.BACKGROUND, common.BigValueColorMode.VALUE
    builder.color_mode(ground if judged else plain)
    builder.graph_mode(common.BigValueGraphMode.NONE)
    builder.reduce_options(common_builders.ReduceDataOptions().calcs(["last"]))
    if panel.decimals is not None:
        builder.decimals(panel.decimals)
    return builder


def _graph(panel: Graph, place: model.GridPos) -> timeseries.Panel:
    builder = _common(timeseries.Panel(), panel, place).targets(_targets(panel))
    builder.color_scheme(_colors(model.FieldColorModeId.PALETTE_CLASSIC))
    # A line across a gap would say that something was measured there.
    builder.line_width(1).fill_opacity(10).span_nulls(False)
    builder.show_points(common.VisibilityMode.AUTO)
    if len(panel.steps) > 1:
        dashed = common.GraphThresholdsStyleMode.DASHED
        builder.thresholds_style(common_builders.GraphThresholdsStyleConfig().mode(dashed))
    if panel.stacked:
        normal = common_builders.StackingConfig().mode(common.StackingMode.NORMAL).group("A")
        builder.stacking(normal).fill_opacity(60)
    if panel.most is not None:
        builder.max(panel.most)
    tooltip = common_builders.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI)
    builder.tooltip(tooltip.sort(common.SortOrder.DESCENDING))
    return builder.legend(_legend(len(panel.queries), panel))


def _legend(queries: int, panel: Graph) -> common_builders.VizLegendOptions:
    """Tabulate where there may be many series; else list."""
    legend = common_builders.VizLegendOptions().show_legend(True)
    if queries > 3 or any("{{" in query.legend for query in panel.queries):
        legend.display_mode(common.LegendDisplayMode.TABLE).calcs(["lastNotNull", "max"])
        return legend.placement(common.LegendPlacement.RIGHT)
    legend.display_mode(common.LegendDisplayMode.LIST)
    return legend.placement(common.LegendPlacement.BOTTOM).calcs([])


def _heatmap(panel: Heatmap, place: model.GridPos) -> heatmap.Panel:
    targets = _targets(panel, form=PromQueryFormat.HEATMAP)
    builder = _common(heatmap.Panel(), panel, place).targets(targets)
    # What the cells hold are counts; what they are put by has the panel's unit.
    builder.unit("short").y_axis(heatmap.YAxisConfig().unit(panel.unit))
    # All of it: what the SDK leaves out here it fills with zeros.
    color = heatmap.HeatmapColorOptions().mode(heatmap_model.HeatmapColorMode.SCHEME)
    color.scheme("Oranges").scale(heatmap_model.HeatmapColorScale.EXPONENTIAL).exponent(0.5)
    color.fill("dark-orange").steps(64).reverse(False)
    return builder.color(color)


def _timeline(panel: Timeline, place: model.GridPos) -> statetimeline.Panel:
    builder = _common(statetimeline.Panel(), panel, place).targets(_targets(panel))
    builder.color_scheme(_colors(model.FieldColorModeId.THRESHOLDS))
    builder.show_value(common.VisibilityMode.NEVER)
    legend = common_builders.VizLegendOptions().show_legend(True)
    legend.display_mode(common.LegendDisplayMode.LIST).placement(common.LegendPlacement.BOTTOM)
    return builder.legend(legend)


def _table(panel: Table, place: model.GridPos) -> table.Panel:
    targets = _targets(panel, now_only=True, form=PromQueryFormat.TABLE)
    builder = _common(table.Panel(), panel, place).targets(targets)
    builder.color_scheme(_colors(model.FieldColorModeId.THRESHOLDS))
    builder.transformations(transformations(panel))
    for name, properties in overrides(panel):
        builder.override_by_name(name, properties)
    for label, links in links_of_labels(panel):
        builder.override_by_name(label, [model.DynamicConfigValue("links", links)])
    order = common_builders.TableSortByFieldState().display_name(panel.sorted_by)
    return builder.sort_by([order.desc(panel.descending)])


def _colors(mode: model.FieldColorModeId) -> dashboard.FieldColor:
    return dashboard.FieldColor().mode(mode)
