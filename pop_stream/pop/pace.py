"""How many events a second may be started.

Learned from GSTV's "slow down" (429): after one the rate falls to 0.9 of what GSTV accepted,
stays close to that for seconds, then probes ever faster. The shape is that of TCP CUBIC, in
closed form: the rate is a function of the time since the slow-down, and nothing needs a timer.
"""

import math
from dataclasses import dataclass, replace

#: A slow-down takes this share off what was accepted; the same share above it is probed gently.
_SHARE = 0.1
#: From the slow-down until the rate is again what was accepted.
_REGAIN_SECONDS = 5.0
#: Beyond the gentle share the limit must lie far away: the rate doubles in this time.
_DOUBLING_SECONDS = 2.0
#: Slow-downs this soon after one are echoes: events of the same excess, still under way then.
_ECHO_SECONDS = 1.0
#: However often GSTV slows us down, one event a second still asks whether it is over.
_LEAST_PER_SECOND = 1.0
#: A limit beyond this limits nothing.
_MOST_PER_SECOND = 100_000.0
#: So much may be started at once: a batch must not wait for each event's own moment.
_BURST_SECONDS = 0.05
#: What rounding may take from a whole token.
_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """The limit at one moment. Times are seconds of any clock that only goes forward."""

    #: Never more than this, whatever is learned; None: no such limit.
    fixed: float | None = None
    #: Events a second that GSTV accepted around the last slow-down; None: there was none.
    accepted_per_second: float | None = None
    #: When the last slow-down came that was no echo.
    slowed_at: float = 0.0

    def rate(self, now: float) -> float | None:
        """Events a second that may be started; None: as many as else allowed."""
        limits = [limit for limit in (self._learned(now), self.fixed) if limit is not None]
        return min(limits, default=None)

    def slowed(self, now: float, accepted_per_second: float) -> "Pace":
        """The pace after GSTV asked to slow down, having accepted so much of the last second.

        One slow-down halves what is known at most: after a quiet time the last second says little.
        """
        known = self.accepted_per_second
        if known is not None and now - self.slowed_at < _ECHO_SECONDS:
            return self
        accepted = max(_LEAST_PER_SECOND, accepted_per_second, (known or 0.0) / 2)
        return replace(self, accepted_per_second=accepted, slowed_at=now)

    def _learned(self, now: float) -> float | None:
        if self.accepted_per_second is None:
            return None
        elapsed = max(0.0, now - self.slowed_at)
        beyond = (elapsed - 2 * _REGAIN_SECONDS) / _DOUBLING_SECONDS
        if beyond <= 0:
            factor = 1 + _SHARE * ((elapsed - _REGAIN_SECONDS) / _REGAIN_SECONDS) ** 3
        else:
            # Doubling, not the cube: a first second of one accepted event must not cost minutes.
            # Forty doublings are beyond any limit, and far from any overflow.
            factor = (1 + _SHARE) * 2 ** min(beyond, 40.0)
        rate = max(_LEAST_PER_SECOND, self.accepted_per_second * factor)
        return None if rate > _MOST_PER_SECOND else rate


class Bucket:
    """Spreads a rate over time: a token for each event that may be started.

    It is asked with every batch, thousands of times a second, and by its one owner: a new object
    for every answer would cost more than it protects. A rate of 0 gives no room.
    """

    __slots__ = ("_filled_at", "_tokens")

    def __init__(self) -> None:
        self._tokens = math.inf
        self._filled_at = -math.inf

    def room(self, now: float, rate: float) -> int:
        """How many events may be started now."""
        self._fill(now, rate)
        return int(self._tokens + _ROUNDING)

    def take(self, count: int) -> None:
        """Events were started. More than there was room for is forgiven, not owed."""
        self._tokens = max(0.0, self._tokens - count)

    def ready_in(self, now: float, rate: float) -> float:
        """Seconds until at least one event may be started."""
        if self.room(now, rate) >= 1:
            return 0.0
        if rate <= 0:
            return math.inf
        # From the time it was filled, not from now: the two differ if the clock went back.
        return (1 - self._tokens) / rate + max(0.0, self._filled_at - now)

    def _fill(self, now: float, rate: float) -> None:
        burst = max(1.0, rate * _BURST_SECONDS) if rate > 0 else 0.0
        if now > self._filled_at:
            # No time is paid for twice: after a step back nothing is filled until it is made up.
            self._tokens += (now - self._filled_at) * rate if rate > 0 else 0.0
            self._filled_at = now
        self._tokens = min(self._tokens, burst)
