"""Plays that a player declares lost, as the header `pop-lost` of a later play of the screen tells.

It is read in one way, by whoever reads it. What a player writes there may be anything.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, NamedTuple

import orjson

HEADER: Final = "pop-lost"
#: All headers of a record are to be less than 2 KiB: what is so much longer is none of ours.
_MOST_BYTES: Final = 16 * 1024
#: As many digits as a `pop-seq` may have.
_MOST: Final = 10**15 - 1
#: The year 9999: later times are not times.
_LATEST_MS: Final = 253_402_300_799_000


class Reason(StrEnum):
    """Why plays are missing."""

    #: There was no room to write them down.
    FULL = "outbox-full"
    #: The disk, or the file system, took no writing.
    FAILED = "write-failed"
    #: The file was damaged, and these could not be read any more.
    DAMAGED = "outbox-damaged"
    #: The end of the file is missing, or all of it.
    CUT_OFF = "outbox-cut-off"


#: For people who do not know the player.
MEANINGS: Final[Mapping[str, str]] = {
    Reason.FULL: "the player's disk, or its outbox, was full",
    Reason.FAILED: "the disk of the player took no writing",
    Reason.DAMAGED: "the player's file was damaged, and these could not be read any more",
    Reason.CUT_OFF: "the end of the player's file is missing, or all of it",
}


class DeclaredLoss(NamedTuple):
    """Numbers of a screen whose plays its player declares lost: from `first` to `last`, both in."""

    first: int
    last: int
    #: As the player says it, and it may know others than ours; empty: it says none.
    reason: str
    #: When they were played, by the player's clock, in epoch milliseconds; None: not known.
    since: int | None
    until: int | None


def read_losses(value: bytes | str) -> tuple[DeclaredLoss, ...] | None:
    """What a header declares; None: it cannot be read, and so nothing of it is believed."""
    if len(value) > _MOST_BYTES:
        return None
    try:
        told = orjson.loads(value)
    except orjson.JSONDecodeError:
        return None
    if type(told) is not list:
        return None
    found = tuple(loss for each in told if (loss := _loss(each)) is not None)
    return found if len(found) == len(told) else None


def _loss(told: Any) -> DeclaredLoss | None:
    if type(told) is not dict:
        return None
    first, last, reason = (told.get(name) for name in ("first", "last", "reason"))
    # Not isinstance(): true is no number here.
    if type(first) is not int or type(last) is not int or not 1 <= first <= last <= _MOST:
        return None
    return DeclaredLoss(
        first=first,
        last=last,
        reason=reason if type(reason) is str else "",
        since=_moment(told.get("since")),
        until=_moment(told.get("until")),
    )


def _moment(told: Any) -> int | None:
    return told if type(told) is int and 0 <= told <= _LATEST_MS else None
