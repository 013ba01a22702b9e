"""Whether attempts may be started: while nothing can be delivered, everything waits here."""

import logging
import random
import time

from pop_stream.pop.breaker import Breaker, State
from pop_stream.pop.outcome import Answer, NoAnswer, Outcome
from pop_stream.pop.verdict import Reason
from pop_stream.watch.metrics import Tally

log = logging.getLogger(__name__)


class Gate:
    """The breaker with a clock: it opens and closes, and says so."""

    def __init__(self, tally: Tally) -> None:
        self._breaker = Breaker()
        self._tally = tally
        #: Whether attempts are held back. A field, for it is asked with every event.
        self.is_shut = False

    def room(self, in_flight: int) -> int | None:
        """How many attempts may be started now; None: as many as else allowed."""
        return self._breaker.room(time.monotonic(), in_flight) if self.is_shut else None

    @property
    def opens_in(self) -> float | None:
        """Seconds until the next probe; None when no time has to pass before an attempt."""
        if self._breaker.state is not State.OPEN:
            return None
        seconds = self._breaker.until - time.monotonic()
        return seconds if seconds > 0 else None

    def attempted(self) -> None:
        """An attempt was started."""
        self._breaker = self._breaker.probing()

    def judged(self, outcome: Outcome) -> None:
        """An attempt counted. An answer shows that GSTV is back; a probe without one does not."""
        if self._breaker.state is State.CLOSED:
            return
        if isinstance(outcome, NoAnswer):
            if self._breaker.state is State.HALF_OPEN:
                self.hold(Reason.UNREACHABLE, outcome, asked=None)
            return
        self._breaker = self._breaker.answered()
        if self._breaker.state is State.CLOSED:
            self.is_shut = self._tally.circuit_open = False
            log.warning("delivery.resumed")

    def hold(self, reason: Reason, outcome: Outcome, *, asked: float | None) -> None:
        """Start no attempt for a while; `asked` is GSTV's own wish in seconds."""
        now = time.monotonic()
        before = self._breaker.openings
        self._breaker = self._breaker.held(now, asked=asked, chance=random.random())  # noqa: S311
        self.is_shut = self._tally.circuit_open = True
        if self._breaker.openings != before:
            status, error = told(outcome)
            log.warning(
                "delivery.held",
                extra={"reason": reason.value, "status": status, "error": error,
                       "next_probe_seconds": round(self._breaker.until - now, 3)},
            )  # fmt: skip


def told(outcome: Outcome) -> tuple[int | None, str]:
    """The status of an outcome, if it has one, and what else there is to say."""
    match outcome:
        case Answer(status=status):
            return status, ""
        case NoAnswer(trouble=trouble, detail=detail):
            return None, f"{trouble}: {detail}" if detail else str(trouble)
