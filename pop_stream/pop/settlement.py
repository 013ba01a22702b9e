"""The mark with which a person ends an event's redrives: it was settled in another way."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

import orjson

from pop_stream.pop.identity import parse_pop_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """What is written down of a mark. Of two marks of one event the later counts."""

    #: False: an earlier mark is taken back.
    settled: bool
    reason: str
    operator: str
    #: When, with its zone.
    at: datetime

    def as_json(self) -> bytes:
        """The value of the mark's record, whose key is the event's pop-id."""
        return json.dumps(
            {
                "settled": self.settled,
                "reason": self.reason,
                "operator": self.operator,
                "at": self.at.astimezone(UTC).isoformat(timespec="seconds"),
            },
            ensure_ascii=False,
        ).encode()


def note_mark(settled: set[str], key: bytes | None, value: bytes | None) -> None:
    """Let a mark's record change which events are settled; one without a pop-id changes nothing."""
    pop_id = parse_pop_id(key)
    if pop_id is None:
        return
    if is_settled(value):
        settled.add(pop_id)
    else:
        settled.discard(pop_id)


def is_settled(value: bytes | None) -> bool:
    """Whether a mark's record says that its event is settled. What cannot be read says nothing."""
    try:
        mark = orjson.loads(value or b"")  # json raises RecursionError for what is nested deeply
    except ValueError:
        return False
    return isinstance(mark, dict) and mark.get("settled") is True
