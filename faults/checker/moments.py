"""When work may have been taken from a worker, by a crash or by a rebalance."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from faults.evidence import Evidence

Cause = Literal["crash", "rebalance"]
CAUSES: Final[tuple[Cause, ...]] = ("crash", "rebalance")

#: How long after a worker came or went, or a fault was over, partitions may still move: an
#: interpreter's start, or the session's timeout, and the slowest member's joining again.
_SETTLING_SECONDS = 30.0
#: A worker that ends in order may leave its group so long before its process ends.
_LEAVING_SECONDS = 30.0
#: The runs of the workers tell of these, and more exactly.
_TOLD_BY_RUNS = frozenset(("worker-kill", "worker-stop"))


@dataclass(frozen=True, slots=True)
class Moment:
    """At some point of this span, or at all of them: in epoch seconds, both ends included."""

    cause: Cause
    start: float
    end: float


def moments_of(evidence: Evidence) -> Iterator[Moment]:
    """Find all moments of a run.

    Crash: the end of a worker's run by a signal or with an exit code other than 0, and the
    beginning of any other fault of a worker, which is then as good as dead. Rebalance: around the
    start and the end of every run, and from the beginning of a fault of a worker, of a broker or
    of the group until the group has settled after it.
    """
    for run in evidence.workers:
        yield Moment("rebalance", run.began_at, run.began_at + _SETTLING_SECONDS)
        if run.exit_code is None:
            continue
        if run.exit_code != 0:
            yield Moment("crash", run.ended_at, run.ended_at)
        # Also the death of one moves the partitions of the others, who are asked to join again.
        yield Moment("rebalance", run.ended_at - _LEAVING_SECONDS, run.ended_at + _SETTLING_SECONDS)
    for fault in evidence.faults:
        struck = fault.kind.partition("-")[0]
        if struck not in ("worker", "broker", "group") or fault.kind in _TOLD_BY_RUNS:
            continue
        if struck == "worker":
            yield Moment("crash", fault.began_at, fault.began_at)
        yield Moment("rebalance", fault.began_at, fault.ended_at + _SETTLING_SECONDS)


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
