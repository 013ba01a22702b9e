"""When to stop because too much fails."""

from collections import deque
from collections.abc import Iterable
from typing import Final

#: How many of the last are looked at, and how many there must be.
_LAST: Final = 100
_LEAST: Final = 20


class ErrorRate:
    """The last events that were tried."""

    def __init__(self) -> None:
        self._last: deque[bool] = deque(maxlen=_LAST)

    def add(self, failed: Iterable[bool]) -> None:
        """Note events that were tried."""
        self._last.extend(failed)

    def exceeds(self, percent: float) -> bool:
        """Whether more than so many of a hundred of them failed."""
        tried = len(self._last)
        return tried >= _LEAST and sum(self._last) * 100 > percent * tried


def too_many_come_back(came_back: int, sent: int, percent: float) -> bool:
    """Whether more than so many of a hundred events that were sent back are parked again."""
    return sent >= _LEAST and came_back * 100 > percent * sent
