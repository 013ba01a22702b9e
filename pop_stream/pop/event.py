"""A proof-of-play event as it came from a player, and through which door it goes.

There are three doors and no fourth: forward, forward and flag, quarantine. An event is never
dropped, and its bytes are never altered but for one key: the alias `tiNumber` becomes `ioNumber`.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, NamedTuple, TypeGuard

import orjson

from pop_stream.pop.json_scan import is_deeper_than, top_level_keys
from pop_stream.pop.ordinary import is_ordinary
from pop_stream.pop.play_times import length_of_play

REQUIRED_FIELDS = ("filename", "assetId", "startTimestamp", "endTimestamp", "siteId", "screenId")
_KNOWN_FIELDS = frozenset((*REQUIRED_FIELDS, "ioNumber", "tiNumber", "screenState"))
_SCREEN_STATES = frozenset(("Full", "Partial"))
_MAX_DEPTH = 32
_NO_TIME = timedelta()


class Flag(StrEnum):
    """Odd but possible: the event is forwarded, and flagged."""

    END_BEFORE_START = "end-before-start"
    ZERO_LENGTH = "zero-length"
    OVERLONG = "overlong"
    IN_THE_FUTURE = "in-the-future"
    UNPARSABLE_TIMESTAMP = "unparsable-timestamp"
    UNKNOWN_SCREEN_STATE = "unknown-screen-state"
    OPTIONAL_NOT_STRING = "optional-not-string"
    EXTRA_FIELDS = "extra-fields"
    REPEATED_FIELD = "repeated-field"
    BOTH_ORDER_NUMBERS = "both-order-numbers"
    NO_KEY = "no-key"
    OTHER_KEY = "other-key"


class Fault(StrEnum):
    """Why an event cannot be posted: it is quarantined with its original bytes."""

    UNREADABLE = "unreadable"
    NO_VALUE = "no-value"
    TOO_LARGE = "too-large"
    TOO_DEEP = "too-deep"
    NOT_UTF8 = "not-utf8"
    NOT_JSON = "not-json"
    NOT_AN_OBJECT = "not-an-object"
    REPEATED_REQUIRED_FIELD = "repeated-required-field"
    MISSING_REQUIRED_FIELD = "missing-required-field"
    REQUIRED_FIELD_NOT_STRING = "required-field-not-string"
    REQUIRED_FIELD_EMPTY = "required-field-empty"


class Forward(NamedTuple):
    """The event goes to GSTV. A tuple, since one is made for each event."""

    #: The body of the POST: the record's own bytes, but for the alias.
    body: bytes
    flags: tuple[Flag, ...] = ()


@dataclass(frozen=True, slots=True)
class Quarantine:
    """The event cannot be posted. Its original bytes go to the failure topic at once."""

    fault: Fault
    #: Which field, or what the parser said; never a value of the event.
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """How strictly an event is read."""

    #: False: everything that is a JSON object is forwarded, unflagged.
    validate: bool = True
    #: A larger event is quarantined.
    max_bytes: int = 65_536
    #: A longer play is flagged.
    overlong: timedelta = timedelta(minutes=10)


def is_forwarded_as_it_is(
    value: bytes | None, key: bytes | None, rules: Rules, latest: str
) -> TypeGuard[bytes]:
    """Whether an event is seen at once to go through the first door, as nearly all do.

    False says nothing: `read_event` says it.
    """
    return (
        value is not None
        and rules.validate
        and len(value) <= rules.max_bytes
        and is_ordinary(value, key, overlong=rules.overlong, latest=latest)
    )


def read_event(
    value: bytes | None, key: bytes | None, *, rules: Rules, latest: str
) -> Forward | Quarantine:
    """Say through which door an event goes. `latest` is `latest_local_time()` of about now."""
    if is_forwarded_as_it_is(value, key, rules, latest):
        return Forward(value)
    if value is None:
        return Quarantine(Fault.NO_VALUE)
    if not rules.validate:
        return _read_object(value)
    if len(value) > rules.max_bytes:
        return Quarantine(Fault.TOO_LARGE, f"{len(value)} bytes")
    return _read_closely(value, key, rules=rules, latest=latest)


def _read_closely(
    value: bytes, key: bytes | None, *, rules: Rules, latest: str
) -> Forward | Quarantine:
    try:
        fields = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        if is_deeper_than(value, _MAX_DEPTH):
            return Quarantine(Fault.TOO_DEEP)
        return _unreadable(value, error)
    flags: list[Flag] = []
    fault = _judge_fields(value, fields, flags)
    if fault is not None:
        return fault
    _flag_times(fields, flags, latest=latest, overlong=rules.overlong)
    _flag_key(fields, flags, key)
    return Forward(_without_alias(value, fields), tuple(flags))


def _read_object(value: bytes) -> Forward | Quarantine:
    """Read an event that need only be a JSON object."""
    try:
        fields = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        return _unreadable(value, error)
    if type(fields) is not dict:
        return Quarantine(Fault.NOT_AN_OBJECT)
    return Forward(_without_alias(value, fields))


def _unreadable(value: bytes, error: orjson.JSONDecodeError) -> Quarantine:
    try:
        value.decode()
    except UnicodeDecodeError as not_utf8:
        return Quarantine(Fault.NOT_UTF8, f"byte {not_utf8.start}")
    # The parser's message names a position; what stands there stays unsaid.
    return Quarantine(Fault.NOT_JSON, f"character {error.pos}")


def _judge_fields(value: bytes, fields: Any, flags: list[Flag]) -> Quarantine | None:
    if is_deeper_than(value, _MAX_DEPTH):
        return Quarantine(Fault.TOO_DEEP)
    if type(fields) is not dict:
        return Quarantine(Fault.NOT_AN_OBJECT)
    fault = _required_fault(fields) or _repeated_fault(value, fields, flags)
    if fault is None:
        _flag_fields(fields, flags)
    return fault


def _required_fault(fields: dict[str, Any]) -> Quarantine | None:
    for name in REQUIRED_FIELDS:
        text = fields.get(name)
        if type(text) is not str:
            missing = name not in fields
            fault = Fault.MISSING_REQUIRED_FIELD if missing else Fault.REQUIRED_FIELD_NOT_STRING
            return Quarantine(fault, name)
        if not text:
            return Quarantine(Fault.REQUIRED_FIELD_EMPTY, name)
    return None


def _repeated_fault(value: bytes, fields: dict[str, Any], flags: list[Flag]) -> Quarantine | None:
    # A parser keeps one of two equal keys and says nothing. A repeated key shows as quotes too
    # many: only then is the text walked, which costs ten times the parsing.
    texts = sum(1 for field in fields.values() if type(field) is str)
    if value.count(b'"') == 2 * (len(fields) + texts):
        return None
    seen: set[str] = set()
    for key in top_level_keys(value):
        if key.name not in seen:
            seen.add(key.name)
        elif key.name in REQUIRED_FIELDS:
            return Quarantine(Fault.REPEATED_REQUIRED_FIELD, key.name)
        elif Flag.REPEATED_FIELD not in flags:
            flags.append(Flag.REPEATED_FIELD)
    return None


def _flag_times(
    fields: dict[str, Any], flags: list[Flag], *, latest: str, overlong: timedelta
) -> None:
    start = fields["startTimestamp"]
    length = length_of_play(start, fields["endTimestamp"])
    if length is None:
        flags.append(Flag.UNPARSABLE_TIMESTAMP)
        return
    if length > overlong:
        flags.append(Flag.OVERLONG)
    elif length <= _NO_TIME:
        # An end before the start is legitimate once a year, when an hour is repeated.
        flags.append(Flag.END_BEFORE_START if length else Flag.ZERO_LENGTH)
    if start > latest:
        flags.append(Flag.IN_THE_FUTURE)


def _flag_fields(fields: dict[str, Any], flags: list[Flag]) -> None:
    state = fields.get("screenState", "Full")
    if type(state) is not str or state not in _SCREEN_STATES:
        flags.append(Flag.UNKNOWN_SCREEN_STATE)
    if not fields.keys() <= _KNOWN_FIELDS:
        flags.append(Flag.EXTRA_FIELDS)
    order_numbers = [fields[name] for name in ("ioNumber", "tiNumber") if name in fields]
    if len(order_numbers) == 2:
        flags.append(Flag.BOTH_ORDER_NUMBERS)
    if any(type(number) is not str for number in order_numbers):
        flags.append(Flag.OPTIONAL_NOT_STRING)


def _flag_key(fields: dict[str, Any], flags: list[Flag], key: bytes | None) -> None:
    if key is None:
        flags.append(Flag.NO_KEY)
    elif key != f"{fields['siteId']}/{fields['screenId']}".encode():
        flags.append(Flag.OTHER_KEY)


def _without_alias(value: bytes, fields: dict[str, Any]) -> bytes:
    if "tiNumber" not in fields or "ioNumber" in fields:
        return value
    # Only the key's own bytes are replaced: parsing and writing again would change numbers.
    renamed, copied = [], 0
    for key in top_level_keys(value):
        if key.name == "tiNumber":
            renamed += [value[copied : key.start], b'"ioNumber"']
            copied = key.end
    return b"".join((*renamed, value[copied:]))
