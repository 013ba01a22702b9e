"""What players may put on their topic by mistake or with intent, and what must become of it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pop_stream.pop.event import REQUIRED_FIELDS, Fault, Flag

#: Stands in every payload, key and foreign header, and must not be told to anybody.
CANARY = "canary5e1d"
KEY = f"{CANARY}/2".encode()
Header = tuple[str, bytes | None]


@dataclass(frozen=True, kw_only=True)
class Item:
    """One record on the players' topic, and its fate."""

    name: str
    value: bytes | None
    key: bytes | None = KEY
    headers: Sequence[Header] = ()
    #: Why it is quarantined; None: it is delivered.
    fault: Fault | None = None
    flags: frozenset[Flag] = frozenset()
    #: What GSTV gets, if that is not the value itself.
    body: bytes | None = None


def pop(*, without: Sequence[str] = (), **changed: Any) -> bytes:
    """A sound event, some of its fields changed, added or left out."""
    fields = {
        "filename": f"{CANARY}.webm",
        "assetId": "5942a4aac7a201da97cef3a7",
        "startTimestamp": "2024-11-20 10:00:00",
        "endTimestamp": "2024-11-20 10:00:15",
        "siteId": CANARY,
        "screenId": "2",
    } | changed
    return json.dumps({name: fields[name] for name in fields if name not in without}).encode()


def with_text(text: bytes) -> bytes:
    """A sound event with some more JSON text at its end: `"name": value`."""
    return pop()[:-1] + b", " + text + b"}"


def sized(size: int) -> bytes:
    """A sound event of that many bytes."""
    return pop() + b" " * (size - len(pop()))


def nested(depth: int) -> bytes:
    """A sound event that nests so deep."""
    return with_text(b'"more": ' + b"[" * (depth - 1) + b"]" * (depth - 1))


#: Values that cannot be posted.
_UNFIT: list[tuple[str, bytes | None, Fault]] = [
    ("invalid UTF-8", pop().replace(b".webm", b"\xff\xfe"), Fault.NOT_UTF8),
    ("UTF-16", pop().decode().encode("utf-16"), Fault.NOT_UTF8),
    ("byte order mark", b"\xef\xbb\xbf" + pop(), Fault.NOT_JSON),
    ("not JSON", f"{CANARY} is no JSON".encode(), Fault.NOT_JSON),
    ("cut off", pop()[:-1], Fault.NOT_JSON),
    ("trailing bytes", pop() + CANARY.encode(), Fault.NOT_JSON),
    ("a text never closed", b"[]" * 33 + b'"' + b'\\"' * 30_000, Fault.NOT_JSON),
    ("empty", b"", Fault.NOT_JSON),
    ("tombstone", None, Fault.NO_VALUE),
    ("JSON null", b"null", Fault.NOT_AN_OBJECT),
    ("array", b"[" + pop() + b"]", Fault.NOT_AN_OBJECT),
    ("string", json.dumps(CANARY).encode(), Fault.NOT_AN_OBJECT),
    ("number", b"18446744073709551617", Fault.NOT_AN_OBJECT),
    ("64 KiB and a byte", sized(65_537), Fault.TOO_LARGE),
    ("65 KiB", sized(66_560), Fault.TOO_LARGE),
    ("all that Kafka takes", sized(1_048_000), Fault.TOO_LARGE),
    ("depth 33", nested(33), Fault.TOO_DEEP),
    ("depth 5000", nested(5_000), Fault.TOO_DEEP),
    ("NaN", pop(loops=float("nan")), Fault.NOT_JSON),
    ("Infinity", pop(loops=float("inf")), Fault.NOT_JSON),
    ("lone surrogate", pop(more="\ud800"), Fault.NOT_JSON),
    ("400 digits", with_text(b'"more": ' + b"9" * 400), Fault.NOT_JSON),
    ("empty object", b"{}", Fault.MISSING_REQUIRED_FIELD),
    ("repeated", with_text(b'"siteId": "other"'), Fault.REPEATED_REQUIRED_FIELD),
    ("repeated, escaped", with_text(b'"\\u0073iteId": "x"'), Fault.REPEATED_REQUIRED_FIELD),
    ("repeated, the same", with_text(b'"screenId": "2"'), Fault.REPEATED_REQUIRED_FIELD),
    *((f"{name} missing", pop(without=[name]), Fault.MISSING_REQUIRED_FIELD)
      for name in REQUIRED_FIELDS),
    *((f"{name} empty", pop(**{name: ""}), Fault.REQUIRED_FIELD_EMPTY)
      for name in REQUIRED_FIELDS),
    *((f"{name} a number", pop(**{name: 7}), Fault.REQUIRED_FIELD_NOT_STRING)
      for name in REQUIRED_FIELDS),
    *((f"siteId {other!r}", pop(siteId=other), Fault.REQUIRED_FIELD_NOT_STRING)
      for other in (None, [CANARY], {CANARY: 1}, False)),
]  # fmt: skip

