"""Whether a day is complete, by the numbers that players give to the events of each screen.

A player numbers the events of a screen one by one (`pop-seq`). So a number that is missing is an
event that is not here: it waits on the player or on the way, or it is lost. Where the player has
declared it lost, nothing will come of it: it is counted by itself, and not among the missing. A day
is final when no number is missing in it or at its edges, and what came next on each of its screens
is here.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import groupby, pairwise
from operator import attrgetter
from typing import Final, NamedTuple

from pop_stream.analysis.report.spill import SpilledNumber
from pop_stream.analysis.report.tally import OTHERS

#: So many ranges are told one by one: the first. All are counted.
MOST_TOLD: Final = 10_000
#: No player starts anew so often.
_MOST_BOOTS: Final = 1000
#: A range between days that are further apart counts for these two only.
_MOST_DAYS: Final = 31

#: Of a screen and a range of its numbers: what in it is declared lost, as ranges that are apart, in
#: their order. They may begin before the range, and end behind it.
LostWithin = Callable[[int, int, int], Iterable[tuple[int, int]]]


class Why(StrEnum):
    """Why the day of a screen is open."""

    MISSING = "numbers are missing"
    NOTHING_LATER = "nothing later is here yet"
    NOTHING_EARLIER = "nothing earlier is here"
    ANEW = "its numbers began anew, so that the end of the old ones is not known"
    NO_NUMBERS = "its events have no numbers"
    TOO_MANY_BOOTS = "it began anew too often"


class Missing(NamedTuple):
    """Numbers that are not here: from `first` to `last`, both included."""

    screen: int
    boot: str
    first: int
    last: int
    #: When it must have been, in days since 1970; None: that is not known.
    first_day: int | None
    last_day: int | None

    @property
    def number(self) -> int:
        """How many they are."""
        return self.last - self.first + 1


class Incomplete(NamedTuple):
    """A boot of a screen, of whose numbers not all are here."""

    screen: int
    boot: str
    lowest: int
    highest: int
    #: Different numbers that are here.
    seen: int
    #: Of those that are not here, how many are declared lost.
    lost: int = 0


@dataclass(slots=True)
class Day:
    """How complete a day is."""

    screens: int = 0
    #: Different numbers of the day that are here.
    seen: int = 0
    #: Numbers that are missing between two of the day.
    missing: int = 0
    #: Numbers that are missing between one of the day and one of another: some may be of the day.
    missing_at_edge: int = 0
    #: Likewise, of numbers that are declared lost, which are not among the missing.
    lost: int = 0
    lost_at_edge: int = 0
    open_screens: int = 0
    #: Screens by why they are open; one may be open for several reasons.
    why: Counter[Why] = field(default_factory=Counter)

    @property
    def is_final(self) -> bool:
        """Whether nothing of this day can come any more."""
        return self.open_screens == 0


@dataclass(slots=True)
class Numbers:
    """What the numbers tell."""

    days: dict[int, Day] = field(default_factory=dict)
    #: The first ranges that are missing.
    ranges: list[Missing] = field(default_factory=list)
    missing_ranges: int = 0
    missing: int = 0
    #: The first boots of screens that are incomplete.
    incomplete: list[Incomplete] = field(default_factory=list)
    seen: int = 0


class _At(NamedTuple):
    seq: int
    day: int | None


@dataclass(slots=True)
class _Run:
    """The numbers of one boot of one screen."""

    boot: str
    low: _At
    high: _At
    seen: int
    lost: int


class _ScreenDays:
    """The days of one screen."""

    def __init__(self, numbers: Numbers, screen: int, lost_within: LostWithin) -> None:
        self._numbers = numbers
        self._screen = screen
        self._lost_within = lost_within
        self._seen: set[int] = set()
        self._lost: set[int] = set()
        self._why: dict[int, set[Why]] = {}

    def see(self, day: int | None, *, numbers: int = 1) -> None:
        self._numbers.seen += numbers
        if day is not None:
            self._seen.add(day)
            self._day(day).seen += numbers

    def open(self, day: int | None, why: Why) -> None:
        if day is not None:
            self._why.setdefault(day, set()).add(why)

    def miss(self, boot: str, before: _At, after: _At) -> int:
        """What is missing between two numbers that are here. Gives how many are declared lost."""
        first, last = before.seq + 1, after.seq - 1
        if last < first:
            return 0
        days = sorted(day for day in (before.day, after.day) if day is not None)
        first_day, last_day = (days[0], days[-1]) if days else (None, None)
        missing = 0
        for begin, end in self._not_lost(first, last):
            missing += end - begin + 1
            self._note_missing(Missing(self._screen, boot, begin, end, first_day, last_day))
        lost = last - first + 1 - missing
        self._note_lost(lost, first_day, last_day)
        return lost

    def begin(self, low: _At) -> None:
        """What is declared lost before all that is here: it was on the day of that, or earlier."""
        missing = sum(end - begin + 1 for begin, end in self._not_lost(1, low.seq - 1))
        lost = low.seq - 1 - missing
        if lost > 0 and low.day is not None:
            self._lost.add(low.day)
            self._day(low.day).lost_at_edge += lost

    def are_all_lost_before(self, low: _At) -> bool:
        """Whether nothing earlier can come: the first number of all is 1."""
        return next(self._not_lost(1, low.seq - 1), None) is None

    def _not_lost(self, first: int, last: int) -> Iterator[tuple[int, int]]:
        return not_within(first, last, self._lost_within(self._screen, first, last))

    def _note_missing(self, found: Missing) -> None:
        self._numbers.missing += found.number
        self._numbers.missing_ranges += 1
        if len(self._numbers.ranges) < MOST_TOLD:
            self._numbers.ranges.append(found)
        for day in _days_of(found.first_day, found.last_day):
            self.open(day, Why.MISSING)
            if found.first_day == found.last_day:
                self._day(day).missing += found.number
            else:
                self._day(day).missing_at_edge += found.number

    def _note_lost(self, lost: int, first_day: int | None, last_day: int | None) -> None:
        if not lost:
            return
        for day in _days_of(first_day, last_day):
            self._lost.add(day)
            if first_day == last_day:
                self._day(day).lost += lost
            else:
                self._day(day).lost_at_edge += lost

    def close(self) -> None:
        """Count the screen in its days."""
        for day in self._seen | self._lost | self._why.keys():
            whys = self._why.get(day, set())
            counted = self._day(day)
            counted.screens += 1
            counted.open_screens += bool(whys)
            counted.why.update(whys)

    def _day(self, day: int) -> Day:
        return self._numbers.days.setdefault(day, Day())


def not_within(
    first: int, last: int, spans: Iterable[tuple[int, int]]
) -> Iterator[tuple[int, int]]:
    """What of a range is in none of some spans, which are apart and in their order."""
    at = first
    for begin, end in spans:
        if begin > at:
            yield at, begin - 1
        at = max(at, end + 1)
    if at <= last:
        yield at, last


def _days_of(first: int | None, last: int | None) -> Iterable[int]:
    if first is None or last is None:
        return ()
    if last - first > _MOST_DAYS:
        return (first, last)
    return range(first, last + 1)


def _none_lost(screen: int, first: int, last: int) -> Iterable[tuple[int, int]]:  # noqa: ARG001
    return ()


def count_numbers(rows: Iterable[SpilledNumber], lost_within: LostWithin = _none_lost) -> Numbers:
    """Go through numbers: screen by screen, boot by boot, ascending.

    What is declared lost of a screen is so for all its boots: the one that could not keep a play is
    often not the one that tells of it.
    """
    numbers = Numbers()
    for screen, group in groupby(rows, attrgetter("screen")):
        if screen == OTHERS:
            continue
        days = _ScreenDays(numbers, screen, lost_within)
        runs: list[_Run] = []
        for boot, of_boot in groupby(group, attrgetter("boot")):
            run = _run(boot, of_boot, days)
            if run is None:
                continue
            _note_incomplete(numbers, screen, run)
            if len(runs) <= _MOST_BOOTS:
                runs.append(run)
        if runs:
            _join(runs, days)
        days.close()
    return numbers


def _run(boot: str, rows: Iterable[SpilledNumber], days: _ScreenDays) -> _Run | None:
    low: _At | None = None
    at: _At | None = None
    seen = lost = 0
    for row in rows:
        if row.seq is None:
            days.see(row.day, numbers=0)
            days.open(row.day, Why.NO_NUMBERS)
            continue
        if at is not None and row.seq == at.seq:
            continue
        now = _At(row.seq, row.day if row.day is not None or at is None else at.day)
        days.see(now.day)
        seen += 1
        if at is not None:
            lost += days.miss(boot, at, now)
        # What has no readable time is taken for of the day of the next that has one.
        low = now if low is None else low if low.day is not None else low._replace(day=now.day)
        at = now
    return None if low is None or at is None else _Run(boot, low, at, seen, lost)


def _note_incomplete(numbers: Numbers, screen: int, run: _Run) -> None:
    lowest, highest = run.low.seq, run.high.seq
    if highest - lowest + 1 > run.seen and len(numbers.incomplete) < MOST_TOLD:
        numbers.incomplete.append(Incomplete(screen, run.boot, lowest, highest, run.seen, run.lost))


def _join(runs: list[_Run], days: _ScreenDays) -> None:
    """Join the boots of a screen: a player goes on counting, or begins anew with each."""
    runs.sort(key=lambda run: run.low.seq)
    goes_on = all(a.high.seq < b.low.seq for a, b in pairwise(runs))
    if len(runs) > _MOST_BOOTS:
        for run in runs:
            days.open(run.low.day, Why.TOO_MANY_BOOTS)
            days.open(run.high.day, Why.TOO_MANY_BOOTS)
    elif goes_on:
        for before, after in pairwise(runs):
            days.miss(after.boot, before.high, after.low)
        days.begin(runs[0].low)
        _end(runs[0].low, runs[-1].high, Why.NOTHING_LATER, days)
    else:
        runs.sort(key=lambda run: (run.high.day or 0, run.low.day or 0))
        for run in runs[:-1]:
            _end(run.low, run.high, Why.ANEW, days)
        _end(runs[-1].low, runs[-1].high, Why.NOTHING_LATER, days)


def _end(low: _At, high: _At, why: Why, days: _ScreenDays) -> None:
    if not days.are_all_lost_before(low):
        days.open(low.day, Why.NOTHING_EARLIER)
    days.open(high.day, why)
