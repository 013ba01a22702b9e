"""How many attempts may be under way, learned from how long they take.

More attempts bring more answers until GSTV is busy; beyond that they only wait there. A longer
latency may mean either that they queue, or that GSTV became slower for each. What tells the two
apart is giving way: a queue gets shorter by it, and then the latency falls too.
"""

import math
from dataclasses import dataclass, replace

#: Enough to start with, and not too much for a partner of whom nothing is known.
_FIRST = 16
#: What giving way leaves of the limit.
_LEFT = 0.7
#: Congestion is a latency of more than so many times the base,
_TIMES_BASE = 2.0
#: and so much on top, which our own queues and scheduling may take.
_NOISE_SECONDS = 0.025
#: Giving way helped if it left less than this of the latency; it leaves 0.7 of a pure queue's.
_HELPED = 0.85
#: Giving way shows only a round later, when those that were already under way are through.
_PATIENCE_ROUNDS = 2
#: How far the base follows a congested latency upwards in a round. Much more, and a queue that
#: outlasts a few rounds becomes the base of a longer one.
_DRIFT_CONGESTED = 0.02
#: The same for any other latency, against a base that is the luckiest round of a day.
_DRIFT_CALM = 0.002
#: The same at a limit of one attempt, which finds no queue of ours.
_DRIFT_ALONE = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Concurrency:
    """The limit at one moment; `Concurrency.up_to` makes the first."""

    #: The most attempts under way, ever.
    ceiling: int
    #: The most attempts under way now, from 1 to the ceiling; its fraction only matters for growth.
    limit: float
    #: The latency without a queue, as far as known: the lowest of late; infinite: none seen yet.
    base_seconds: float = math.inf
    #: No congestion and no slow-down were ever seen: the limit doubles.
    doubling: bool = True
    #: The lowest latency since giving way began; None: not giving way.
    lowest_seconds: float | None = None
    #: Calm rounds since giving way last helped.
    unhelped_rounds: int = 0
    #: Whether a slow-down was already answered in this round.
    was_slowed: bool = False

    @classmethod
    def up_to(cls, ceiling: int) -> "Concurrency":
        """What to begin with, of a partner that is not known yet."""
        return cls(ceiling=ceiling, limit=float(min(ceiling, _FIRST)))

    def adjusted(self, *, latency_seconds: float, was_full: bool) -> "Concurrency":
        """The limit after a round: the mean latency, and whether the limit held attempts back.

        A round is as many outcomes as the limit, and at least ten. Only those count that GSTV
        worked for: a refusal that comes at once would pass for an idle partner.
        """
        if not math.isfinite(latency_seconds) or latency_seconds < 0:
            return self
        base = min(self.base_seconds, latency_seconds)
        congested = latency_seconds > _TIMES_BASE * base + _NOISE_SECONDS
        drift = _DRIFT_CONGESTED if congested else _DRIFT_CALM
        if self.limit < 2:
            drift = _DRIFT_ALONE
        base += (latency_seconds - base) * drift
        after = replace(self, base_seconds=base, was_slowed=False)
        lowest = self.lowest_seconds
        helped = lowest is not None and latency_seconds < _HELPED * lowest
        if congested or helped:
            # On while it helps, also when calm: the base itself may have been measured in a queue.
            lowest = latency_seconds if lowest is None or helped else lowest
            return replace(_given_way(after), lowest_seconds=lowest, unhelped_rounds=0)
        if lowest is not None:
            return _waited(after)
        return _grown(after) if was_full and not self.was_slowed else after

    def slowed(self) -> "Concurrency":
        """The limit after GSTV asked to slow down; of the many in a round only the first counts."""
        return self if self.was_slowed else replace(_given_way(self), was_slowed=True)


def _given_way(before: Concurrency) -> Concurrency:
    return replace(before, limit=max(1.0, before.limit * _LEFT), doubling=False)


def _waited(before: Concurrency) -> Concurrency:
    rounds = before.unhelped_rounds + 1
    if rounds < _PATIENCE_ROUNDS:
        return replace(before, unhelped_rounds=rounds)
    return replace(before, lowest_seconds=None, unhelped_rounds=0)


def _grown(before: Concurrency) -> Concurrency:
    more = before.limit if before.doubling else max(1.0, math.sqrt(before.limit))
    return replace(before, limit=min(float(before.ceiling), before.limit + more))
