"""What the contract asks of a player's events: each rule once, with what it asks."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Level(StrEnum):
    """What follows when a rule is broken."""

    #: The player must be mended.
    MUST = "must"
    #: It is possible, the worker forwards it and flags it; much of it is a sign that something is
    #: wrong.
    ODD = "odd"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule."""

    name: str
    asks: str
    level: Level = Level.MUST
    #: Whether it asks something of the record, and not of the event alone.
    of_record: bool = False


def _header(name: str, asks: str, level: Level = Level.MUST) -> Rule:
    return Rule(name, asks, level, of_record=True)


EVENT_JSON: Final = Rule("event-json", "the value is one JSON object, in UTF-8, not too deep")
EVENT_SIZE: Final = Rule("event-size", "an event is not too large")
EVENT_FIELDS: Final = Rule("event-fields", "each required field is there once: a text, not empty")
EVENT_TIMES: Final = Rule("event-times", "times are yyyy-mm-dd HH:MM:SS, by the site's clock")
EVENT_STATE: Final = Rule("event-screen-state", "screenState is Full or Partial, or absent")
EVENT_ORDER: Final = Rule("event-order", "the insertion order is one text, or absent")
EVENT_REPEATED: Final = Rule("event-repeated-field", "no field is there twice")
KEY: Final = _header("key", "the record's key is siteId/screenId")
POP_ID: Final = _header("pop-id", "a header pop-id, once, in the form of a UUID")
POP_ID_V7: Final = _header("pop-id-v7", "the pop-id is a UUIDv7")
POP_ID_UNIQUE: Final = _header("pop-id-unique", "a pop-id is of one event, however often it comes")
POP_SEQ: Final = _header("pop-seq", "pop-seq is a whole number from 1 on, and pop-boot names a "
                                    "start of the player")  # fmt: skip
POP_SEQ_GAP: Final = _header("pop-seq-gap", "of a screen and a boot no number is missing that "
                                            "pop-lost does not declare")  # fmt: skip
POP_SEQ_REUSE: Final = _header("pop-seq-reuse", "of a screen and a boot each number is of one "
                                                "event")  # fmt: skip
POP_LOST: Final = _header("pop-lost", "pop-lost is a JSON list with first and last of each loss")
POP_TIMES: Final = _header("pop-times", "pop-start-utc and pop-end-utc are UTC to the millisecond, "
                                        "2026-11-20T16:00:00.000Z, in this order")  # fmt: skip
POP_ZONE: Final = _header("pop-zone", "pop-tz is an IANA zone, pop-utcoffset is like -06:00")
POP_AGREE: Final = _header("pop-times-agree", "the event's times are those of its headers, at the "
                                              "site")  # fmt: skip
POP_CLOCK: Final = _header("pop-clock", "pop-clock is synced, unsynced, unknown or stepped; "
                                        "pop-mono-ms is whole milliseconds")  # fmt: skip
TRACE: Final = _header("traceparent", "traceparent is that of W3C Trace Context")
RESERVED: Final = _header("reserved-headers", "no header that only pop-stream writes")
SIZE_OF_HEADERS: Final = _header("headers-size", "headers are text, together under 2 KiB")
NO_SEQ: Final = _header("no-pop-seq", "events are numbered: else nobody sees that one is missing",
                        Level.ODD)  # fmt: skip
MINTED: Final = _header("pop-id-time", "the pop-id was made before the event was stored", Level.ODD)
END_BEFORE_START: Final = Rule("end-before-start", "a play ends after its start, but for once a "
                                                   "year", Level.ODD)  # fmt: skip
ZERO_LENGTH: Final = Rule("zero-length", "a play lasts", Level.ODD)
OVERLONG: Final = Rule("overlong", "a play does not last too long", Level.ODD)
IN_THE_FUTURE: Final = Rule("in-the-future", "a play has begun, wherever the site is", Level.ODD)
EXTRA_FIELDS: Final = Rule("extra-fields", "only fields of the owner's document", Level.ODD)

RULES: Final = (
    EVENT_JSON, EVENT_SIZE, EVENT_FIELDS, EVENT_TIMES, EVENT_STATE, EVENT_ORDER, EVENT_REPEATED,
    KEY, POP_ID, POP_ID_V7, POP_ID_UNIQUE, POP_SEQ, POP_SEQ_GAP, POP_SEQ_REUSE, POP_LOST, POP_TIMES,
    POP_ZONE, POP_AGREE, POP_CLOCK, TRACE, RESERVED, SIZE_OF_HEADERS, NO_SEQ, MINTED,
    END_BEFORE_START, ZERO_LENGTH, OVERLONG, IN_THE_FUTURE, EXTRA_FIELDS,
)  # fmt: skip
