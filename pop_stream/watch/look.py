"""How things stand in Kafka at one moment, as values. Times are epoch seconds."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pop_stream.kafka.group import GroupState, PartitionState


@dataclass(frozen=True, slots=True)
class Owed:
    """The oldest of a topic's records that are still owed to GSTV or to its owner."""

    #: When its event was produced; None: nothing is owed.
    produced_at: float | None
    #: When Kafka may delete it; infinite: nothing is owed, or it is kept for ever.
    deleted_at: float


def owed_of(times: Sequence[tuple[int, int]], retention_seconds: float) -> Owed:
    """Of records that are owed: when each event was produced, and when each record was stored.

    In epoch milliseconds; what was produced at a time that nobody knows (-1), as records that are
    gone, is as old as its record. Kafka deletes whole segments, and so never before that.
    """
    if not times:
        return Owed(None, math.inf)
    stored_at = min(stored for _, stored in times) / 1000
    produced_at = min(stored if produced < 0 else produced for produced, stored in times) / 1000
    return Owed(produced_at, stored_at + retention_seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What was seen."""

    at: float
    #: How long it took to see it.
    seconds: float
    #: Of the topics that are worked on.
    partitions: tuple[PartitionState, ...]
    #: What is owed, by topic.
    owed: Mapping[str, Owed]
    #: How long topics keep records, in seconds; infinite: for ever.
    retention_seconds: Mapping[str, float]
    #: Parked events that wait for somebody.
    parked: int
    group: GroupState

    def lag_of(self, topic: str) -> int:
        """How many records of a topic are not done, at most."""
        return sum(state.lag for state in self.partitions if state.topic == topic)
