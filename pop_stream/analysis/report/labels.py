"""How hours, days and moments are written in a report."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from pop_stream.analysis.report.hours import Hour
from pop_stream.analysis.report.local_time import HOUR, How, Mark, SiteClock

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MARKS: Final = {
    Mark.PLAIN: "",
    Mark.FIRST: " (first pass)",
    Mark.SECOND: " (second pass)",
    Mark.AMBIGUOUS: " (ambiguous)",
    Mark.SKIPPED: " (skipped by the clock)",
}
OTHERS: Final = "(others)"


def moment(seconds: int) -> str:
    """Seconds since 1970 as a clock shows them."""
    return _shown(seconds)


def day_of(days: int) -> str:
    """Days since 1970."""
    return _shown(days * 24 * HOUR)[: len("yyyy-mm-dd")]


def hour_of(hour: Hour | None, clocks: Sequence[SiteClock]) -> str:
    """An hour of sites' clocks; with one zone, a repeated hour has the name of its time."""
    if hour is None:
        return OTHERS
    face = utc_hour_of(hour.number)
    if len(clocks) == 1 and hour.mark in (Mark.FIRST, Mark.SECOND):
        # The last second: an hour may be repeated in part.
        moments = clocks[0].moments(hour.number * HOUR + HOUR - 1)
        if len(moments) == 2:
            return f"{face} {clocks[0].name_at(moments[hour.mark is Mark.SECOND])}"
    return face + _MARKS[hour.mark]


def utc_hour_of(hour: int | How | None) -> str:
    """An hour of UTC, or why there is none."""
    if hour is None:
        return OTHERS
    if isinstance(hour, How):
        return f"({hour})"
    return f"{_shown(hour * HOUR)[: len('yyyy-mm-dd HH')]}:00"


def _shown(seconds: int) -> str:
    # strftime() writes years before 1000 without their zeros.
    return (_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None).isoformat(" ", "seconds")


def hours_in(day: int, clocks: Sequence[SiteClock]) -> str:
    """How many hours a day has: `24`, `23`, `25`, or several by zone; empty without any zone."""
    lengths = {clock.hours_of_day(day) for clock in clocks}
    return " or ".join(f"{length:g}" for length in sorted(filter(None, lengths)))
