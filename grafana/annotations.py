"""Marks on all graphs: what changed, and when."""

from typing import Final

from grafana_foundation_sdk.builders import dashboard, prometheus
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard as model

from grafana.alerts import FIRING
from grafana.panels import RED
from grafana.selectors import workers
from grafana.variables import DATASOURCE

#: `changes()` of it is always 0: a new build is a new series. So: builds that were not there
#: before.
_BUILDS: Final = workers("pop_stream_build_info")
_DEPLOYS: Final = f"count by (version) ({_BUILDS}) unless count by (version) ({_BUILDS} offset 5m)"
_REBALANCES: Final = f"sum(increase({workers('pop_stream_rebalances_total')}[2m])) > 0"


def _annotation(
    name: str, color: str, expr: str, title: str, tags: str
) -> dashboard.AnnotationQuery:
    # A mark may be missed between two steps: they are as short as the windows above need.
    target = prometheus.Dataquery().ref_id("A").expr(expr).range().interval("60s")
    annotation = dashboard.AnnotationQuery().name(name).datasource(DATASOURCE).target(target)
    return annotation.icon_color(color).title_format(title).tag_keys(tags)


ANNOTATIONS: Final[list[Builder[model.AnnotationQuery]]] = [
    _annotation("Deploys", "blue", _DEPLOYS, "pop-stream {{version}}", "version"),
    _annotation("Rebalances", "purple", _REBALANCES, "Partitions were assigned anew", ""),
    _annotation("Alerts", RED, FIRING, "{{alertname}} {{topic}}", "severity"),
]
