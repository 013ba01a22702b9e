"""Spans of time, half-open: from the first moment up to, and without, the second.

There are two kinds. When an event was *played* is what its player wrote, in the time of its site
and without a zone. When it was *stored* is what Kafka's broker wrote, in UTC.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from os.path import commonprefix
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pop_stream.errors import UsageError

_PLAYED: Final = "%Y-%m-%d %H:%M:%S"
_AGO: Final = re.compile(r"(\d+)(s|m|h|d)")
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


class Played(NamedTuple):
    """When events were played, as they write it: texts that sort as the times do."""

    begin: str = ""
    #: Empty: without an end.
    end: str = ""

    def __contains__(self, start: object) -> bool:
        """Whether a play that began then is one of them."""
        return type(start) is str and self.begin <= start and (not self.end or start < self.end)

    @property
    def prefixes(self) -> tuple[str, ...]:
        """Texts of which the beginning of a play in it always has one; none: nothing can be said.

        They are what both bounds share, and the next letter: that of the first bound, of the
        second, or one in between.
        """
        # Letter by letter is what is meant here.
        shared = commonprefix([self.begin, self.end])  # noqa: RUF071
        if shared in (self.begin, self.end):
            return (shared,) if shared else ()
        first, last = self.begin[len(shared)], self.end[len(shared)]
        return tuple(shared + chr(each) for each in range(ord(first), ord(last) + 1))

    def __str__(self) -> str:
        return f"played {_span(self.begin, self.end)} in the time of its site"


class Stored(NamedTuple):
    """When records were stored, in epoch milliseconds."""

    begin: int | None = None
    end: int | None = None

    def __contains__(self, timestamp: object) -> bool:
        """Whether a record that was stored then is one of them."""
        return (
            type(timestamp) is int
            and (self.begin is None or self.begin <= timestamp)
            and (self.end is None or timestamp < self.end)
        )

    def __str__(self) -> str:
        return f"stored {_span(_utc(self.begin), _utc(self.end))} UTC"


@dataclass(frozen=True, slots=True)
class Clock:
    """What "now" is, and the zone in which times of storing are given."""

    now: datetime
    zone: ZoneInfo


def parse_zone(name: str, option: str = "--zone") -> ZoneInfo:
    """Read the name of a zone that stands in `option`. Raises UsageError."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UsageError(f"{option} {name!r} is no zone: write one like America/Chicago") from error


def parse_played(begin: str | None, end: str | None, *, day: str | None = None) -> Played | None:
    """Read when events were played; None when nothing is said of it. Raises UsageError."""
    if day is not None:
        if begin is not None or end is not None:
            raise UsageError("give either --day, or --played-from and --played-to")
        first = _played(day, "--day")
        if first.time() != datetime.min.time():
            raise UsageError(f"--day {day!r}: write a day like 2026-11-20")
        return Played(first.strftime(_PLAYED), (first + timedelta(days=1)).strftime(_PLAYED))
    if begin is None and end is None:
        return None
    period = Played(
        _played(begin, "--played-from").strftime(_PLAYED) if begin is not None else "",
        _played(end, "--played-to").strftime(_PLAYED) if end is not None else "",
    )
    if period.end and period.end <= period.begin:
        raise UsageError("--played-to is not after --played-from")
    return period


def parse_stored(begin: str | None, end: str | None, clock: Clock) -> Stored | None:
    """Read when records were stored; None when nothing is said of it. Raises UsageError."""
    if begin is None and end is None:
        return None
    period = Stored(
        _moment(begin, "--stored-from", clock) if begin is not None else None,
        _moment(end, "--stored-to", clock) if end is not None else None,
    )
    if period.begin is not None and period.end is not None and period.end <= period.begin:
        raise UsageError("--stored-to is not after --stored-from")
    return period


def _played(text: str, option: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"{option} {text!r} is no time: write 2026-11-20 or '2026-11-20 10:00:00'"
        ) from error
    if moment.tzinfo is not None:
        raise UsageError(
            f"{option} {text!r}: events write the time of their site, without a zone; "
            "for the time at which they came, use --stored-from"
        )
    return moment


def _moment(text: str, option: str, clock: Clock) -> int:
    ago = _AGO.fullmatch(text.removesuffix(" ago"))
    try:
        if ago is not None:
            moment = clock.now - timedelta(seconds=int(ago[1]) * _UNITS[ago[2]])
        else:
            moment = datetime.fromisoformat(text)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=clock.zone)
        return int(moment.timestamp() * 1000)
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"{option} {text!r} is no time: write 2026-11-20, '2026-11-20 10:00', "
            "2026-11-20T10:00:00Z, or how long ago: 90m, 2h, 3d"
        ) from error


def _span(begin: str, end: str) -> str:
    if begin and end:
        return f"from {begin} to before {end}"
    return f"from {begin}" if begin else f"before {end}"


def _utc(milliseconds: int | None) -> str:
    if milliseconds is None:
        return ""
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime(_PLAYED)
