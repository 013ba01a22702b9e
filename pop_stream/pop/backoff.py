"""How long an event waits for its next attempt."""

from dataclasses import dataclass

#: A wait is drawn from this share below to this share above its base, so that events that failed
#: together do not come back together.
_JITTER = 0.2


@dataclass(frozen=True, slots=True)
class Backoff:
    """The base waits in seconds: the n-th before the n-th retry; the last one repeats."""

    seconds: tuple[float, ...] = (1.0, 5.0, 30.0)

    def wait(self, retry: int, chance: float) -> float:
        """Seconds before retry number `retry` (from 1); `chance` is drawn evenly from [0, 1)."""
        base = self.seconds[min(retry, len(self.seconds)) - 1]
        return base * (1 - _JITTER + 2 * _JITTER * chance)
