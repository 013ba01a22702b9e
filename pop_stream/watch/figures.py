"""How numbers, spans and moments are said to people."""

from datetime import UTC, datetime

#: Growth below this many events a second is standing still.
STILL = 0.05

_SPANS = ((86_400, "d"), (3600, "h"), (60, "min"))
_LARGE = ((1e12, "tn"), (1e9, "bn"), (1e6, "M"))
_MINUTE_SECONDS = 60
#: Less than half a day ago there is one such time of day.
_OBVIOUS_SECONDS = 12 * 3600


def span(seconds: float) -> str:
    """How long something takes or lasts, in the largest unit that says it: `4 min`."""
    for size, unit in _SPANS:
        if seconds >= 2 * size:
            return f"{seconds / size:,.0f} {unit}"
    return f"{max(seconds, 0):.0f} s"


def count(number: float) -> str:
    """A whole number, in full: `1,204,331`."""
    return f"{number:,.0f}"


def counted(number: int, noun: str) -> str:
    """So many of what the noun names: `1 event`, `12 events`."""
    return f"{count(number)} {noun}{'' if number == 1 else 's'}"


def short_count(number: float) -> str:
    """A whole number, in at most nine signs: `12.0 M`."""
    for size, unit in _LARGE:
        # Below ten million it is short enough in full.
        if number >= max(size, 1e7):
            return f"{number / size:,.1f} {unit}"
    return count(number)


def rate(per_second: float) -> str:
    """How many in a second; in a minute where that is more than nothing: `512/s`, `3/min`."""
    if per_second >= 10:
        return f"{short_count(per_second)}/s"
    if per_second >= 1:
        return f"{per_second:.1f}/s"
    per_minute = per_second * _MINUTE_SECONDS
    if per_minute >= 0.5:
        return f"{per_minute:.0f}/min"
    return "0/s"


def moment(at: float, now: float) -> str:
    """A moment as the clock shows it, in epoch seconds both; with its day if that is not obvious.

    `03:12:45 UTC`, `2026-11-18 03:12:45 UTC`.
    """
    if abs(now - at) < _OBVIOUS_SECONDS:
        return f"{_utc(at):%H:%M:%S} UTC"
    return full_moment(at)


def full_moment(at: float) -> str:
    """A moment in epoch seconds with its day."""
    return f"{_utc(at):%Y-%m-%d %H:%M:%S} UTC"


def _utc(at: float) -> datetime:
    # What a record says of its time may be beyond any calendar.
    return datetime.fromtimestamp(min(max(at, 0.0), 253_402_300_799.0), UTC)


def forecast(events: int, growth: float | None) -> str:
    """What becomes of a backlog that grows by so many events a second; below 0: it drains.

    None: that is not known yet.
    """
    if not events:
        return "nothing waits"
    if growth is None:
        return "not known yet whether it drains"
    if growth < -STILL:
        return f"drained in about {span(events / -growth)}"
    return "it stands still" if growth <= STILL else f"it grows by {growth * 3600:,.0f} an hour"
