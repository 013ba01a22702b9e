"""A record as the demo sees it on a topic: its place and its headers, never its value."""

from collections.abc import Mapping
from dataclasses import dataclass

from pop_stream.pop.identity import fallback_pop_id, parse_pop_id


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicNames:
    """The topics that are watched."""

    events: str
    retry: str
    failure: str
    notifications: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenRecord:
    """A record on a topic."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    #: Of equal names, the latest.
    headers: Mapping[str, bytes]

    @property
    def pop_id(self) -> str:
        """The event's id: its header, or else what follows from its place."""
        return parse_pop_id(self.headers.get("pop-id")) or fallback_pop_id(
            self.topic, self.partition, self.offset
        )

    @property
    def quarantined_for(self) -> str | None:
        """Why it was parked without being tried; None if it was tried."""
        kind, _, why = self._text("pop-reason").partition(":")
        return (why or kind) if kind.startswith("quarantine") else None

    @property
    def trouble(self) -> str:
        """The last answer and the attempts made, for people."""
        answer = self._text("pop-status") or "no answer"
        attempts = self._text("pop-attempt")
        return f"{answer}, attempt {attempts}" if attempts else answer

    def _text(self, header: str) -> str:
        return self.headers.get(header, b"").decode(errors="replace")
