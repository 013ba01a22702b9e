"""The headers of a play's record, in the order of docs/players.md.

Who sent it, and when the play was, by which clock, and how far that clock is to be trusted. The
event itself has the time on the site's wall, without a zone: in the hour that comes twice a year it
means two moments. These headers leave no doubt.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final, TypeAlias

from pop_stream.pop.moments import CALENDAR, utc

Header: TypeAlias = tuple[str, bytes]
#: All that there are: by these a play is known, and nobody else may set them.
NAMES: Final = frozenset((
    "pop-id", "pop-seq", "pop-boot", "pop-start-utc", "pop-end-utc", "pop-tz", "pop-utcoffset",
    "pop-clock", "pop-mono-ms",
))  # fmt: skip
_MINUTE_MS: Final = 60_000
_SECONDS: Final = tuple(b":%02d" % second for second in range(60))
_FRACTIONS: Final = tuple(b".%03dZ" % ms for ms in range(1000))


def play_headers(pop_id: bytes, seq: int, boot: bytes, times: Iterable[Header]) -> list[Header]:
    """All of them; the id and the start of the player as text, the times as `time_headers`."""
    return [("pop-id", pop_id), ("pop-seq", b"%d" % seq), ("pop-boot", boot), *times]


def time_headers(
    *, started: int, ended: int | None, lasted: int | None, offset: int, zone: str, clock: str
) -> list[Header]:
    """What tells of a play's times; what is not known, or in no calendar, has no header.

    They are as a row of the outbox has them: start and end in epoch milliseconds, by the player's
    wall clock.
    """
    # Better no time than a made-up one: the play goes out all the same.
    start, end = _moment(started), None if ended is None else _moment(ended)
    told = [] if start is None else [("pop-start-utc", start)]
    if end is not None:
        told.append(("pop-end-utc", end))
    told += _of_site(zone, offset, clock)
    if lasted is not None:
        told.append(("pop-mono-ms", b"%d" % lasted))
    return told


@lru_cache(maxsize=1024)
def _of_site(zone: str, offset: int, clock: str) -> tuple[Header, ...]:
    """The headers that are the same for many plays."""
    hours, minutes = divmod(abs(offset), 60)
    return (
        ("pop-tz", zone.encode()),
        ("pop-utcoffset", b"%s%02d:%02d" % (b"-" if offset < 0 else b"+", hours, minutes)),
        ("pop-clock", clock.encode()),
    )


def _moment(epoch_ms: int) -> bytes | None:
    # As `utc` has it, in a fifth of the time: a backlog has many plays of each minute.
    minutes, rest = divmod(epoch_ms, _MINUTE_MS)
    minute = _minute(minutes)
    return minute and minute + _SECONDS[rest // 1000] + _FRACTIONS[rest % 1000]


@lru_cache(maxsize=1024)
def _minute(minutes: int) -> bytes | None:
    begin = minutes * _MINUTE_MS
    return utc(begin)[: len("yyyy-mm-ddTHH:MM")].encode() if begin in CALENDAR else None
