"""Which metrics there are, of which kind, with which labels and which values of these.

Those of pop-stream come from its own table, so a dashboard cannot ask for one that nobody shows.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from grafana.lint.promql import Selector
from pop_stream.settings import Settings
from pop_stream.watch.table import METRICS, OPEN, Kind, Metric, Source

#: Every worker has these of its own.
_WORKER: Final[Mapping[str, tuple[str, ...]]] = {"job": OPEN, "instance": OPEN}
#: What the topics are called unless somebody says else.
TOPICS: Final[tuple[str, ...]] = tuple(
    Settings.model_fields[name].default for name in ("events_topic", "retry_topic", "failure_topic")
)
#: Of those that say what something is, `pop_stream.watch.facts` has the labels.
INFO_LABELS: Final = {
    "pop_stream_build_info": ("version", "faust", "aiokafka", "python"),
    "pop_stream_watch_build_info": ("version", "faust", "aiokafka", "python"),
    "pop_stream_config_info": ("group", "stages", "order", "in_flight"),
}


@dataclass(frozen=True, slots=True)
class Series:
    """A name that Prometheus can be asked for."""

    name: str
    counts: bool
    #: `OPEN`: whatever there is.
    labels: Mapping[str, tuple[str, ...]]
    #: The metric of pop-stream's table that it is, or is a part of.
    metric: Metric | None = None

    def values(self, label: str) -> tuple[str, ...]:
        """What the label can be; nothing where that is not known beforehand."""
        return TOPICS if label == "topic" else self.labels.get(label, OPEN)


#: Recorded by the rules of Prometheus; each has the labels that its name begins with.
RECORDED: Final = (
    "topic:pop_stream_oldest_undelivered_age_seconds:max",
    "topic:pop_stream_retention_headroom_seconds:min",
    *(
        f"job:pop_stream_delivery_errors:ratio_rate{window}"
        for window in ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
    ),
    "job:pop_stream_delivery_slow:ratio_rate1h",
    "topic_partition:pop_stream_lag_status:code",
)

#: What Prometheus and its Python client show of every process.
_OTHERS: Final = (
    Series("up", counts=False, labels=_WORKER),
    Series("scrape_duration_seconds", counts=False, labels=_WORKER),
    Series(
        "ALERTS", counts=False,
        labels={
            "alertname": OPEN, "alertstate": ("pending", "firing"),
            "severity": ("critical", "warning", "info"), "service": ("pop-stream",),
            "topic": OPEN, "instance": OPEN,
        },
    ),
    Series("process_cpu_seconds_total", counts=True, labels=_WORKER),
    Series("process_resident_memory_bytes", counts=False, labels=_WORKER),
    Series("process_open_fds", counts=False, labels=_WORKER),
    Series("process_max_fds", counts=False, labels=_WORKER),
    Series("process_start_time_seconds", counts=False, labels=_WORKER),
    Series("python_gc_collections_total", counts=True, labels={**_WORKER, "generation": OPEN}),
)  # fmt: skip


def _of(metric: Metric) -> Iterator[Series]:
    # The watch has a job and an address, too, but those of the variables are the workers'.
    own = _WORKER if metric.source is Source.WORKER else {"instance": OPEN}
    infos = dict.fromkeys(INFO_LABELS.get(metric.shown_as, ()), OPEN)
    labels = {**own, **infos, **metric.labels}
    if metric.kind is Kind.HISTOGRAM:
        yield Series(f"{metric.shown_as}_bucket", True, {**labels, "le": OPEN}, metric)
        yield Series(f"{metric.shown_as}_sum", True, labels, metric)
        yield Series(f"{metric.shown_as}_count", True, labels, metric)
    else:
        yield Series(metric.shown_as, metric.kind is Kind.COUNTER, labels, metric)


def _recorded(name: str) -> Series:
    level = name.partition(":")[0]
    return Series(name, counts=False, labels=dict.fromkeys(level.split("_"), OPEN))


KNOWN: Final[Mapping[str, Series]] = {
    series.name: series
    for series in (
        *(each for metric in METRICS for each in _of(metric)),
        *map(_recorded, RECORDED),
        *_OTHERS,
    )
}


def chosen(selector: Selector, label: str) -> tuple[str, ...]:
    """The values of a label that a selector lets through, of those that are known beforehand."""
    values = KNOWN[selector.metric].values(label)
    for matcher in selector.matchers:
        if matcher.label == label and "$" not in matcher.value:
            wanted = matcher.sign in ("=", "=~")
            values = tuple(value for value in values if matches(matcher.value, matcher.sign, value)
                           is wanted)  # fmt: skip
    return values


def matches(pattern: str, sign: str, value: str) -> bool:
    """Whether the value is what is asked for, or asked not to be."""
    if sign in ("=", "!="):
        return pattern == value
    return re.fullmatch(pattern, value) is not None
