"""The form of a carried file: lines of JSON.

{"popStreamOutbox": 1, "plays": 2, "screens": ["1202/3"], ...}      what it is
{"key": "1202/3", "headers": [["pop-id", "..."], ...], "body": "{...}"}
{"key": "1202/3", "headers": [["pop-id", "..."], ...], "bodyBase64": "..."}
{"hmacSha256": "..."}                            over all the lines before it, with their ends
"""

from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from pop_stream.player.sending.record import Record

VERSION: Final = 1
_FORM: Final = "popStreamOutbox"
_SIGNATURE: Final = "hmacSha256"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What the first line tells."""

    plays: int
    #: The first of them, by their keys; `screen_count` are all.
    screens: Sequence[str]
    screen_count: int
    #: Likewise, starts of the player, in hexadecimal digits.
    boots: Sequence[str]
    boot_count: int
    #: When the first began and the last ended, in UTC; None: there is none.
    begins: str | None
    ends: str | None


def first_line(contents: Contents, *, outbox: str, made: str, key_id: str) -> bytes:
    """The line that says what the file is."""
    return _line(
        {
            _FORM: VERSION,
            "made": made,
            "outbox": outbox,
            "keyId": key_id,
            "plays": contents.plays,
            "from": contents.begins,
            "to": contents.ends,
            "screens": contents.screens,
            "screenCount": contents.screen_count,
            "boots": contents.boots,
            "bootCount": contents.boot_count,
        }
    )


def read_first_line(line: bytes) -> dict[str, Any] | None:
    """What the first line tells; None: it is none of such a file."""
    told = _object(line)
    return told if told is not None and isinstance(told.get(_FORM), int) else None


def version_of(told: dict[str, Any]) -> int:
    """The version of the file's form."""
    return int(told[_FORM])


def contents_of(told: dict[str, Any]) -> Contents:
    """What the first line of a file of this version tells."""
    return Contents(
        plays=told["plays"],
        screens=told["screens"],
        screen_count=told["screenCount"],
        boots=told["boots"],
        boot_count=told["bootCount"],
        begins=told["from"],
        ends=told["to"],
    )


def play_line(record: Record) -> bytes:
    """The line of a play. Its body stays what it is, to the byte."""
    told: dict[str, Any] = {
        "key": record.key.decode(),
        "headers": [(name, value.decode()) for name, value in record.headers],
    }
    try:
        told["body"] = record.value.decode()
    except UnicodeDecodeError:
        told["bodyBase64"] = b64encode(record.value).decode()
    return _line(told)


def read_play_line(line: bytes) -> Record:
    """The play of a line. Raises ValueError and KeyError for what is none."""
    told = orjson.loads(line)
    encoded = told.get("bodyBase64")
    body = told["body"].encode() if encoded is None else b64decode(encoded, validate=True)
    headers = [(str(name), str(value).encode()) for name, value in told["headers"]]
    return Record(told["key"].encode(), body, headers)


def signature_line(signature: str) -> bytes:
    """The last line."""
    return _line({_SIGNATURE: signature})


def read_signature_line(line: bytes) -> str | None:
    """The signature; None: this is not the last line of such a file, or not all of it."""
    told = _object(line) if line.endswith(b"\n") else None
    found = told.get(_SIGNATURE) if told is not None and len(told) == 1 else None
    return found if isinstance(found, str) else None


def _line(told: dict[str, Any]) -> bytes:
    return orjson.dumps(told, option=orjson.OPT_APPEND_NEWLINE)


def _object(line: bytes) -> dict[str, Any] | None:
    try:
        told = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return told if isinstance(told, dict) else None
