"""Whether GSTV may be attempted now: the breaker holds every event while it cannot be.

closed     attempts are made
open       none is made until a time; then
half-open  one is made, and judged like any other: a success closes the breaker, a failure opens
           it again for longer
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from pop_stream.pop.verdict import ABSENT_STATUSES, Reason

#: A wait is drawn from this share below to this share above, so that workers do not probe together.
_JITTER = 0.2


class State(StrEnum):
    """The breaker's state."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """The breaker at one moment. Times are seconds of any clock that only goes forward."""

    #: The first wait for a probe, and the longest, give or take 20 %.
    least_seconds: float = 1.0
    most_seconds: float = 30.0
    state: State = State.CLOSED
    #: Why it is not closed; None while it is.
    reason: Reason | None = None
    #: Since when it has not been closed.
    since: float = 0.0
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

    def opened(
        self, now: float, reason: Reason, *, asked: float | None, chance: float
    ) -> "Breaker":
        """The breaker after an attempt that shows that nothing can be delivered.

        `asked` is GSTV's own wish in seconds; `chance` is drawn evenly from [0, 1). Of the many
        that may have been in flight together only the first lengthens the wait.
        """
        if self.state is State.OPEN and now < self.until:
            return replace(self, until=max(self.until, now + (asked or 0.0)))
        openings = self.openings + 1
        wait = min(self.least_seconds * 2 ** min(openings - 1, 30), self.most_seconds)
        wait *= 1 - _JITTER + 2 * _JITTER * chance
        return replace(
            self,
            state=State.OPEN,
            reason=reason,
            since=now if self.state is State.CLOSED else self.since,
            until=now + max(wait, asked or 0.0),
            openings=openings,
        )

    def closed(self) -> "Breaker":
        """The breaker after a success. One from before the opening says nothing: the probe does."""
        if self.state is State.OPEN:
            return self
        return replace(self, state=State.CLOSED, reason=None, openings=0)

    def is_cleared_by(self, reason: Reason, status: int | None) -> bool:
        """Whether a probe that failed so shows that events can be delivered again.

        GSTV's refusal of that one event does: it reads events. Unless refusals are what opened the
        breaker, or the answer is one of those that a wrong address gives too.
        """
        return (
            reason is Reason.REJECTED
            and self.reason is not Reason.REJECTED
            and status not in ABSENT_STATUSES
        )
