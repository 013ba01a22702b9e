"""A proof-of-play event as it came from a player, and through which door it goes.

There are three doors and no fourth: forward, forward and flag, quarantine. An event is never
dropped, and its bytes are never altered but for one key: the alias `tiNumber` becomes `ioNumber`.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from operator import itemgetter
from typing import Any, NamedTuple

import orjson

from pop_stream.pop.json_scan import is_deeper_than, top_level_keys

REQUIRED_FIELDS = ("filename", "assetId", "startTimestamp", "endTimestamp", "siteId", "screenId")
_KNOWN_FIELDS = frozenset((*REQUIRED_FIELDS, "ioNumber", "tiNumber", "screenState"))
_PLAIN_FIELDS = _KNOWN_FIELDS - {"tiNumber"}
_ONLY_TEXTS = {str}
_SCREEN_STATES = frozenset(("Full", "Partial"))
_MAX_DEPTH = 32
_SEPARATORS = itemgetter(4, 7, 10, 13, 16)
_EXPECTED_SEPARATORS = ("-", "-", " ", ":", ":")
#: No zone is ahead of UTC by more: a site-local time later than now by this much is in the future
#: wherever the site stands. Five minutes more for clocks that are a little off.
_FUTURE = timedelta(hours=14, minutes=5)


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


def latest_local_time(now: datetime) -> str:
    """The latest site-local time, anywhere, that is not in the future, as an event writes it."""
    return (now.astimezone(UTC) + _FUTURE).strftime("%Y-%m-%d %H:%M:%S")


def read_event(
    value: bytes | None, key: bytes | None, *, rules: Rules, latest: str
) -> Forward | Quarantine:
    """Say through which door an event goes. `latest` is `latest_local_time()` of about now."""
    if value is None:
        return Quarantine(Fault.NO_VALUE)
    if rules.validate and len(value) > rules.max_bytes:
        return Quarantine(Fault.TOO_LARGE, f"{len(value)} bytes")
    try:
        fields = orjson.loads(value)
    except orjson.JSONDecodeError as error:
        return _unreadable(value, error, validate=rules.validate)
    flags: list[Flag] = []
    if not (rules.validate and _is_plain(value, fields)):
        fault = _judge_fields(value, fields, flags, validate=rules.validate)
        if fault is not None:
            return fault
    if rules.validate:
        _flag_times(fields, flags, latest=latest, overlong=rules.overlong)
        _flag_key(fields, flags, key)
    return Forward(_without_alias(value, fields), tuple(flags))


def _unreadable(value: bytes, error: orjson.JSONDecodeError, *, validate: bool) -> Quarantine:
    if validate and is_deeper_than(value, _MAX_DEPTH):
        return Quarantine(Fault.TOO_DEEP)
    try:
        value.decode()
    except UnicodeDecodeError as not_utf8:
        return Quarantine(Fault.NOT_UTF8, f"byte {not_utf8.start}")
    # The parser's message names a position; what stands there stays unsaid.
    return Quarantine(Fault.NOT_JSON, f"character {error.pos}")


def _is_plain(value: bytes, fields: Any) -> bool:
    """Whether there is nothing to find fault with in the fields themselves, as in most events.

    `_judge_fields` would say so too, at three times the cost.
    """
    return (
        type(fields) is dict
        and _PLAIN_FIELDS.issuperset(fields)
        # With nothing but required and optional fields, the number tells that none is missing.
        and len(fields) - ("ioNumber" in fields) - ("screenState" in fields) == len(REQUIRED_FIELDS)
        and set(map(type, fields.values())) == _ONLY_TEXTS
        and all(fields.values())
        and value.count(b'"') == 4 * len(fields)
        and fields.get("screenState", "Full") in _SCREEN_STATES
    )


def _judge_fields(
    value: bytes, fields: Any, flags: list[Flag], *, validate: bool
) -> Quarantine | None:
    if validate and is_deeper_than(value, _MAX_DEPTH):
        return Quarantine(Fault.TOO_DEEP)
    if type(fields) is not dict:
        return Quarantine(Fault.NOT_AN_OBJECT)
    if not validate:
        return None
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
    start_text, end_text = fields["startTimestamp"], fields["endTimestamp"]
    start, end = _parse_time(start_text), _parse_time(end_text)
    if start is None or end is None:
        flags.append(Flag.UNPARSABLE_TIMESTAMP)
        return
    if end < start:
        # Legitimate once a year, when the clocks go back and an hour is repeated.
        flags.append(Flag.END_BEFORE_START)
    elif end == start:
        flags.append(Flag.ZERO_LENGTH)
    elif end - start > overlong:
        flags.append(Flag.OVERLONG)
    if start_text > latest:
        flags.append(Flag.IN_THE_FUTURE)


def _parse_time(text: str) -> datetime | None:
    # fromisoformat() takes more forms than yyyy-mm-dd HH:MM:SS, and is 30 times faster than
    # strptime(): so the separators are checked here. All of them: a last colon that is missing
    # leaves room for a zone, and a time with a zone cannot be compared with one without.
    if len(text) != 19 or _SEPARATORS(text) != _EXPECTED_SEPARATORS:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


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
