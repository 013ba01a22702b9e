"""The account of one partition of the players' topic: each offset has one outcome, and no other."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from pop_stream.analysis.audit.commits import Done
from pop_stream.analysis.audit.elsewhere import ToldHole
from pop_stream.analysis.audit.sightings import Likenesses, Sightings
from pop_stream.analysis.audit.whereabouts import Known, Outcome, outcome_of
from pop_stream.errors import WorkFailedError

#: Of more ranges than that only the number is kept.
MOST_RANGES = 1000
#: What must not be.
HOLES = (Outcome.GONE, Outcome.MISSING)


class Range(NamedTuple):
    """Offsets from `begin` to before `end`, of one outcome."""

    partition: int
    begin: int
    end: int
    outcome: Outcome


class Bounds(NamedTuple):
    """Which offsets of a partition are accounted for."""

    partition: int
    begin: int
    #: Without it.
    end: int
    #: The first offset that the topic still keeps.
    kept_from: int


class PartitionAccount:
    """Takes the records of one partition in order, and counts what became of each offset."""

    def __init__(
        self,
        bounds: Bounds,
        done: Done,
        known: Sightings | None,
        *,
        holes: Iterable[ToldHole] = (),
    ) -> None:
        """`known` and `holes` are those of this partition; None: nothing is known elsewhere."""
        self.bounds = bounds
        self.counts: Counter[Outcome] = Counter()
        self.holes: list[Range] = []
        self._done = done
        self._known = Sightings(Likenesses()) if known is None else known
        self._next = min(max(bounds.begin, bounds.kept_from), bounds.end)
        self._count_deleted(list(holes))

    def take(self, offset: int, stray: Known | None = None) -> Outcome:
        """Count the record at an offset, and say what became of it.

        `stray` is what is known of its id where no record names its place.
        """
        self._count_gap(self._next, offset)
        self._next = offset + 1
        known = self._known.get(offset) or stray
        outcome = None if known is None else outcome_of(known)
        if outcome is None:
            outcome = Outcome.DELIVERED if self._done.has(offset) else Outcome.OPEN
        self._count(offset, offset + 1, outcome)
        return outcome

    def finish(self) -> None:
        """Count what is left without a record.

        Raises WorkFailedError when not every offset has exactly one outcome: a defect.
        """
        self._count_gap(self._next, self.bounds.end)
        self._next = self.bounds.end
        offsets = max(self.bounds.end - self.bounds.begin, 0)
        if self.counts.total() != offsets:
            raise WorkFailedError(
                f"partition {self.bounds.partition}: {self.counts.total()} outcomes of {offsets} "
                "offsets: the audit itself is wrong"
            )

    def _count_gap(self, begin: int, end: int) -> None:
        """Offsets without a record; of some of which another topic tells that there was one."""
        for first, after in _pieces(begin, end, self._known.within(begin, end)):
            self._count_piece(first, after, Outcome.NO_RECORD)

    def _count_deleted(self, holes: Sequence[ToldHole]) -> None:
        """What the topic keeps no more: what became of it is told by others, or by the commit."""
        begin, end = self.bounds.begin, min(self.bounds.kept_from, self.bounds.end)
        committed = self._done.committed
        alone = [*self._known.within(begin, end), *self._done.beyond]
        edges = [edge for hole in holes for edge in (hole.begin, hole.end)]
        edges += [] if committed is None else [committed]
        for first, after in _pieces(begin, end, alone, edges):
            self._count_piece(first, after, self._fate(first, holes))

    def _count_piece(self, begin: int, end: int, otherwise: Outcome) -> None:
        known = self._known.get(begin)
        if known is not None:
            otherwise = outcome_of(known) or Outcome.DELIVERED
        self._count(begin, end, otherwise)

    def _fate(self, offset: int, holes: Sequence[ToldHole]) -> Outcome:
        told = [hole for hole in holes if hole.begin <= offset < hole.end]
        if told:
            return Outcome.GONE_SETTLED if all(each.settled for each in told) else Outcome.GONE
        if self._done.committed is None or self._done.has(offset):
            # A group that has never committed begins with what is there.
            return Outcome.EXPIRED
        return Outcome.GONE

    def _count(self, begin: int, end: int, outcome: Outcome) -> None:
        self.counts[outcome] += end - begin
        if outcome in HOLES:
            last = self.holes[-1] if self.holes else None
            if last is not None and (last.end, last.outcome) == (begin, outcome):
                self.holes[-1] = last._replace(end=end)
            elif len(self.holes) < MOST_RANGES:
                self.holes.append(Range(self.bounds.partition, begin, end, outcome))


def _pieces(
    begin: int, end: int, alone: Iterable[int], edges: Iterable[int] = ()
) -> Iterator[tuple[int, int]]:
    """Cut offsets at edges; each that is to stand alone is a piece of its own."""
    cuts = {begin, end, *edges} | {edge for one in alone for edge in (one, one + 1)}
    kept = sorted(cut for cut in cuts if begin <= cut <= end)
    return pairwise(kept)
