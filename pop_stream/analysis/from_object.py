"""A record of a file, as `as_object` wrote it, as an event again."""

import binascii
from base64 import b64decode
from collections.abc import Container
from datetime import datetime
from typing import Any

import orjson

from pop_stream.analysis.event_view import EventView


def from_line(line: bytes, *, ours: Container[str]) -> EventView | None:
    """Read one line of JSON; `ours` are the topics that players cannot write. None: it is none."""
    try:
        told = orjson.loads(line)
        return _from_object(told, ours)
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError):
        return None


def _from_object(told: dict[str, Any], ours: Container[str]) -> EventView:
    topic, partition, offset, key = (told[n] for n in ("topic", "partition", "offset", "key"))
    if type(topic) is not str or type(partition) is not int or type(offset) is not int:
        raise TypeError("no place")
    headers = {str(name): str(text) for name, text in told["headers"].items()}
    return EventView(
        topic,
        partition,
        offset,
        timestamp=_stored(told["storedAt"]),
        key=None if key is None else str(key).encode(),
        value=_value(told),
        headers=[(name, text.encode()) for name, text in headers.items()],
        is_ours=topic in ours,
    )


def _value(told: dict[str, Any]) -> bytes | None:
    if told["event"] is not None:
        return orjson.dumps(told["event"])
    encoded = told.get("valueBase64")
    if encoded is None:
        return None
    try:
        return b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise ValueError("no base64") from error


def _stored(text: str | None) -> int:
    return -1 if text is None else round(datetime.fromisoformat(text).timestamp() * 1000)
