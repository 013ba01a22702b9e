"""When a parked event is sent back by itself: what failed for a while may succeed later."""

from dataclasses import dataclass

from pop_stream.pop.trail import Headers, reason_of, redrives_of
from pop_stream.pop.verdict import Reason


def redrive_group(group: str, step: int) -> str:
    """The consumer group of a step (0 is the first): its commits say what was sent back."""
    return f"{group}-redrive-{step + 1}"


@dataclass(frozen=True, slots=True)
class RedriveSchedule:
    """How long an event stays parked before each redrive. Further redrives wait like the last."""

    #: In seconds; empty: nothing is redriven.
    waits: tuple[int, ...] = ()
    #: The reasons with which events are redriven. Sending others again would change nothing.
    reasons: frozenset[str] = frozenset((Reason.TRANSIENT.value,))

    def step_of(self, headers: Headers) -> int | None:
        """The step (0 is the first) that is to redrive an event; None: a redrive would not help."""
        if not self.waits or reason_of(headers) not in self.reasons:
            return None
        return min(redrives_of(headers), len(self.waits) - 1)

    def due(self, headers: Headers, parked_at: int, *, step: int) -> int | None:
        """When a step is to redrive an event, in epoch milliseconds.

        None: never, because another step does, or because a redrive would not help it.
        `parked_at` is when its record came to the failure topic.
        """
        if self.step_of(headers) != step:
            return None
        return parked_at + self.waits[step] * 1000
