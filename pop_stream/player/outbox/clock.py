"""The clocks of a player, and what is known of them."""

import ctypes
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pop_stream.errors import UsageError

#: A wall clock that goes otherwise than the other by more than this was set meanwhile.
STEP_MS: Final = 1500
_UNSYNCHRONISED: Final = 5
#: A day before 1970, as far from UTC as that was anywhere; and the end of 9999.
_FIRST_SECOND: Final = -86_400
_LAST_SECOND: Final = 253_402_214_400
_MINUTE: Final = timedelta(minutes=1)


class Sync(StrEnum):
    """What is known of the wall clock."""

    SYNCED = "synced"
    UNSYNCED = "unsynced"
    UNKNOWN = "unknown"
    #: It was set while the event was played.
    STEPPED = "stepped"


@dataclass(frozen=True, slots=True)
class Clock:
    """Where the time comes from; tests give their own."""

    #: Epoch milliseconds, by the clock that people set.
    wall_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    #: Milliseconds since whenever, by the clock that nobody sets.
    steady_ms: Callable[[], int] = lambda: time.monotonic_ns() // 1_000_000
    sync: Callable[[], Sync] = field(default_factory=lambda: kernel_sync)


class _Timex(ctypes.Structure):
    _fields_ = (("modes", ctypes.c_uint), ("rest", ctypes.c_byte * 512))


def kernel_sync() -> Sync:
    """Whether the kernel says that its clock is kept in time (by NTP or PTP)."""
    adjtimex = _adjtimex()
    state = -1 if adjtimex is None else adjtimex(ctypes.byref(_Timex()))
    if state < 0:
        return Sync.UNKNOWN
    return Sync.UNSYNCED if state == _UNSYNCHRONISED else Sync.SYNCED


@cache
def _adjtimex() -> Callable[..., int] | None:
    try:
        return ctypes.CDLL(None).adjtimex
    except (OSError, AttributeError):
        return None


def zone_of(name: str | None) -> ZoneInfo:
    """The site's zone; without a name, that of this machine. Raises UsageError."""
    told = name or _zone_of_machine()
    try:
        return ZoneInfo(told)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise UsageError(
            f"no time zone {told!r}: give the site's by its IANA name, like America/Chicago"
        ) from error


def _zone_of_machine() -> str:
    place = Path("/etc/localtime").resolve().parts
    if "zoneinfo" in place:
        return "/".join(place[place.index("zoneinfo") + 1 :])
    return "UTC"


class LocalTime(NamedTuple):
    """A moment as a site's clock on the wall shows it."""

    #: `yyyy-mm-dd HH:MM:SS`, as the event tells it.
    text: str
    #: From UTC, in minutes.
    offset: int


def local_time(epoch_ms: int, zone: tzinfo) -> LocalTime:
    """Show a moment at a site. A time before 1970 or after 9999, of a dead clock, is shown too."""
    seconds = min(max(epoch_ms // 1000, _FIRST_SECOND), _LAST_SECOND)
    moment = datetime.fromtimestamp(seconds, zone)
    offset = moment.utcoffset() or timedelta()
    # Several times as fast as strftime().
    text = moment.isoformat(" ", "seconds")[: len("yyyy-mm-dd HH:MM:SS")]
    return LocalTime(text, round(offset / _MINUTE))
