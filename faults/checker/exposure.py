"""Which events a crash or a rebalance exposed to being done twice.

A record is exposed to a moment if the broker had it by then, its event had been seen by GSTV or
handed on to the retry topic by then, and its offset was not committed yet: whoever takes the
partition over reads it again. Where a moment is a span of time, the record must have been in that
state at some point of it.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import inf

from faults.checker.account import Account, attempts_of, id_of
from faults.checker.moments import CAUSES, Cause, Moment, Timeline, moments_of
from faults.evidence import Record

#: What a worker had sent just before it died may be read by GSTV a little later.
_IN_FLIGHT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Exposure:
    """One record was exposed to so many moments of a cause."""

    cause: Cause
    times: int
    #: What is done again because of them comes after this.
    since: float


# Without slots: what is made once is kept in the object's dictionary.
@dataclass(frozen=True, eq=False)
class Exposures:
    """Tells of each event what it was exposed to."""

    account: Account

    def of(self, pop_id: str) -> list[Exposure]:
        """All exposures of an event: of each of its records, to each cause."""
        found = []
        for record in self._records(pop_id):
            begin, end = self._span(record)
            for cause, timeline in self._timelines.items():
                since = timeline.first(begin, end) if begin < end else None
                if since is not None:
                    found.append(Exposure(cause, timeline.count(begin, end), since))
        return found

    @cached_property
    def total(self) -> Counter[Cause]:
        """How many exposures there were in all: a record and a moment each."""
        total: Counter[Cause] = Counter(dict.fromkeys(CAUSES, 0))
        for role in ("events", "retry"):
            for record in self.account.topics[role]:
                begin, end = self._span(record)
                if begin < end:
                    for cause, timeline in self._timelines.items():
                        total[cause] += timeline.count(begin, end)
        return total

    def _records(self, pop_id: str) -> Iterator[Record]:
        yield from self.account.on_events.get(pop_id, ())
        yield from self.account.on_retry.get(pop_id, ())

    def _span(self, record: Record) -> tuple[float, float]:
        """From when until when a record was there, seen or handed on, and not committed."""
        seen = self.account.first_seen.get(id_of(record), inf)
        began = min(seen - _IN_FLIGHT_SECONDS, self._handed_on_at(record))
        if began == inf:
            return inf, inf
        begin = max(record.timestamp_ms / 1000, began)
        offsets, times = self._commits.get((record.topic, record.partition), ((), ()))
        passed = bisect_right(offsets, record.offset)
        return begin, times[passed] if passed < len(times) else inf

    def _handed_on_at(self, record: Record) -> float:
        """When its event came to the retry topic because of an attempt of this record's."""
        later = [
            each.timestamp_ms / 1000
            for each in self.account.on_retry.get(id_of(record), ())
            if attempts_of(each) > attempts_of(record)
        ]
        return min(later, default=inf)

    @cached_property
    def _timelines(self) -> dict[Cause, Timeline]:
        moments: dict[Cause, list[Moment]] = {cause: [] for cause in CAUSES}
        for moment in moments_of(self.account.evidence):
            moments[moment.cause].append(moment)
        return {cause: Timeline(each) for cause, each in moments.items()}

    @cached_property
    def _commits(self) -> dict[tuple[str, int], tuple[list[int], list[float]]]:
        """Of each partition the commits that went further than all before, and their times."""
        found: dict[tuple[str, int], tuple[list[int], list[float]]] = {}
        for commit in self.account.evidence.commits:
            offsets, times = found.setdefault((commit.topic, commit.partition), ([], []))
            if not offsets or commit.offset > offsets[-1]:
                offsets.append(commit.offset)
                # It came in within that millisecond.
                times.append((commit.at_ms + 1) / 1000)
        return found
