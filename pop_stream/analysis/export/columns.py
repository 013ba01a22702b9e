"""What a table of events tells of each, and on which day an event was played."""

import re
from base64 import b64encode
from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias

from pop_stream.analysis.event_view import EventView, text_of
from pop_stream.pop.trail import redrives_of

#: Where events stand that tell no day.
UNKNOWN_DAY: Final = "unknown"

#: Reason, status, attempt, flags, redrives.
_Said: TypeAlias = tuple[str | None, int | None, int | None, str | None, int | None]
_NOTHING_SAID: Final[_Said] = (None, None, None, None, None)

#: More letters than a day and a time have.
_DAY_AND_MORE: Final = 32
_day_of_text = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[ T].*)?", re.DOTALL).fullmatch


class Row(NamedTuple):
    """One event. Texts are what its player wrote, numbers are ours; None where nothing is told."""

    pop_id: str
    filename: str | None
    assetId: str | None  # noqa: N815 - the event's own names
    ioNumber: str | None  # noqa: N815
    startTimestamp: str | None  # noqa: N815
    endTimestamp: str | None  # noqa: N815
    screenState: str | None  # noqa: N815
    siteId: str | None  # noqa: N815
    screenId: str | None  # noqa: N815
    reason: str | None
    status: int | None
    attempt: int | None
    flags: str | None
    redrives: int | None
    topic: str
    partition: int
    offset: int
    #: In epoch milliseconds.
    stored_at: int | None
    key: str | None
    #: The record's value, when it is UTF-8.
    value: str | None
    #: The record's value, when it is not.
    value_base64: str | None


def row_of(event: EventView) -> Row:
    """One event as a row. What is said of it is believed only where players cannot write."""
    fields, ours = event.fields, event.is_ours
    # The alias is sent to GSTV as ioNumber.
    order_number = "tiNumber" if fields.get("ioNumber") is None else "ioNumber"
    value, value_base64 = _as_text(event.value)
    texts = map(
        fields.get,
        ("filename", "assetId", order_number, "startTimestamp", "endTimestamp", "screenState",
         "siteId", "screenId"),
    )  # fmt: skip
    return Row._make(
        (
            event.pop_id,
            *[told if type(told) is str else text_of(told) for told in texts],
            *(_said_of(event) if ours else _NOTHING_SAID),
            event.topic,
            event.partition,
            event.offset,
            event.timestamp if event.timestamp >= 0 else None,
            event.text("key"),
            value,
            value_base64,
        )
    )


def _said_of(event: EventView) -> _Said:
    return (
        event.text("reason"),
        _number(event.text("status")),
        event.trail.attempts,
        event.text("flags"),
        redrives_of(event.headers),
    )


def day_of(event: EventView) -> str:
    """The day on which it was played, at its site, like 2026-11-20; else UNKNOWN_DAY."""
    start = event.fields.get("startTimestamp")
    # No more than says it: a text is kept for a while, and may be of any length.
    return _day(start[:_DAY_AND_MORE]) if type(start) is str else UNKNOWN_DAY


# Screens play in step, so that the same text comes again and again.
@lru_cache(maxsize=4096)
def _day(start: str) -> str:
    found = _day_of_text(start)
    if found is None:
        return UNKNOWN_DAY
    try:
        date.fromisoformat(found[1])
    except ValueError:
        return UNKNOWN_DAY
    return found[1]


def _as_text(value: bytes | None) -> tuple[str | None, str | None]:
    if value is None:
        return None, None
    try:
        return value.decode(), None
    except UnicodeDecodeError:
        return None, b64encode(value).decode()


def _number(text: str | None) -> int | None:
    # int() alone takes signs, spaces and underscores.
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None
