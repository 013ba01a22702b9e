"""Records that were deleted before they were delivered: nothing can bring them back but a player.

They are never passed over in silence. A record on the failure topic tells which they were, and is
notified as every failure is.
"""

import json
from dataclasses import dataclass

from pop_stream.pop.identity import fallback_pop_id
from pop_stream.pop.trail import Failure, Origin, Trail, headers_of

#: The header `pop-reason` of such a record, and the label of metrics.
GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hole:
    """The offsets of one partition from `begin` to before `end`, of which none is there."""

    topic: str
    partition: int
    begin: int
    end: int

    @property
    def events(self) -> int:
        """How many events are gone, at most."""
        return self.end - self.begin

    @property
    def pop_id(self) -> str:
        """The id of its record on the failure topic: that of the first event that is gone."""
        return fallback_pop_id(self.topic, self.partition, self.begin)

    def value(self) -> bytes:
        """The value of its record on the failure topic."""
        return json.dumps(
            {"topic": self.topic, "partition": self.partition, "from": self.begin, "to": self.end}
        ).encode()

    def headers(self, now_ms: int) -> list[tuple[str, bytes]]:
        """The headers of its record on the failure topic."""
        return headers_of(
            Trail(
                pop_id=self.pop_id,
                origin=Origin(self.topic, self.partition, self.begin, -1),
                first_failed_at=now_ms,
            ),
            Failure(
                reason=GONE,
                error=f"offsets {self.begin} to {self.end - 1} were deleted before they were "
                "delivered",
            ),
        )
