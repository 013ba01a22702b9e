"""A record as analysts see it: what the player wrote, and what we have written about it."""

from collections.abc import Sequence
from typing import Any

import orjson

from pop_stream.pop.trail import (
    Origin,
    Trail,
    told_pop_id,
    trail_from_own_topic,
    trail_from_player,
)

#: Short names for what our headers tell.
SHORT_NAMES = {
    "reason": "pop-reason",
    "status": "pop-status",
    "attempt": "pop-attempt",
    "error": "pop-error",
    "flags": "pop-flags",
    "redrives": "pop-redrives",
    "replay": "pop-replay",
}
#: Where and how the record itself stands.
RECORD_NAMES = ("topic", "partition", "offset", "key", "size")

_POP_ID = "pop-id"
_NO_FIELDS: dict[str, Any] = {}


class EventView:
    """One record. What is asked for is read when it is asked for, and once."""

    # Not functools.cached_property, which takes a lock each time: millions of these are made.
    __slots__ = (
        "_fields", "_pop_id", "_trail", "headers", "is_ours", "key", "offset", "partition",
        "timestamp", "topic", "value",
    )  # fmt: skip

    def __init__(  # noqa: PLR0913 - they are what a record has
        self,
        topic: str,
        partition: int,
        offset: int,
        *,
        timestamp: int,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[tuple[str, bytes]],
        is_ours: bool,
    ) -> None:
        """`timestamp` is when it was stored, in epoch milliseconds; -1 when that is unknown.

        `is_ours`: it stands on a topic that players cannot write, so that our headers are believed.
        """
        self.topic = topic
        self.partition = partition
        self.offset = offset
        self.timestamp = timestamp
        self.key = key
        self.value = value
        self.headers = headers
        self.is_ours = is_ours
        self._fields: dict[str, Any] | None = None
        self._trail: Trail | None = None
        self._pop_id: str | None = None

    @property
    def fields(self) -> dict[str, Any]:
        """The event's own fields; none when the value is no JSON object."""
        if self._fields is None:
            self._fields = _fields_of(self.value)
        return self._fields

    @property
    def trail(self) -> Trail:
        """What the event has been through until it came here."""
        if self._trail is None:
            here = Origin(self.topic, self.partition, self.offset, self.timestamp)
            read = trail_from_own_topic if self.is_ours else trail_from_player
            self._trail = read(self.headers, here)
        return self._trail

    @property
    def pop_id(self) -> str:
        """The event's id: the player's, or made of the place of its first record."""
        if self._pop_id is None:
            # A whole trail costs ten times as much.
            self._pop_id = told_pop_id(self.headers) or self.trail.pop_id
        return self._pop_id

    def text(self, name: str) -> str | None:
        """What stands under a name, as text; None when nothing does.

        `pop-...` and short names are headers, `header:NAME` any header, the record's own names
        what they say, and everything else is a field of the event.
        """
        if name == _POP_ID:
            return self.pop_id
        if name in RECORD_NAMES:
            return self._of_record(name)
        header = SHORT_NAMES.get(name, name)
        if header.startswith(("pop-", "header:")):
            return self._of_headers(header.removeprefix("header:"))
        return text_of(self.fields.get(name))

    def _of_record(self, name: str) -> str | None:
        if name == "key":
            return None if self.key is None else self.key.decode("utf-8", "replace")
        if name == "size":
            return str(len(self.value or b""))
        return str(getattr(self, name))

    def _of_headers(self, wanted: str) -> str | None:
        for name, value in reversed(self.headers):
            if name == wanted:
                return value.decode("utf-8", "replace")
        return None


def _fields_of(value: bytes | None) -> dict[str, Any]:
    if value is None:
        return _NO_FIELDS
    try:
        fields = orjson.loads(value)
    except orjson.JSONDecodeError:
        return _NO_FIELDS
    return fields if type(fields) is dict else _NO_FIELDS


def text_of(value: Any) -> str | None:
    """A JSON value as the text that a person would type for it."""
    if value is None or type(value) is str:
        return value
    return orjson.dumps(value).decode()
