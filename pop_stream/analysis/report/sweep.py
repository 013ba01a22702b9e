"""What the plays of each screen, in order, tell: gaps, overlaps, and the same play twice."""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import count, groupby
from operator import attrgetter
from typing import Final, NamedTuple

from pop_stream.analysis.report.spill import SpilledPlay
from pop_stream.analysis.report.tally import OTHERS

#: So many gaps and overlaps are told one by one: the longest. All are counted.
MOST_TOLD: Final = 10_000


class Span(NamedTuple):
    """A gap or an overlap on a screen; times are in seconds since 1970."""

    screen: int
    begin: int
    end: int
    #: Of a gap, how long others of its site played meanwhile.
    seconds: int


@dataclass(slots=True)
class Longest:
    """Spans: all are counted, and the longest are kept."""

    number: int = 0
    seconds: int = 0
    _heap: list[tuple[int, int, Span]] = field(default_factory=list)
    _ticket: Iterator[int] = field(default_factory=lambda: count(0, -1))

    def add(self, span: Span) -> None:
        """Count it."""
        self.number += 1
        self.seconds += span.seconds
        # Of equally long ones those that came first are kept.
        item = (span.seconds, next(self._ticket), span)
        if len(self._heap) < MOST_TOLD:
            heapq.heappush(self._heap, item)
        else:
            heapq.heappushpop(self._heap, item)

    def told(self) -> list[Span]:
        """Those that are kept, the longest first."""
        return [span for _, _, span in sorted(self._heap, reverse=True)]


@dataclass(slots=True)
class Swept:
    """What was found."""

    gaps: Longest = field(default_factory=Longest)
    overlaps: Longest = field(default_factory=Longest)
    #: Further plays of the same site, screen, asset and start.
    twice: int = 0
    #: Of these, those under another id than one before.
    twice_under_another_id: int = 0


@dataclass(slots=True)
class _Screen:
    """How far a screen is."""

    reach: int
    #: How long the site had been silent until then, in sum.
    silence: int
    #: Whether its last play was surely then.
    is_sure: bool = False


@dataclass(slots=True)
class _Site:
    """How far a site is."""

    begin: int
    reach: int
    silence: int = 0
    screens: dict[int, _Screen] = field(default_factory=dict)


class _Same(NamedTuple):
    """Plays of one screen and asset that have the same start: one, as far as anybody can tell."""

    screen: int
    start: int
    end: int
    is_sure: bool


def sweep(plays: Iterable[SpilledPlay], *, gap_seconds: int) -> Swept:
    """Go through plays, site by site and in the order of their starts.

    A gap is a time without a play on a screen, of which more than `gap_seconds` passed while others
    of its site played: pauses of the whole site, longer than that, are nobody's gap.
    """
    swept = Swept()
    for site, group in groupby(plays, attrgetter("site")):
        if site != OTHERS:
            _sweep_site(group, gap_seconds, swept)
    return swept


def _sweep_site(plays: Iterable[SpilledPlay], gap_seconds: int, swept: Swept) -> None:
    site: _Site | None = None
    for key, group in groupby(plays, lambda play: (play.start, play.screen, play.asset)):
        start, screen, _ = key
        if screen == OTHERS:
            continue
        site = site or _Site(begin=start, reach=start)
        if start - site.reach > gap_seconds:
            site.silence += start - site.reach
        one = _one(group, swept)
        site.reach = max(site.reach, one.end)
        known = site.screens.setdefault(screen, _Screen(site.begin, 0))
        _note_gap(swept, screen, known, (start, site.silence), gap_seconds)
        _note_overlap(swept, known, one)
        if one.end >= known.reach:
            known.reach, known.silence, known.is_sure = one.end, site.silence, one.is_sure
    if site is not None:
        for screen, known in site.screens.items():
            _note_gap(swept, screen, known, (site.reach, site.silence), gap_seconds)


def _one(same: Iterable[SpilledPlay], swept: Swept) -> _Same:
    """Take plays of the same screen, asset and start for one, and count those beyond the first."""
    first = previous = None
    end = 0
    for play in same:
        first = first or play
        end = max(end, play.end)
        if previous is not None and play.is_sure and previous.is_sure:
            swept.twice += 1
            swept.twice_under_another_id += play.pop_id != previous.pop_id
        previous = play
    assert first is not None  # noqa: S101 - groups are never empty
    return _Same(first.screen, first.start, end, first.is_sure)


def _note_gap(
    swept: Swept, screen: int, known: _Screen, now: tuple[int, int], gap_seconds: int
) -> None:
    at, silence = now
    missed = at - known.reach - (silence - known.silence)
    if missed > gap_seconds:
        swept.gaps.add(Span(screen, known.reach, at, missed))


def _note_overlap(swept: Swept, known: _Screen, one: _Same) -> None:
    upto = min(known.reach, one.end)
    # What may have been at another time is not told to overlap.
    if upto > one.start and known.is_sure and one.is_sure:
        swept.overlaps.add(Span(one.screen, one.start, upto, upto - one.start))


def repeats(plays: Iterable[SpilledPlay]) -> Iterator[SpilledPlay]:
    """Of plays in the order of their ids, those whose id was there before."""
    last: bytes | None = None
    for play in plays:
        if play.pop_id == last:
            yield play
        last = play.pop_id
