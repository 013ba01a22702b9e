"""What a worker says of itself at this moment: `/statusz`, for people and `pop-stream status`."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson

PATH = "/statusz"


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Nothing is delivered for now. Times are epoch seconds."""

    #: Why: one of the reasons of `pop_stream.pop.verdict`.
    reason: str
    since: float
    #: When the next event probes whether GSTV is back; in the past while one is under way.
    next_probe_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """How many events went one way through this worker."""

    #: Since the worker began.
    total: int
    #: Over the last minute, or as long as it runs.
    per_second: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """How many events failed for one reason."""

    reason: str
    #: Handed to the retry topic, in the last hour and since the worker began.
    retried_in_hour: int
    retried: int
    #: Handed to the failure topic, likewise.
    parked_in_hour: int
    parked: int
    #: When the last of them was, in epoch seconds.
    last_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionStatus:
    """One partition of this worker. Times are epoch seconds."""

    topic: str
    partition: int
    #: What is on it from the first unfinished event on; None: not known yet.
    backlog: int | None
    #: When its commit last moved, or nothing was left to commit.
    moved_at: float
    #: When its oldest event that is taken and not finished was written to the topic, as its record
    #: says; None: there is none.
    oldest_unfinished_at: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkStatus:
    """What is under way in a worker, and what it has done. Times are epoch seconds."""

    #: None: events are delivered.
    held: Held | None
    #: The state of the breaker: one of `pop_stream.pop.breaker`; and since when it is closed, or is
    #: not.
    circuit: str
    circuit_since: float
    in_flight: int
    #: The most attempts that may be under way, as GSTV's latency allows for now.
    in_flight_limit: int
    #: The most attempts that may be started in a second; None: as many as GSTV takes.
    events_per_second_limit: float | None
    #: Events that the worker has taken and not finished.
    unfinished: int
    #: When the oldest of them was written to its topic, as its record says; None: there is none.
    oldest_unfinished_at: float | None = None
    #: Records that Kafka has not confirmed yet: a hand-off ends with that.
    unconfirmed: int = 0
    #: When the oldest attempt under way began; None: there is none.
    oldest_attempt_at: float | None = None
    #: What is on this worker's partitions from their first unfinished events on, at most: some of
    #: it may be finished. None: not known yet.
    backlog: int | None = None
    #: When Kafka was last asked for it.
    backlog_at: float | None = None
    #: How fast it grows, in events a second; below 0: it drains. None: not known yet.
    backlog_growth: float | None = None
    #: By their names in `pop_stream.watch.history.Totals`.
    flows: Mapping[str, Flow] = field(default_factory=dict)
    #: Those that there were, the latest first.
    failures: tuple[Failures, ...] = ()
    partitions: tuple[PartitionStatus, ...] = ()
    #: Whether the worker was told to end.
    is_ending: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """One worker at one moment. Times are epoch seconds."""

    version: str
    group: str
    stages: tuple[str, ...]
    #: When it began; None: that is not known.
    began_at: float | None = None
    #: When its event loop last came to look; None: it has not begun yet.
    looked_at: float | None = None
    #: Whether it has been given partitions since it began, be it none of them.
    joined: bool = False
    #: Topics that it needs, and that are not there.
    missing_topics: int = 0
    #: Members of its group that are no workers.
    group_strangers: int = 0
    #: For how long a commit may rest while events wait for their retries, as set.
    still_seconds: float = 120.0
    #: None: it is starting.
    work: WorkStatus | None

    def as_json(self) -> bytes:
        """All of it, as one JSON object."""
        return orjson.dumps(self, option=orjson.OPT_INDENT_2)
