"""When work may have been taken from a worker, by a crash or by a rebalance."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from faults.evidence import Evidence

Cause = Literal["crash", "rebalance"]
CAUSES: Final[tuple[Cause, ...]] = ("crash", "rebalance")

#: How long after a fault of the brokers, or of a worker's way to them, it may still come to a
#: rebalance: the clients back off.
_RECOVERING_SECONDS = 40.0
#: How late a worker may hear that a rebalance is over, and stop.
_HEARING_SECONDS = 5.0
#: After these a worker does not know what has become of its partitions, and goes on for a while.
_FROZEN_OR_CUT = frozenset(("worker-pause", "worker-freeze", "worker-cut"))


@dataclass(frozen=True, slots=True)
class Moment:
    """At some point of this span, or at all of them: in epoch seconds, both ends included."""

    cause: Cause
    start: float
    end: float


def moments_of(evidence: Evidence) -> Iterator[Moment]:
    """Find all moments of a run.

    Crash: the end of a worker's run by a signal or with an exit code other than 0, and the
    beginning of a worker's being frozen or cut off, when it is as good as dead.
    Rebalance: its end, as the broker dates it, since nobody who had owned a partition before can
    commit after that. And when one comes while a worker is frozen, cut off, or without its
    brokers, or soon after: from the beginning of that, for such a worker may go on with what it
    holds, until it hears that it does not own it any more.
    """
    changes = [each.at_ms / 1000 for each in evidence.generations]
    for at in changes:
        # Within that millisecond.
        yield Moment("rebalance", at, at + 0.001)
    for run in evidence.workers:
        if run.exit_code not in (None, 0):
            yield Moment("crash", run.ended_at, run.ended_at)
    for fault in evidence.faults:
        if fault.kind in _FROZEN_OR_CUT:
            yield Moment("crash", fault.began_at, fault.began_at)
        if fault.kind in _FROZEN_OR_CUT or fault.kind.startswith(("broker-", "group-")):
            until = fault.ended_at + _RECOVERING_SECONDS
            last = max((at for at in changes if fault.began_at <= at <= until), default=None)
            if last is not None:
                yield Moment("rebalance", fault.began_at, last + _HEARING_SECONDS)


class Timeline:
    """The moments of one cause, to be asked which of them touch a span of time."""

    def __init__(self, moments: Iterable[Moment]) -> None:
        spans = [(moment.start, moment.end) for moment in moments]
        self._starts = sorted(start for start, _ in spans)
        self._ends = sorted(end for _, end in spans)

    def count(self, begin: float, end: float) -> int:
        """How many touch a span that is not empty; its end does not belong to it."""
        # Those that start before its end, but for those that are over before its begin.
        return bisect_left(self._starts, end) - bisect_left(self._ends, begin)

    def first(self, begin: float, end: float) -> float | None:
        """The first point of a span at which there is a moment; None when there is none."""
        if not self.count(begin, end):
            return None
        started = bisect_right(self._starts, begin)
        if started > bisect_left(self._ends, begin):
            return begin
        return self._starts[started]
