"""Site-local times as moments: which of the two passes of a repeated hour a play was in.

Events write the time of their site without a zone. Once a year an hour comes twice, and once a year
one is left out. What cannot be decided is called ambiguous, and never guessed.

All times here are whole seconds since 1970: `local` ones as the site's clock shows them.
"""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

HOUR: Final = 3600
#: Every zone changes its clock, and every hour of it begins, at a quarter of an hour of UTC.
QUARTER: Final = 900

_LOCAL_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - as a site's clock shows it
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
#: 1900 and 2200: beyond them no zone is known.
_CALENDAR: Final = range(-2_208_988_800, 7_258_118_400)
#: The broker's time decides when the play came so soon after its end (or, by a clock that is a
#: little off, before it). Less than half of any repeated span, so that it never fits both passes.
_SOON: Final = range(-120, 901)


class Mark(StrEnum):
    """Which hour it is, where the clock's face does not say."""

    PLAIN = ""
    FIRST = "first"
    SECOND = "second"
    AMBIGUOUS = "ambiguous"
    #: The clock never showed this time.
    SKIPPED = "skipped"


class How(StrEnum):
    """How the moment of a play was found, or why it was not."""

    NO_ZONE = "no zone"
    PLAIN = "plain"
    #: Only one reading of its two times makes a play of a possible length.
    BY_LENGTH = "by its length"
    #: It was stored soon after its end.
    BY_BROKER = "by the broker's time"
    AMBIGUOUS = "ambiguous"
    SKIPPED = "skipped"


#: Of a play that was not placed, no moment of UTC is known.
NOT_PLACED: Final = frozenset((How.NO_ZONE, How.AMBIGUOUS, How.SKIPPED))


class Placed(NamedTuple):
    """A play on the line of time."""

    #: In UTC; empty where that is not known, two where it is one of two.
    readings: tuple[tuple[int, int], ...]
    length: int
    mark: Mark
    how: How


class SiteClock:
    """The clock of all sites of one zone."""

    def __init__(self, zone: ZoneInfo) -> None:
        """Knows nothing yet; what it finds out of an hour it keeps."""
        self.zone = zone
        #: By local hour: what the clock is ahead of UTC all through it; None when that changes.
        self._steady: dict[int, int | None] = {}

    def moments(self, local: int) -> tuple[int, ...]:
        """In UTC, when the clock shows this: once, twice, or never."""
        steady = self.steady(local // HOUR)
        if steady is not None:
            return (local - steady,)
        before, after = self._offsets(local)
        if before == after:
            return (local - before,)
        return (local - before, local - after) if before > after else ()

    def steady(self, hour: int) -> int | None:
        """How far it is ahead of UTC all through a local hour; None when that changes in it."""
        if hour not in self._steady:
            first, last = (self._offsets(hour * HOUR + seconds) for seconds in (0, HOUR - 1))
            is_steady = first == last and first[0] == first[1]
            self._steady[hour] = first[0] if is_steady else None
        return self._steady[hour]

    def unmoved(self, local: int) -> int:
        """In UTC, when a clock that nobody has moved yet shows this."""
        return local - self._offsets(local)[0]

    def shown(self, moment: int) -> tuple[int, Mark]:
        """What the clock shows at a moment of UTC, and in which pass."""
        at = (_EPOCH + timedelta(seconds=moment)).astimezone(self.zone)
        local = int((at.replace(tzinfo=None) - _LOCAL_EPOCH).total_seconds())
        if len(self.moments(local)) == 2:
            return local, Mark.SECOND if at.fold else Mark.FIRST
        return local, Mark.PLAIN

    def hours_of_day(self, day: int) -> float | None:
        """How many hours a day has; it is given as days since 1970. None: of no calendar."""
        if day * 24 * HOUR not in _CALENDAR:
            return None
        midnights = (_LOCAL_EPOCH + timedelta(days=day + more) for more in (0, 1))
        first, last = (at.replace(tzinfo=self.zone).timestamp() for at in midnights)
        return (last - first) / HOUR

    def name_at(self, moment: int) -> str:
        """What the zone's time is called at a moment of UTC: `CDT`."""
        return (_EPOCH + timedelta(seconds=moment)).astimezone(self.zone).tzname() or ""

    def _offsets(self, local: int) -> tuple[int, int]:
        at = _LOCAL_EPOCH + timedelta(seconds=local)
        before, after = (at.replace(tzinfo=self.zone, fold=fold).utcoffset() for fold in (0, 1))
        return (
            int((before or timedelta()).total_seconds()),
            int((after or timedelta()).total_seconds()),
        )


def place(
    clock: SiteClock | None, start: int, end: int, *, stored: float | None, overlong: float
) -> Placed | None:
    """Find when a play was, of which its site's clock has shown start and end.

    `stored` is when the broker stored it, in epoch seconds; a play of more than `overlong` seconds
    is unlikely. None: it ends before it starts, however it is read.
    """
    if clock is None or start not in _CALENDAR or end not in _CALENDAR:
        return Placed((), end - start, Mark.PLAIN, How.NO_ZONE) if end >= start else None
    starts, ends = clock.moments(start), clock.moments(end)
    if len(starts) == len(ends) == 1:
        began, ended = starts[0], ends[0]
        if ended < began:
            return None
        return Placed(((began, ended),), ended - began, Mark.PLAIN, How.PLAIN)
    if not starts:
        if end < start:
            return None
        began = clock.unmoved(start)
        return Placed(((began, began + end - start),), end - start, Mark.SKIPPED, How.SKIPPED)
    return _decide(starts, ends or (clock.unmoved(end),), stored, overlong)


def _decide(
    starts: tuple[int, ...], ends: tuple[int, ...], stored: float | None, overlong: float
) -> Placed | None:
    possible = [(began, ended) for began in starts for ended in ends if ended >= began]
    if not possible:
        return None
    likely = [one for one in possible if one[1] - one[0] <= overlong] or possible
    how = How.BY_LENGTH if len(starts) > 1 else How.PLAIN
    if len(likely) > 1 and stored is not None:
        soon = [one for one in likely if int(stored - one[1]) in _SOON]
        if len(soon) == 1:
            likely, how = soon, How.BY_BROKER
    shortest = min(ended - began for began, ended in likely)
    if len(likely) > 1:
        return Placed(tuple(likely), shortest, Mark.AMBIGUOUS, How.AMBIGUOUS)
    is_later = likely[0][0] == starts[-1]
    mark = Mark.PLAIN if len(starts) == 1 else Mark.SECOND if is_later else Mark.FIRST
    return Placed(tuple(likely), shortest, mark, how)
