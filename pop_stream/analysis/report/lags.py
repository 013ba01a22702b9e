"""How long after their end plays came to Kafka: a curve in little memory."""

from collections import Counter
from collections.abc import Sequence
from math import ceil
from typing import Final

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
#: Up to so many seconds, rounded up to so many.
_STEPS: Final = ((2 * _MINUTE, 1), (2 * _HOUR, _MINUTE), (2 * _DAY, 10 * _MINUTE))
_MOST: Final = 400 * _DAY
#: Where the curve is read.
POINTS: Final[Sequence[int]] = (
    1, 2, 5, 10, 30, _MINUTE, 2 * _MINUTE, 5 * _MINUTE, 15 * _MINUTE, 30 * _MINUTE, _HOUR,
    2 * _HOUR, 6 * _HOUR, 12 * _HOUR, _DAY, 2 * _DAY, 5 * _DAY, 10 * _DAY, 30 * _DAY, 90 * _DAY,
)  # fmt: skip
SHARES: Final = (0.5, 0.9, 0.95, 0.99, 0.999, 1.0)


class Lags:
    """Counts of lags: exact to a second up to two minutes, to a minute up to two hours, and so on.

    Rounded up, so that no percentile is told as better than it is.
    """

    def __init__(self) -> None:
        """None yet."""
        self._counts: Counter[int] = Counter()
        #: Stored before their end: the player's clock was ahead.
        self.ahead = 0
        #: Whose lag is not known: no zone, an ambiguous time, or no time of storing.
        self.unknown = 0

    def add(self, seconds: float) -> None:
        """Count one."""
        if seconds < 0:
            self.ahead += 1
            return
        whole = min(ceil(seconds), _MOST)
        step = next((step for upto, step in _STEPS if whole <= upto), _HOUR)
        self._counts[-(-whole // step) * step] += 1

    @property
    def known(self) -> int:
        """How many are on the curve."""
        return self._counts.total()

    def percentile(self, share: float) -> int | None:
        """That share of the plays came within so many seconds; None when there are none."""
        wanted, reached = ceil(share * self.known), 0
        for seconds in sorted(self._counts):
            reached += self._counts[seconds]
            if reached >= wanted:
                return seconds
        return None

    def within(self, seconds: int) -> int:
        """How many came within so many seconds; `seconds` is one of `POINTS`."""
        return sum(count for lag, count in self._counts.items() if lag <= seconds)
