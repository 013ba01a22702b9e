"""Says how a drill went, as a table for people."""

from collections import Counter
from collections.abc import Iterator, Sequence

from drill.judge import AlertVerdict, PanelVerdict


def as_markdown(panels: Sequence[PanelVerdict], alerts: Sequence[AlertVerdict]) -> str:
    """The report: panels by dashboard, alerts one by one, and what is wrong."""
    return "\n".join([*_panels(panels), "", *_alerts(alerts), ""])


def _panels(panels: Sequence[PanelVerdict]) -> Iterator[str]:
    asked = Counter(each.expression.dashboard for each in panels)
    empty = Counter(each.expression.dashboard for each in panels if each.fault)
    yield "| dashboard | queries | without data |"
    yield "| --- | ---: | ---: |"
    for dashboard, count in asked.items():
        yield f"| {dashboard} | {count} | {empty[dashboard]} |"
    for each in panels:
        if each.fault:
            one = each.expression
            yield f"\n- {one.dashboard}, {one.panel}, {one.ref_id}: {each.fault}\n  `{one.promql}`"


def _alerts(alerts: Sequence[AlertVerdict]) -> Iterator[str]:
    yield "| alert | fired after, s | for, s | quiet in the end |"
    yield "| --- | ---: | ---: | --- |"
    for each in sorted(alerts, key=lambda one: one.key):
        after = "**never**" if each.fired_after is None else f"{each.fired_after:.0f}"
        quiet = "yes" if each.is_quiet else "**no**"
        yield f"| {each.key} | {after} | {each.fired_seconds:.0f} | {quiet} |"
