"""Whether attempts may be started: while nothing can be delivered, everything waits here."""

import logging
import random
import time

from pop_stream.pop.breaker import Breaker, State
from pop_stream.pop.outcome import Answer, NoAnswer, Outcome
from pop_stream.pop.recent import Failed, Recent
from pop_stream.pop.remedies import REMEDIES, TROUBLES
from pop_stream.pop.verdict import Hold, Reason
from pop_stream.watch.status import Held
from pop_stream.watch.tally import Tally

log = logging.getLogger(__name__)


class Gate:
    """The breaker with a clock: it opens and closes, and says so."""

    def __init__(self, tally: Tally, breaker: Breaker) -> None:
        self._breaker = breaker
        self._tally = tally
        self._recent = Recent()
        #: When the way became free, in monotonic seconds.
        self._free_since = time.monotonic()
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

    @property
    def held(self) -> Held | None:
        """Why nothing is delivered, since when, and until when; None while the way is free."""
        breaker = self._breaker
        if breaker.reason is None:
            return None
        epoch = time.time() - time.monotonic()
        return Held(
            reason=breaker.reason.value,
            since=epoch + breaker.since,
            next_probe_at=epoch + breaker.until,
        )

    @property
    def free_since(self) -> float:
        """Since when the way is free, or when it last became so, in epoch seconds."""
        return time.time() - time.monotonic() + self._free_since

    @property
    def counts(self) -> bool:
        """Whether an attempt that ends now is judged. While nothing can be delivered none is."""
        return self._breaker.state is not State.OPEN

    def attempted(self) -> None:
        """An attempt was started."""
        self._breaker = self._breaker.probing()
        self._show()

    def succeeded(self, times: int = 1) -> bool:
        """GSTV has so many events more. Returns whether the way is free again."""
        if self.is_shut:
            return self._close()
        self._recent.succeeded(times)
        return False

    def failed(self, failed: Failed, outcome: Outcome, *, is_first: bool = True) -> bool:
        """An attempt failed, and counted. Returns whether the way is free again.

        Of an event only the first attempt tells whether anything can be delivered: where all good
        events are through and some bad ones come back again and again, nearly everything fails.
        """
        match self._breaker.state:
            case State.HALF_OPEN if self._breaker.is_cleared_by(failed.reason, failed.status):
                return self._close()
            case State.HALF_OPEN:
                self._open(self._breaker.reason or failed.reason, outcome, asked=None)
            case State.CLOSED if is_first:
                self._enter(failed, outcome)
            case _:
                pass
        return False

    def hold(self, hold: Hold, key: bytes | str, outcome: Outcome) -> None:
        """An attempt failed that does not count."""
        if hold.reason is Reason.SLOW_DOWN and hold.seconds is None and not self.is_shut:
            # GSTV did not say for how long: fewer events a second may be all that it wants.
            self._enter(Failed(key, hold.reason, told(outcome)[0]), outcome)
        else:
            self._open(hold.reason, outcome, asked=hold.seconds)

    def _enter(self, failed: Failed, outcome: Outcome) -> None:
        self._recent.failed(failed)
        trouble = self._recent.trouble
        if trouble is not None:
            self._open(trouble, outcome, asked=None)

    def _open(self, reason: Reason, outcome: Outcome, *, asked: float | None) -> None:
        now = time.monotonic()
        before = self._breaker
        self._breaker = before.opened(now, reason, asked=asked, chance=random.random())  # noqa: S311
        self.is_shut = True
        self._show()
        if self._breaker.openings != before.openings:
            status, error = told(outcome)
            log.log(
                logging.ERROR if reason is Reason.MISCONFIGURED else logging.WARNING,
                "delivery.held",
                extra={"reason": reason.value, "status": status, "error": error,
                       "held_seconds": round(now - self._breaker.since, 3),
                       "next_probe_seconds": round(self._breaker.until - now, 3),
                       "remedy": f"{TROUBLES[reason]}: {REMEDIES[reason]}"},
            )  # fmt: skip

    def _show(self) -> None:
        self._tally.circuit = self._breaker.state
        if self._breaker.reason is Reason.SLOW_DOWN:
            self._tally.throttled.run()
        else:
            self._tally.throttled.stop()

    def _close(self) -> bool:
        before, self._breaker = self._breaker, self._breaker.closed()
        if self._breaker.state is not State.CLOSED:
            return False
        self._recent = Recent()
        self._free_since = time.monotonic()
        self.is_shut = False
        self._show()
        held = round(time.monotonic() - before.since, 3)
        log.warning("delivery.resumed", extra={"held_seconds": held})
        return True


def told(outcome: Outcome) -> tuple[int | None, str]:
    """The status of an outcome, if it has one, and what else there is to say."""
    match outcome:
        case Answer(status=status):
            return status, ""
        case NoAnswer(trouble=trouble, detail=detail):
            return None, f"{trouble}: {detail}" if detail else str(trouble)
