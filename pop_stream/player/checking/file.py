"""Events of a file: one JSON object a line, as `events search --json` prints it or bare."""

import binascii
from base64 import b64decode
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import orjson

from pop_stream.errors import UsageError
from pop_stream.player.checking.evidence import Evidence
from pop_stream.player.lines import lines_of
from pop_stream.player.outbox.event import key_of
from pop_stream.pop.json_scan import top_level_keys

#: What `events search --json` tells of a record besides the event.
_OF_RECORD: Final = frozenset(("topic", "partition", "offset", "key", "headers", "event"))


def evidence_of_file(path: Path, told: Callable[[int, int], None]) -> Iterator[Evidence]:
    """Every event of a file. `told`: bytes read, and of how many. Raises UsageError."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            for number, line in lines_of(file):
                yield evidence_of_line(line, f"{path.name}:{number}")
                told(file.tell(), size)
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror})") from error


def evidence_of_line(line: bytes, place: str) -> Evidence:
    """The event of a line."""
    try:
        told = orjson.loads(line)
    except orjson.JSONDecodeError:
        told = None
    if not isinstance(told, dict):
        return Evidence(place=place, value=line, key=b"", is_record=False)
    if not told.keys() >= _OF_RECORD:
        # Its key is taken for what it should be: nothing is known of it.
        return Evidence(place=place, value=line, key=key_of(told).encode(), is_record=False)
    headers = told["headers"] if isinstance(told["headers"], dict) else {}
    return Evidence(
        place=f"{place} ({told['topic']}/{told['partition']}/{told['offset']})",
        value=_value(told, line),
        key=None if told["key"] is None else str(told["key"]).encode(),
        headers=[(str(name), str(text).encode()) for name, text in headers.items()],
        stored=_stored(told.get("storedAt")),
    )


def _value(told: dict[str, Any], line: bytes) -> bytes | None:
    if told["event"] is not None:
        return _verbatim(line)
    try:
        encoded = told.get("valueBase64")
        return None if encoded is None else b64decode(str(encoded), validate=True)
    except binascii.Error:
        return b""


def _verbatim(line: bytes) -> bytes:
    """The event as its line tells it: reading and writing it would lose a repeated field."""
    keys = list(top_level_keys(line))
    at = next(n for n, key in enumerate(keys) if key.name == "event")
    end = keys[at + 1].start if at + 1 < len(keys) else line.rindex(b"}")
    return line[keys[at].end : end].strip().removeprefix(b":").rstrip(b" ,\t").strip()


def _stored(text: object) -> int:
    try:
        return round(datetime.fromisoformat(str(text)).timestamp() * 1000)
    except (ValueError, OverflowError):
        return -1
