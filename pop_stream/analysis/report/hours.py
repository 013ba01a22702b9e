"""Airtime, shared out over the hours in which it was."""

from collections.abc import Iterator
from typing import NamedTuple

from pop_stream.analysis.report.local_time import HOUR, QUARTER, Mark, Placed, SiteClock


class Hour(NamedTuple):
    """An hour as a site's clock shows it."""

    #: Hours since 1970.
    number: int
    mark: Mark = Mark.PLAIN


def local_hours(clock: SiteClock | None, start: int, placed: Placed) -> Iterator[tuple[Hour, int]]:
    """The hours of a play by its site's clock, each with its seconds; the first is its own.

    `start` is what the clock showed, in seconds. A play whose moment is not known has only one.
    """
    number = start // HOUR
    if placed.mark in (Mark.AMBIGUOUS, Mark.SKIPPED):
        yield Hour(number, placed.mark), placed.length
    elif placed.length <= HOUR - start % HOUR and (
        clock is None or not placed.readings or clock.steady(number) is not None
    ):
        yield Hour(number), placed.length
    elif clock is None or not placed.readings:
        for number, seconds in split(start, placed.length):
            yield Hour(number), seconds
    else:
        yield from _by_clock(clock, placed.readings[0])


def _by_clock(clock: SiteClock, reading: tuple[int, int]) -> Iterator[tuple[Hour, int]]:
    at, end = reading
    while True:
        upto = min(at - at % QUARTER + QUARTER, end)
        local, mark = clock.shown(at)
        yield Hour(local // HOUR, mark), upto - at
        if upto >= end:
            return
        at = upto


def split(start: int, length: int) -> Iterator[tuple[int, int]]:
    """Hours since 1970, each with its seconds, of a span that begins at `start` seconds."""
    at, end = start, start + length
    while True:
        upto = min(at - at % HOUR + HOUR, end)
        yield at // HOUR, upto - at
        if upto >= end:
            return
        at = upto
