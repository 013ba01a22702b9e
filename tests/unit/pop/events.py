"""A sound event, and how it is read."""

import json
from typing import Any

from pop_stream.pop.event import Forward, Quarantine, Rules, read_event

KEY = b"s-1/2"
#: Later than any time that a sound event here holds.
LATEST = "2026-11-21 00:00:00"

SOUND = {
    "filename": "GSTV.a.webm",
    "assetId": "5942a4aac7a201da97cef3a7",
    "ioNumber": "124",
    "startTimestamp": "2026-11-20 10:00:00",
    "endTimestamp": "2026-11-20 10:00:15",
    "screenState": "Full",
    "siteId": "s-1",
    "screenId": "2",
}


def fields(*, without: tuple[str, ...] = (), **changed: Any) -> dict[str, Any]:
    """The fields of a sound event, some of them changed, added or left out."""
    return {name: value for name, value in (SOUND | changed).items() if name not in without}


def event(*, without: tuple[str, ...] = (), **changed: Any) -> bytes:
    """A sound event, some of its fields changed, added or left out."""
    return json.dumps(fields(without=without, **changed)).encode()


def with_text(text: bytes) -> bytes:
    """A sound event with some more JSON text at its end: `"name": value`."""
    return event()[:-1] + b", " + text + b"}"


def nested(depth: int) -> bytes:
    """A sound event that nests so many objects and arrays in one another."""
    return with_text(b'"more": ' + b"[" * (depth - 1) + b"]" * (depth - 1))


def read(value: bytes | None, key: bytes | None = KEY, **rules: Any) -> Forward | Quarantine:
    """Read an event under the usual rules, or others."""
    return read_event(value, key, rules=Rules(**rules), latest=LATEST)
