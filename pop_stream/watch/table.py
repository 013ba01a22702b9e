"""Every metric that pop-stream shows: the one table from which all else is made.

What a worker and `pop-stream watch` serve, docs/metrics.md, and what dashboards and alerts may ask
for. Names stand here without the prefix `pop_stream_` and without `_total`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import product

from pop_stream.pop.breaker import State
from pop_stream.pop.event import Fault, Flag
from pop_stream.pop.hole import GONE
from pop_stream.pop.verdict import Reason

PREFIX = "pop_stream_"


class Kind(StrEnum):
    """How a number is to be read."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    INFO = "info"


class Source(StrEnum):
    """Who serves a metric."""

    WORKER = "worker"
    WATCH = "watch"


#: The values of a label that are the settings' topics or their partitions: few, but not the same
#: everywhere. They appear as the topics are assigned or looked at.
OPEN: tuple[str, ...] = ()

_STAGES = ("forward", "retry", "failure")
_REASONS = tuple(reason.value for reason in Reason)
#: GSTV's answers that are told apart; all else is `other`.
KNOWN_STATUSES = (
    200, 201, 202, 204, 400, 401, 403, 404, 408, 409, 410, 413, 415, 422, 425, 429,
    500, 502, 503, 504,
)  # fmt: skip
#: The first attempt and three retries; more are a setting.
LAST_NUMBER = 4
#: As Kafka calls them.
GROUP_STATES = ("Stable", "PreparingRebalance", "CompletingRebalance", "Empty", "Dead")
OUTCOMES = (
    "delivered", "client_error", "auth", "redirect", "throttled", "server_error", "timeout",
    "connect_error", "tls_error", "reset", "bad_response", "exhausted", "closed",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric."""

    name: str
    kind: Kind
    help: str
    #: The labels, and every value that each can have; `OPEN`: the topics or partitions.
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: Upper bounds in seconds.
    buckets: tuple[float, ...] = ()
    source: Source = Source.WORKER

    @property
    def shown_as(self) -> str:
        """Its name as Prometheus asks for it; a histogram's own is that of its parts."""
        suffix = {Kind.COUNTER: "_total", Kind.INFO: "_info"}.get(self.kind, "")
        return f"{PREFIX}{self.name}{suffix}"

    def label_values(self) -> Iterator[tuple[str, ...]]:
        """Every combination of its labels' values that is known beforehand."""
        return product(*self.labels.values())


def _counter(name: str, text: str, **labels: tuple[str, ...]) -> Metric:
    return Metric(name=name, kind=Kind.COUNTER, help=text, labels=labels)


def _gauge(name: str, text: str, **labels: tuple[str, ...]) -> Metric:
    return Metric(name=name, kind=Kind.GAUGE, help=text, labels=labels)


def _histogram(
    name: str, text: str, buckets: tuple[float, ...], **labels: tuple[str, ...]
) -> Metric:
    return Metric(name=name, kind=Kind.HISTOGRAM, help=text, labels=labels, buckets=buckets)


WORKER_METRICS = (
    _counter("events_received", "Events taken from a topic.", stage=_STAGES),
    _counter(
        "delivery_attempts", "Attempts to deliver, by their number and what came of them.",
        attempt=("1", "2", "3", "4", "later"), outcome=OUTCOMES,
    ),
    _counter(
        "partner_responses", "GSTV's answers by status.",
        code=(*map(str, KNOWN_STATUSES), "other"),
    ),
    _histogram(
        "delivery_attempt_duration_seconds",
        "From the start of an attempt, the wait for a connection included, to its end.",
        (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30), outcome=("ok", "error"),
    ),
    _counter(
        "events_completed", "Events with a final result, each counted once by whoever finished it.",
        result=("delivered", "failed", "quarantined"),
    ),
    _histogram(
        "delivery_delay_seconds", "From the player's record in Kafka to GSTV's success.",
        (0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 14_400, 86_400),
    ),
    _histogram(
        "ingest_delay_seconds",
        "From the moment in an event's pop-id to its record in Kafka: how late players are. "
        "Of one event in sixteen.",
        (1, 10, 60, 600, 3600, 21_600, 86_400, 604_800),
    ),
    _counter("retries_scheduled", "Events handed to the retry topic.", reason=_REASONS),
    _gauge(
        "retry_oldest_due_timestamp_seconds",
        "When the retry that is most overdue was due; 0: none is.",
    ),
    _counter(
        "failed_events", "Events handed to the failure topic.",
        reason=(*_REASONS, "quarantined", GONE),
    ),
    _counter(
        "decode_errors", "Events that cannot be posted as they are, by what is wrong with them.",
        reason=tuple(fault.value for fault in Fault),
    ),
    _counter(
        "events_flagged", "Events forwarded although something is odd.",
        flag=tuple(flag.value for flag in Flag),
    ),
    _counter(
        "gone_events", "Records deleted before they were delivered, as this worker told of them.",
        topic=OPEN,
    ),
    _counter(
        "failure_notifications", "Failure notifications; known: told of before its redrive.",
        channel=("topic", "url"), result=("sent", "error", "known"),
    ),
    _counter("redriven_events", "Parked events sent back by themselves."),
    _counter(
        "attempts_held", "Attempts that did not count: the event kept its place.", reason=_REASONS
    ),
    _counter(
        "partner_throttled_seconds", "Seconds in which nothing was attempted because GSTV asked."
    ),
    _gauge(
        "partner_circuit", "1 for the state of the way to GSTV; open: nothing is attempted.",
        state=tuple(state.value for state in State),
    ),
    _gauge("in_flight_deliveries", "Attempts under way."),
    _gauge("in_flight_limit", "The most attempts that may be under way, as GSTV bears it."),
    _gauge(
        "oldest_in_flight_timestamp_seconds", "When the oldest attempt under way began; 0: none is."
    ),
    _gauge("unfinished_events", "Events taken and not finished."),
    _gauge("assigned_partitions", "Partitions that this worker has now.", topic=OPEN),
    _gauge(
        "partition_last_progress_timestamp_seconds",
        "When the partition's commit last moved, or nothing was left to commit.",
        topic=OPEN, partition=OPEN,
    ),
    _counter("commits", "Commits of offsets.", result=("taken", "refused")),
    _histogram(
        "commit_duration_seconds", "How long a commit took.",
        (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
    ),
    _counter(
        "delivery_receipts", "Records for the receipts topic, each of many deliveries.",
        result=("written", "failed"),
    ),
    _counter("rebalances", "Times that partitions were assigned anew."),
    _histogram(
        "rebalance_duration_seconds", "From giving up the old partitions to having the new ones.",
        (0.1, 0.5, 1, 5, 15, 60, 300),
    ),
    _histogram(
        "event_loop_lag_seconds", "How late the loop came to a look that is due each second.",
        (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
    ),
    _gauge("missing_topics", "Topics of the worker that are not there."),
    _gauge("group_strangers", "Members of the group that are no workers."),
    _counter(
        "log_messages", "Log records of this process by level.",
        level=("debug", "info", "warning", "error", "critical"),
    ),
)  # fmt: skip

#: What a worker is, as against what it does.
WORKER_FACTS = (
    _gauge("retry_limit", "Retries after the first attempt, as set."),
    _gauge("http_timeout_seconds", "The longest that an attempt may take, as set."),
    Metric(name="build", kind=Kind.INFO, help="What runs here."),
    Metric(name="config", kind=Kind.INFO, help="Settings that tell workers apart; none is secret."),
)

_TOPIC = ("topic",)
_PARTITION = ("topic", "partition")


def _watched(name: str, text: str, labels: Sequence[str] = (), kind: Kind = Kind.GAUGE) -> Metric:
    known = {"state": GROUP_STATES, "reason": ("unreachable", "refused", "missing")}
    return Metric(
        name=name, kind=kind, help=text, source=Source.WATCH,
        labels={label: known.get(label, OPEN) for label in labels},
    )  # fmt: skip


#: What `pop-stream watch` shows: how things stand in Kafka, whether or not a worker lives.
WATCH_METRICS = (
    _watched(
        "oldest_undelivered_timestamp_seconds",
        "When the oldest event that is still owed was produced; 0: nothing is owed.", _TOPIC,
    ),
    _watched(
        "retention_deadline_timestamp_seconds",
        "When Kafka may delete the oldest record that is still owed; +Inf: none, or never.",
        _TOPIC,
    ),
    _watched("topic_retention_seconds", "How long a topic keeps records; +Inf: for ever.", _TOPIC),
    _watched("topic_lag_events", "Records that are not committed, at most.", _PARTITION),
    _watched(
        "committed_offset", "What the workers have committed; 0 also before the first.",
        _PARTITION,
    ),
    _watched("end_offset", "The offset after the last record.", _PARTITION),
    _watched("low_offset", "The offset of the oldest record.", _PARTITION),
    _watched(
        "events_lost_to_retention", "Records deleted before they were committed.",
        _TOPIC, Kind.COUNTER,
    ),
    _watched("failed_events_retained", "Parked events, neither sent back nor settled."),
    _watched("group_members", "Workers in the group."),
    _watched("group_state", "1 for the state of the group.", ("state",)),
    _watched(
        "backlog_probe_last_success_timestamp_seconds",
        "When all of this was last seen; 0: not yet. What is shown else is as old.",
    ),
    _watched("backlog_probe_duration_seconds", "How long the last look took."),
    _watched("backlog_probe_errors", "Looks that failed.", ("reason",), Kind.COUNTER),
    Metric(name="watch_build", kind=Kind.INFO, help="What runs here.", source=Source.WATCH),
)  # fmt: skip

METRICS = (*WORKER_METRICS, *WORKER_FACTS, *WATCH_METRICS)
