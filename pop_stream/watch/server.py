"""What a worker counts, and how Prometheus reads it.

Counting costs an addition: the numbers are plain ones, and become metrics only when they are read.
All of them are written by the worker's loop alone.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, make_wsgi_app, start_http_server
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
)
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from pop_stream.pop.outcome import Answer, Outcome
from pop_stream.watch.status import Status, serving

#: Upper bounds in seconds, from a quarter of a second to a day.
_DELAY_BUCKETS = (0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 14_400, 86_400)
_KNOWN_STATUSES = frozenset(
    (200, 201, 202, 204, 400, 401, 403, 404, 408, 409, 410, 413, 415, 422, 425, 429)
) | frozenset((500, 502, 503, 504))

#: The first attempt and three retries; more are a setting.
_LAST_NUMBER = 4


def _none() -> Counter[tuple[str, ...]]:
    return Counter()


@dataclass(slots=True)
class Delays:
    """A histogram of delays in seconds."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(_DELAY_BUCKETS) + 1))
    total: float = 0.0

    def observe(self, seconds: float) -> None:
        """Count one delay; a clock that went back counts as none."""
        seconds = max(seconds, 0.0)
        self.counts[bisect_left(_DELAY_BUCKETS, seconds)] += 1
        self.total += seconds


@dataclass(slots=True)
class Tally:
    """The numbers of one worker since it began."""

    received: Counter[tuple[str, ...]] = field(default_factory=_none)
    #: By the number of the attempt, and the status or the trouble.
    outcomes: Counter[tuple[int, int | str]] = field(default_factory=Counter)
    completed: Counter[tuple[str, ...]] = field(default_factory=_none)
    retries: Counter[tuple[str, ...]] = field(default_factory=_none)
    failures: Counter[tuple[str, ...]] = field(default_factory=_none)
    held: Counter[tuple[str, ...]] = field(default_factory=_none)
    flagged: Counter[tuple[str, ...]] = field(default_factory=_none)
    notifications: Counter[tuple[str, ...]] = field(default_factory=_none)
    redriven: Counter[tuple[str, ...]] = field(default_factory=_none)
    gone: Counter[tuple[str, ...]] = field(default_factory=_none)
    delays: Delays = field(default_factory=Delays)
    #: Gauges, as they stood at the worker's last tick.
    in_flight: int = 0
    in_flight_limit: int = 0
    unfinished: int = 0
    circuit_open: bool = False
    missing_topics: int = 0
    strangers: int = 0

    def attempted(self, attempt: int, outcome: Outcome) -> None:
        """Count an attempt and what became of it: one addition, for it is done with every event."""
        if isinstance(outcome, Answer):
            self.outcomes[attempt, outcome.status] += 1
        else:
            self.outcomes[attempt, outcome.trouble.value] += 1

    @property
    def attempts(self) -> Counter[tuple[str, ...]]:
        """Attempts by their number and the class of their outcome."""
        counts = _none()
        for (attempt, became), count in self.outcomes.copy().items():
            number = str(attempt) if attempt <= _LAST_NUMBER else "later"
            counts[number, f"{became // 100}xx" if isinstance(became, int) else became] += count
        return counts

    @property
    def answers(self) -> Counter[tuple[str, ...]]:
        """GSTV's answers by status."""
        counts = _none()
        for (_, became), count in self.outcomes.copy().items():
            if isinstance(became, int):
                counts[(str(became) if became in _KNOWN_STATUSES else "other",)] += count
        return counts


#: Every counter: its field, its name, its help, its labels.
_COUNTERS = (
    ("received", "events_received", "Events taken from a topic.", ("stage",)),
    ("attempts", "delivery_attempts", "Attempts by their number and outcome.",
     ("attempt", "outcome")),
    ("answers", "partner_responses", "GSTV's answers by status.", ("code",)),
    ("completed", "events_completed", "Events with a final result, each once.", ("result",)),
    ("retries", "retries_scheduled", "Events handed to the retry topic.", ("reason",)),
    ("failures", "failed_events", "Events handed to the failure topic.", ("reason",)),
    ("held", "attempts_held", "Attempts that did not count.", ("reason",)),
    ("flagged", "events_flagged", "Events forwarded although something is odd.", ("flag",)),
    ("redriven", "redriven_events", "Parked events sent back by themselves.", ()),
    ("gone", "gone_events", "Records that were deleted before they were delivered.", ("topic",)),
    ("notifications", "failure_notifications", "Failure notifications.", ("channel", "result")),
)  # fmt: skip
_GAUGES = (
    ("in_flight", "in_flight_deliveries", "Attempts under way."),
    ("in_flight_limit", "in_flight_limit", "The most attempts that may be under way."),
    ("unfinished", "unfinished_events", "Events taken and not finished."),
    ("missing_topics", "missing_topics", "Topics of the worker that are not there."),
    ("strangers", "group_strangers", "Members of the group that are no workers."),
    ("circuit_open", "partner_circuit_open", "1 while nothing is attempted, else 0."),
)


class TallyCollector(Collector):
    """Shows a tally to Prometheus."""

    def __init__(self, tally: Tally, version: str) -> None:
        self._tally = tally
        self._version = version

    def collect(self) -> Iterator[Metric]:
        """All metrics, as they stand now."""
        yield InfoMetricFamily(
            "pop_stream_build", "What runs here.", value={"version": self._version}
        )
        for attribute, name, text, labels in _COUNTERS:
            counter = CounterMetricFamily(f"pop_stream_{name}", text, labels=labels)
            values: Counter[tuple[str, ...]] = getattr(self._tally, attribute)
            for label_values, count in sorted(values.copy().items()):
                counter.add_metric(label_values, count)
            yield counter
        for attribute, name, text in _GAUGES:
            value = float(getattr(self._tally, attribute))
            yield GaugeMetricFamily(f"pop_stream_{name}", text, value=value)
        yield HistogramMetricFamily(
            "pop_stream_delivery_delay_seconds",
            "From the player's record in Kafka to GSTV's success.",
            buckets=list(_cumulated(self._tally.delays.counts)),
            sum_value=self._tally.delays.total,
        )


def _cumulated(counts: Iterable[int]) -> Iterator[tuple[str, float]]:
    bounds = [*(str(float(bound)) for bound in _DELAY_BUCKETS), "+Inf"]
    total = 0
    for bound, count in zip(bounds, counts, strict=True):
        total += count
        yield bound, total


class MetricsServer:
    """Serves a tally over HTTP from a thread of its own, so that a busy loop cannot hide it."""

    def __init__(
        self, tally: Tally, *, version: str, host: str, port: int, look: Callable[[], Status]
    ) -> None:
        """Listen at once. Port 0: any free one. Raises OSError when the port is taken.

        `look` gives the worker's status; it is called from another thread.
        """
        registry = CollectorRegistry()
        registry.register(TallyCollector(tally, version))
        self._server, self._thread = start_http_server(port, host, registry)
        self._server.set_app(serving(look, make_wsgi_app(registry)))
        self.port: int = self._server.server_port

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
