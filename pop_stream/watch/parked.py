"""Which parked events still wait for somebody: neither settled, nor sent back.

An event that is sent back and fails again is parked anew: its later record counts. One that was
sent back is not parked meanwhile; it is owed on the retry topic.
"""

from collections.abc import Mapping
from typing import NamedTuple

from pop_stream.pop.redrive import Passed, RedriveSchedule, Step, has_passed
from pop_stream.pop.settlement import note_mark
from pop_stream.pop.trail import Headers, Origin, trail_from_own_topic


class Parked(NamedTuple):
    """Where an event is parked. A tuple, for there may be a million."""

    partition: int
    offset: int
    #: When the player's own record was stored, in epoch milliseconds.
    produced_at: int
    #: When its record came to the failure topic, likewise.
    parked_at: int
    #: The step of the schedule whose group would send it back; None: none ever would.
    step: Step | None


class ParkedEvents:
    """The parked events of one failure topic, as far as it was read."""

    def __init__(self, schedule: RedriveSchedule) -> None:
        self._schedule = schedule
        self._parked: dict[str, Parked] = {}
        self._settled: set[str] = set()

    def park(
        self, topic: str, partition: int, offset: int, timestamp: int, headers: Headers
    ) -> None:
        """Note a record of the failure topic; each partition's in order."""
        trail = trail_from_own_topic(headers, Origin(topic, partition, offset, timestamp))
        self._parked[trail.pop_id] = Parked(
            partition, offset, trail.origin.timestamp, timestamp, self._schedule.step_of(headers)
        )

    def mark(self, key: bytes | None, value: bytes | None) -> None:
        """Note a record of the topic of marks."""
        note_mark(self._settled, key, value)

    def sent_back(self, passed: Passed) -> None:
        """Forget those that were sent back; a step passes over what is settled, too."""
        gone = [
            pop_id
            for pop_id, each in self._parked.items()
            if has_passed(passed, each.step, each.partition, each.offset)
            and pop_id not in self._settled
        ]
        for pop_id in gone:
            del self._parked[pop_id]

    def deleted(self, begins: Mapping[int, int]) -> None:
        """Forget those that the topic keeps no more, by the first offset of each partition."""
        gone = [
            pop_id
            for pop_id, each in self._parked.items()
            if each.offset < begins.get(each.partition, 0)
        ]
        for pop_id in gone:
            del self._parked[pop_id]

    def waiting(self) -> list[Parked]:
        """Those that still wait."""
        return [each for pop_id, each in self._parked.items() if pop_id not in self._settled]
