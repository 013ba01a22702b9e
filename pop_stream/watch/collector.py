"""Shows the numbers of a table's metrics to Prometheus: all of them, from the first reading on.

A counter that appears only with its first event cannot be alerted on: `increase()` of a series
that was born at 1 is 0.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import cast

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector
from prometheus_client.samples import Exemplar

from pop_stream.watch.table import PREFIX, Kind, Metric
from pop_stream.watch.tally import Histogram

Labels = tuple[str, ...]


class TableCollector(Collector):
    """Reads each metric of a table from the attribute of that name, at each scrape anew."""

    def __init__(self, metrics: Iterable[Metric], numbers: object) -> None:
        self._metrics = tuple(metrics)
        self._numbers = numbers

    def collect(self) -> Iterator[Family]:
        """All metrics, as they stand now. Called from another thread than the one that counts."""
        for metric in self._metrics:
            yield _FAMILY[metric.kind](metric, getattr(self._numbers, metric.name))


def _counter(metric: Metric, numbers: object) -> Family:
    family = CounterMetricFamily(PREFIX + metric.name, metric.help, labels=list(metric.labels))
    for labels, number in _numbers_of(metric, numbers):
        family.add_metric(labels, number)
    return family


def _gauge(metric: Metric, numbers: object) -> Family:
    family = GaugeMetricFamily(PREFIX + metric.name, metric.help, labels=list(metric.labels))
    for labels, number in _numbers_of(metric, numbers):
        family.add_metric(labels, number)
    return family


def _histogram(metric: Metric, numbers: object) -> Family:
    family = HistogramMetricFamily(PREFIX + metric.name, metric.help, labels=list(metric.labels))
    found: Mapping[Labels, object] = numbers if isinstance(numbers, Mapping) else {(): numbers}
    for labels, each in found.items():
        histogram = cast(Histogram, each)
        family.add_metric(labels, [*_cumulated(histogram)], histogram.total)
    return family


def _info(metric: Metric, facts: object) -> Family:
    words = cast(Mapping[str, str], facts)
    return InfoMetricFamily(PREFIX + metric.name, metric.help, value=dict(words))


_FAMILY = {
    Kind.COUNTER: _counter,
    Kind.GAUGE: _gauge,
    Kind.HISTOGRAM: _histogram,
    Kind.INFO: _info,
}


def _numbers_of(metric: Metric, numbers: object) -> Iterator[tuple[Labels, float]]:
    """Give every combination of labels that the table knows, and whatever else was counted."""
    if not isinstance(numbers, Mapping):
        yield (), cast(float, numbers)
        return
    found: Mapping[Labels, float] = dict(numbers)
    for labels in sorted({*metric.label_values(), *found}):
        yield labels, found.get(labels, 0)


def _cumulated(
    histogram: Histogram,
) -> Iterator[tuple[str, float] | tuple[str, float, Exemplar]]:
    bounds = [*(str(float(bound)) for bound in histogram.bounds), "+Inf"]
    total = 0
    exemplars = dict(histogram.exemplars)
    for bucket, (bound, count) in enumerate(zip(bounds, histogram.counts, strict=True)):
        total += count
        last = exemplars.get(bucket)
        if last is None:
            yield bound, total
        else:
            # Shown in OpenMetrics only: Prometheus' own form has no place for it.
            trace_id, seconds, at = last
            yield bound, total, Exemplar({"trace_id": trace_id}, seconds, at)