#: Values that are odd, and posted as they are.
_ODD: list[tuple[str, bytes, set[Flag]]] = [
    ("sound", pop(), set()),
    ("exactly 64 KiB", sized(65_536), set()),
    ("depth 32", nested(32), {Flag.EXTRA_FIELDS}),
    ("beyond 64 bits", with_text(b'"n": [18446744073709551617, -9e9, 1.10, 1E5, -0.0]'),
     {Flag.EXTRA_FIELDS}),
    ("unknown fields", pop(volume=11, **{CANARY: {"a": [1]}}), {Flag.EXTRA_FIELDS}),
    ("an unknown field twice", with_text(b'"a": 1, "a": 2'),
     {Flag.EXTRA_FIELDS, Flag.REPEATED_FIELD}),
    ("both names", pop(ioNumber="1", tiNumber="2"), {Flag.BOTH_ORDER_NUMBERS}),
    ("end before start", pop(endTimestamp="2024-11-20 09:59:59"), {Flag.END_BEFORE_START}),
    ("the hour that is repeated",
     pop(startTimestamp="2024-11-03 01:59:50", endTimestamp="2024-11-03 01:00:05"),
     {Flag.END_BEFORE_START}),
    ("the hour that is left out",
     pop(startTimestamp="2024-03-10 02:30:00", endTimestamp="2024-03-10 02:30:15"), set()),
    ("zero length", pop(endTimestamp="2024-11-20 10:00:00"), {Flag.ZERO_LENGTH}),
    ("overlong", pop(endTimestamp="2024-11-20 11:00:00"), {Flag.OVERLONG}),
    ("in the future",
     pop(startTimestamp="9999-12-31 23:59:50", endTimestamp="9999-12-31 23:59:59"),
     {Flag.IN_THE_FUTURE}),
    *((f"time {text!r}", pop(endTimestamp=text), {Flag.UNPARSABLE_TIMESTAMP})
      for text in (CANARY, "2024-11-20T10:00:15Z", "2024-11-20 10:00+01", "2024-02-30 10:00:00",
                   "2024-11-20 10:00:15\r\n", "\x00")),
    ("unknown screenState", pop(screenState=CANARY), {Flag.UNKNOWN_SCREEN_STATE}),
    ("screenState null", pop(screenState=None), {Flag.UNKNOWN_SCREEN_STATE}),
    ("ioNumber a number", pop(ioNumber=124), {Flag.OPTIONAL_NOT_STRING}),
    ("indented", json.dumps(json.loads(pop()), indent=2).encode() + b"\r\n", set()),
]  # fmt: skip

_FORGED: list[Header] = [
    ("pop-attempt", b"999"), ("pop-not-before", b"253402300799000"), ("pop-reason", b"rejected"),
    ("pop-first-failed-at", b"1"), ("pop-status", b"500"), ("pop-error", CANARY.encode()),
    ("pop-origin", b"pop-events/0/0/0"), ("pop-flags", CANARY.encode()), ("pop-redrives", b"9"),
    ("pop-replay", b"true"), ("pop-trimmed", b"1"),
]  # fmt: skip
_FOREIGN: dict[str, list[Header]] = {
    "forged pop-attempt 999": [("pop-attempt", b"999")],
    "forged pop-attempt abc": [("pop-attempt", b"abc"), ("pop-attempt", b"abc")],
    "all forged": [("before", b"1"), *_FORGED, ("between", b"2"), *_FORGED, ("after", b"3")],
    "a thousand headers": [(f"{CANARY}-{n % 900}", bytes([n % 256]) * 5) for n in range(1_000)],
    "headers with control characters": [
        (f"{CANARY}\r\nX-Injected: 1\x00", b"\r\n\x00\xff"), ("", b""), ("null", None),
        ("traceparent", b"\r\nX-Injected: 1")],
    "pop-id with a line break": [("pop-id", b"017f22e2-79b0-7cc3-98c4-dc0c0c07398f\r\nX: 1")],
    "pop-id that is none": [("pop-id", CANARY.encode())],
    "pop-id that is null": [("pop-id", None)],
    "pop-id and later none": [
        ("pop-id", b"017f22e2-79b0-7cc3-98c4-dc0c0c07398f"), ("pop-id", b"")],
}  # fmt: skip
_KEYS: dict[str, tuple[bytes | None, Flag]] = {
    "no key": (None, Flag.NO_KEY),
    "empty key": (b"", Flag.OTHER_KEY),
    "wrong key": (b"other/1", Flag.OTHER_KEY),
    "a key of control characters": (b"\xff\x00\r\n" + CANARY.encode(), Flag.OTHER_KEY),
}
_ALIASES = {
    "tiNumber": pop(tiNumber="124"),
    "tiNumber, escaped": with_text(b'"\\u0074iNumber" :\t18446744073709551617'),
}


def all_items() -> list[Item]:
    """All of it."""
    return [
        *(Item(name=name, value=value, fault=fault) for name, value, fault in _UNFIT),
        *(Item(name=name, value=value, flags=frozenset(flags)) for name, value, flags in _ODD),
        *(Item(name=name, value=pop(), headers=headers) for name, headers in _FOREIGN.items()),
        *(
            Item(name=f"unfit, {name}", value=b"{}", headers=headers,
                 fault=Fault.MISSING_REQUIRED_FIELD)
            for name, headers in _FOREIGN.items()
        ),
        *(
            Item(name=name, value=pop(), key=key, flags=frozenset((flag,)))
            for name, (key, flag) in _KEYS.items()
        ),
        *(
            Item(name=f"unfit, {name}", value=b"{}", key=key, fault=Fault.MISSING_REQUIRED_FIELD)
            for name, (key, _) in _KEYS.items()
        ),
        Item(name="tiNumber", value=_ALIASES["tiNumber"],
             body=_ALIASES["tiNumber"].replace(b"tiNumber", b"ioNumber")),
        Item(name="tiNumber, escaped", value=_ALIASES["tiNumber, escaped"],
             body=_ALIASES["tiNumber, escaped"].replace(b"\\u0074iNumber", b"ioNumber"),
             flags=frozenset((Flag.OPTIONAL_NOT_STRING,))),
    ]  # fmt: skip
