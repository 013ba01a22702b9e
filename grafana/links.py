"""Ways from a panel: to the dashboard that tells more, and to the page of an alert."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from grafana_foundation_sdk.builders.dashboard import DashboardLink
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard as model

from grafana.alerts import RUNBOOK, Alert
from grafana.panels import Table

OVERVIEW: Final = "pop-stream-overview"
DELIVERY: Final = "pop-stream-delivery"
KAFKA: Final = "pop-stream-kafka-and-workers"
TITLES: Final = {
    OVERVIEW: "pop-stream / Overview",
    DELIVERY: "pop-stream / Delivery",
    KAFKA: "pop-stream / Kafka and workers",
}

_TIME: Final = "${__url_time_range}"
#: All that a dashboard's variables are, but for one.
_VARIABLES: Final = ("datasource", "job", "instance", "topic", "runbooks")


def drill_links(uids: Sequence[str]) -> list[Builder[model.DashboardLink]]:
    """To dashboards, with the same variables and the same time."""
    return [_to(uid, f"/d/{uid}?{_TIME}&${{__all_variables}}") for uid in uids]


def links_of_labels(table: Table) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """By label: where a click on its value leads."""
    if table.chooses:
        yield table.chooses, [_choosing(uid, table.chooses) for uid in table.leads_to]
    if table.runbooks:
        page = RUNBOOK.format(alert=f"${{__data.fields.{table.runbooks}}}")
        yield table.runbooks, [{"title": "Its runbook", "url": page, "targetBlank": True}]


def _choosing(uid: str, label: str) -> dict[str, Any]:
    """As the drill links, but with the label's value in the row that was clicked on."""
    kept = "&".join(f"${{{name}:queryparam}}" for name in _VARIABLES if name != label)
    chosen = f"var-{label}=${{__data.fields.{label}}}"
    return {"title": f"{TITLES[uid]}: this {label}", "url": f"/d/{uid}?{_TIME}&{kept}&{chosen}"}


def runbook_links(alerts: Sequence[Alert]) -> list[Builder[model.DashboardLink]]:
    """To the pages of alerts."""
    links: list[Builder[model.DashboardLink]] = []
    for alert in alerts:
        link = DashboardLink(f"docs/runbooks/{alert}.md").type(model.DashboardLinkType.LINK)
        links.append(link.url(RUNBOOK.format(alert=alert)).target_blank(True))
    return links


def _to(uid: str, url: str) -> DashboardLink:
    return DashboardLink(TITLES[uid]).type(model.DashboardLinkType.LINK).url(url)
