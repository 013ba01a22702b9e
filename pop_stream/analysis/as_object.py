"""An event as an object of JSON, for programs, and as a line, for people."""

from base64 import b64encode
from typing import Any

import orjson

from pop_stream.analysis.event_view import EventView
from pop_stream.pop.moments import utc


def as_object(event: EventView) -> dict[str, Any]:
    """Everything that its record holds, for `orjson.dumps`.

    The event is what the player wrote, byte for byte but for the ends of lines: no number is
    rounded, no field told twice is dropped. A value that is no JSON object stands there as base64.
    """
    fields = event.fields
    told: dict[str, Any] = {
        "popId": event.pop_id,
        "topic": event.topic,
        "partition": event.partition,
        "offset": event.offset,
        "storedAt": stored_at(event),
        "key": event.text("key"),
        "headers": {name: (value or b"").decode("utf-8", "replace")
                    for name, value in event.headers},
        "event": _verbatim(event.value) if fields else None,
    }  # fmt: skip
    if not fields and event.value is not None:
        told["valueBase64"] = b64encode(event.value).decode()
    return told


def _verbatim(value: bytes | None) -> orjson.Fragment:
    # JSON has line ends between its words only, and each object is to be one line.
    return orjson.Fragment((value or b"").replace(b"\r", b" ").replace(b"\n", b" "))


def stored_at(event: EventView) -> str | None:
    """When it was stored, in UTC to the millisecond; None when Kafka does not say."""
    # With -1 it says so.
    return None if event.timestamp < 0 else utc(event.timestamp)


def as_line(event: EventView) -> str:
    """When it was played, where and what, what was said of it, its id and its place."""
    played = event.text("startTimestamp") or "no time"
    screen = event.text("key") or f"{event.text('siteId')}/{event.text('screenId')}"
    said = " ".join(f"{name}={text}" for name in ("reason", "status", "attempt", "redrives")
                    if event.is_ours and (text := event.text(name)))  # fmt: skip
    name = event.text("filename") or "no file"
    parts = (played, screen, name, said, event.pop_id,
             f"{event.topic}/{event.partition}/{event.offset}")  # fmt: skip
    return "  ".join(printable(part) for part in parts if part)


def printable(text: str) -> str:
    """What a player wrote, so that it does not move a terminal's cursor."""
    return text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)
