"""One attempt to deliver an event, as the mock sees it and as the rules judge it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What is known of one POST: first its head, later its body too."""

    #: The Idempotency-Key without its quotes; None without one.
    id: str | None
    #: How often this id has come, this time included. Without an id always 1.
    nth: int
    #: All headers as they came, but names in lower case; the last of a name wins.
    headers: Mapping[bytes, bytes]
    #: Seconds since the rules in force were set: till the head came, later till the body was read.
    seconds: float
    #: One random number from 0 to 1 for each rule, by its place.
    draws: tuple[float, ...] = ()
    body: bytes = b""
    #: The body's JSON object; empty before it was read, and for a body that is no object.
    fields: Mapping[str, Any] = field(default_factory=dict)
    #: Epoch seconds: when the body had been read.
    received_at: float = 0.0

    @property
    def number(self) -> int | None:
        """What X-Pop-Attempt says."""
        text = self.headers.get(b"x-pop-attempt", b"")
        return int(text) if text.isdigit() and len(text) < 10 else None

    def read(self, body: bytes, *, seconds: float, received_at: float) -> "Attempt":
        """Add what came after the head."""
        return Attempt(
            id=self.id,
            nth=self.nth,
            headers=self.headers,
            seconds=seconds,
            draws=self.draws,
            body=body,
            fields=_json_fields(body),
            received_at=received_at,
        )


def place(pop_id: str | None) -> float:
    """Give an event its place from 0 to 1 among all events: the same each time, spread evenly."""
    digest = hashlib.blake2b((pop_id or "").encode(), digest_size=8).digest()
    # 53 bits: a float can hold them all, so the place is never rounded up to 1.
    return (int.from_bytes(digest, "big") >> 11) / 2**53


def _json_fields(body: bytes) -> dict[str, Any]:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}
