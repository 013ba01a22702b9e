"""When a parked event is sent back by itself: what failed for a while may succeed later."""

from dataclasses import dataclass

from pop_stream.pop.trail import Headers, reason_of, redrives_of
from pop_stream.pop.verdict import Reason


@dataclass(frozen=True, slots=True)
class RedriveSchedule:
    """How long an event stays parked before each redrive. Further redrives wait like the last."""

    #: In seconds; empty: nothing is redriven.
    waits: tuple[int, ...] = ()
    #: The reasons with which events are redriven. Sending others again would change nothing.
    reasons: frozenset[str] = frozenset((Reason.TRANSIENT.value,))

    def due(self, headers: Headers, parked_at: int, *, step: int) -> int | None:
        """When the step (0 is the first) is to redrive an event, in epoch milliseconds.

        None: never, because another step does, or because a redrive would not help it.
        `parked_at` is when its record came to the failure topic.
        """
        if reason_of(headers) not in self.reasons:
            return None
        if min(redrives_of(headers), len(self.waits) - 1) != step:
            return None
        return parked_at + self.waits[step] * 1000
