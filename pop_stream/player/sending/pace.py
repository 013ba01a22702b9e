"""When something is sent, and how much of it at once. Rules only."""

import math
from dataclasses import dataclass, replace
from typing import Final

#: Of so many plays one is the freshest that waits, the others are the oldest.
_FRESH_ONE_IN: Final = 5
#: Jitter needs something to be spread over, also the first time.
_FIRST_SPREAD_SECONDS: Final = 4.0
_LONGEST_SPREAD_SECONDS: Final = 60.0
_SMALLEST_LOT: Final = 16
_LARGEST_LOT: Final = 2000
#: What rounding may take from a whole token.
_ROUNDING: Final = 1e-6


def fresh_share(before: int, plays: int) -> int:
    """How many of the next plays are fresh ones, when so many were sent before.

    So that what is played now is reported during a long backlog, too.
    """
    return (before + plays) // _FRESH_ONE_IN - before // _FRESH_ONE_IN


@dataclass(frozen=True, slots=True)
class Reconnects:
    """How long is waited before Kafka is tried again.

    Full jitter, from the first try on: after an outage a whole region comes back at once.
    """

    #: Tries in a row that were in vain.
    tries: int = 0

    @property
    def spread_seconds(self) -> float:
        """The longest that is waited before the next try."""
        # No more doublings than there are seconds in the longest: far from any overflow.
        doubled = _FIRST_SPREAD_SECONDS * 2.0 ** min(self.tries, 10)
        return min(_LONGEST_SPREAD_SECONDS, doubled)

    def wait(self, chance: float) -> float:
        """Seconds before the next try; `chance` is drawn evenly from [0, 1)."""
        return self.spread_seconds * chance

    def failed(self) -> "Reconnects":
        """After one more try in vain."""
        return replace(self, tries=self.tries + 1)


@dataclass(frozen=True, slots=True)
class LotSize:
    """How many plays are sent together: few at first, and few again where they do not get through.

    Over a bad link a large lot takes longer than anybody waits, however often it is sent.
    """

    plays: int = _SMALLEST_LOT

    def confirmed(self) -> "LotSize":
        """After one that got through."""
        return LotSize(min(_LARGEST_LOT, self.plays * 2))

    def failed(self) -> "LotSize":
        """After one that did not."""
        return LotSize(max(_SMALLEST_LOT, self.plays // 4))


class Rate:
    """A token bucket: how many plays a second may be sent. Times are seconds that only go forward.

    What it lets through comes together, twice a second at most: each lot costs the disk three
    commits, and the disk of a pump is not replaced often.
    """

    def __init__(self, per_second: float | None) -> None:
        """None: as many as Kafka takes."""
        self._per_second = per_second
        self._tokens = 0.0
        self._filled_at = -math.inf

    def room(self, now: float, wanted: int) -> int:
        """How many of those wanted may be sent now."""
        if self._per_second is None:
            return wanted
        return max(0, min(wanted, int(self._fill(now, self._per_second) + _ROUNDING)))

    def take(self, plays: int) -> None:
        """Plays are being sent. Those of a pack come together, and what is too many is owed."""
        self._tokens -= plays

    def ready_in(self, now: float, wanted: int) -> float:
        """Seconds until there is room for those wanted, or for half a second's worth."""
        if self._per_second is None:
            return 0.0
        enough = max(1.0, min(float(wanted), self._per_second / 2))
        return max(0.0, (enough - self._fill(now, self._per_second)) / self._per_second)

    def _fill(self, now: float, per_second: float) -> float:
        if self._filled_at == -math.inf:
            self._tokens, self._filled_at = max(1.0, per_second / 2), now
        gained = max(0.0, now - self._filled_at) * per_second
        self._tokens = min(max(1.0, per_second), self._tokens + gained)
        self._filled_at = max(self._filled_at, now)
        return self._tokens
