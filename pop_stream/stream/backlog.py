"""What is on this worker's partitions from their first unfinished events on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pop_stream.stream.ledger import Place, Standing
from pop_stream.watch.history import Backlog


@dataclass(frozen=True, slots=True)
class Backlogs:
    """The backlog of each partition, when Kafka was last asked where they end.

    As in `pop_stream.kafka.backlog`, some of it may be finished, behind an event that is not.
    """

    events: Mapping[Place, int]
    #: In epoch seconds.
    at: float
    #: Counts the assignments.
    assignment: int

    @classmethod
    def seen(
        cls, ends: Mapping[Place, int], standings: Iterable[Standing], *, at: float, assignment: int
    ) -> "Backlogs":
        """Work out the backlogs from where the partitions end, and how far they are."""
        events = {
            # A partition may be further than it was when its end was read.
            place: max(ends[place] - offset, 0)
            for place, _, offset, _, _ in standings
            if offset is not None and place in ends
        }
        return cls(events, at, assignment)

    def of(self, places: Iterable[Place], assignment: int) -> Backlog | None:
        """All partitions of an assignment together; None: they were not looked at since.

        One whose commit could not be read counts from its first record on.
        """
        if assignment != self.assignment:
            return None
        return Backlog(sum(self.events.get(place, 0) for place in places), self.at, assignment)
