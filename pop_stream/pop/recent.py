"""What the last attempts tell: whether this event is bad, or nothing can be delivered at all."""

from collections import deque
from typing import NamedTuple

from pop_stream.pop.verdict import ABSENT_STATUSES, Reason

#: How many of the last attempts are looked at, and how many of them must have failed. With every
#: second event bad, that happens by chance once in 4,000 attempts; with every fifth, never.
_LAST = 16
_NEARLY_ALL = 15
#: They must be the events of so many screens: one screen's, or two's, may all be bad.
_SCREENS = 3


class Failed(NamedTuple):
    """An attempt that failed."""

    #: The event's key: its screen.
    key: bytes | str
    reason: Reason
    #: None when there was no answer.
    status: int | None = None


class Recent:
    """The last attempts and how they ended; in the beginning all is taken to be well.

    Mutable, since each outcome is entered.
    """

    def __init__(self) -> None:
        #: None: a success.
        self._last: deque[Failed | None] = deque([None] * _LAST, maxlen=_LAST)
        #: How many of the last attempts failed.
        self.failures = 0

    def failed(self, failed: Failed) -> None:
        """Enter an attempt that failed."""
        self._enter(failed)

    def succeeded(self, times: int = 1) -> None:
        """Enter so many successes in a row."""
        # While all are successes one more changes nothing, and more than are looked at neither.
        for _ in range(min(times, _LAST) if self.failures else 0):
            self._enter(None)

    def _enter(self, ended: Failed | None) -> None:
        self.failures += (ended is not None) - (self._last[0] is not None)
        self._last.append(ended)

    @property
    def trouble(self) -> Reason | None:
        """Why nothing can be delivered; None while it looks as if only some events were bad."""
        if self.failures < _NEARLY_ALL:
            return None
        failed = [one for one in self._last if one is not None]
        if len({one.key for one in failed}) < _SCREENS:
            return None
        if all(one.status in ABSENT_STATUSES for one in failed):
            # On a single event it is that event; on everything it is the address that is wrong.
            return Reason.MISCONFIGURED
        reasons = {one.reason for one in failed}
        return reasons.pop() if len(reasons) == 1 else Reason.TRANSIENT
