"""The headers that tell when a play was, by which clock, and how far that clock is to be trusted.

The event itself has the time on the site's wall, without a zone: in the hour that comes twice a
year it means two moments. These headers leave no doubt.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
#: The years 1 to 9999: a clock may say anything.
_FIRST_MS: Final = -62_135_596_800_000
_LAST_MS: Final = 253_402_300_799_999


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayTimes:
    """When a play was; by the player's wall clock where nothing else is said."""

    #: In epoch milliseconds, as is `ended`.
    started: int
    ended: int
    #: Milliseconds by a clock that nobody sets; None when that is not known.
    lasted: int | None
    #: Of the site, from UTC, in minutes, at the start.
    offset: int
    #: By its IANA name.
    zone: str
    #: What is known of the wall clock (`outbox.clock.Sync`).
    clock: str


def time_headers(times: PlayTimes) -> list[tuple[str, bytes]]:
    """The headers, in the order of docs/players.md."""
    told = [
        ("pop-start-utc", utc_text(times.started)),
        ("pop-end-utc", utc_text(times.ended)),
        ("pop-tz", times.zone),
        ("pop-utcoffset", offset_text(times.offset)),
        ("pop-clock", times.clock),
    ]
    if times.lasted is not None:
        told.append(("pop-mono-ms", str(times.lasted)))
    return [(name, value.encode()) for name, value in told]


def utc_text(epoch_ms: int) -> str:
    """A moment as ISO 8601 writes it, in UTC: 2026-11-20T16:00:00.000Z."""
    moment = _EPOCH + timedelta(milliseconds=min(max(epoch_ms, _FIRST_MS), _LAST_MS))
    # Several times as fast as strftime().
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def offset_text(minutes: int) -> str:
    """An offset from UTC: -06:00."""
    hours, rest = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours:02d}:{rest:02d}"
