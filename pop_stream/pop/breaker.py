"""Whether GSTV may be attempted now: the breaker holds every event while it cannot be.

closed     attempts are made
open       none is made until a time; then
half-open  one is made: its outcome closes the breaker, or opens it again for longer
"""

from dataclasses import dataclass, replace
from enum import StrEnum


class State(StrEnum):
    """The breaker's state."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """The breaker at one moment. Times are seconds of any clock that only goes forward."""

    #: The first wait of a probe, and the longest.
    least_seconds: float = 0.5
    most_seconds: float = 30.0
    state: State = State.CLOSED
    #: While open: when the next probe may be made.
    until: float = 0.0
    #: How often it opened since it was last closed.
    openings: int = 0

    def room(self, now: float, in_flight: int) -> int | None:
        """How many attempts may be started now; None: as many as else allowed."""
        match self.state:
            case State.CLOSED:
                return None
            case State.OPEN if now < self.until:
                return 0
            case _:
                return max(0, 1 - in_flight)

    def probing(self) -> "Breaker":
        """The breaker once a probe is under way."""
        return self if self.state is State.CLOSED else replace(self, state=State.HALF_OPEN)

    def held(self, now: float, *, asked: float | None, chance: float) -> "Breaker":
        """The breaker after an attempt that must be held; `asked` is GSTV's own wish in seconds.

        Of the many that may have been in flight together only the first lengthens the wait.
        """
        if self.state is State.OPEN and now < self.until:
            return replace(self, until=max(self.until, now + (asked or 0.0)))
        openings = self.openings + 1
        wait = min(self.least_seconds * 2 ** min(openings - 1, 30), self.most_seconds)
        wait *= 0.8 + 0.4 * chance
        until = now + max(wait, asked or 0.0)
        return replace(self, state=State.OPEN, until=until, openings=openings)

    def answered(self) -> "Breaker":
        """The breaker after GSTV judged an event, whatever it said of it."""
        if self.state is State.OPEN:
            # An attempt from before the opening; the probe decides.
            return self
        return replace(self, state=State.CLOSED, openings=0)
