"""How fast a count grows."""

from collections import deque

_WINDOW_SECONDS = 2.0


class Rate:
    """The growth of a count over the last two seconds."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def per_second(self, seconds: float, count: int) -> float:
        """Take the count at a time and say how fast it has grown."""
        self._seen.append((seconds, count))
        while len(self._seen) > 2 and self._seen[1][0] <= seconds - _WINDOW_SECONDS:
            self._seen.popleft()
        then, count_then = self._seen[0]
        return (count - count_then) / (seconds - then) if seconds > then else 0.0
