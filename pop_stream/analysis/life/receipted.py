"""What delivery receipts tell of some events."""

from collections.abc import Callable, Collection, Iterator
from typing import Any, NamedTuple

from pop_stream.analysis.period import Stored
from pop_stream.analysis.scan import Progress, Topics
from pop_stream.errors import WorkFailedError
from pop_stream.pop.moments import utc
from pop_stream.pop.receipt import decode_receipt, packed_id
from pop_stream.settings import Settings


class Receipted(NamedTuple):
    """One delivery, as a receipt tells of it."""

    pop_id: str
    #: The place of the player's record: topic, partition, offset.
    origin: tuple[str, int, int]
    #: When GSTV answered, by the worker's clock, in epoch milliseconds.
    at_ms: int
    #: Attempts that were made and counted; the last one was taken.
    attempts: int
    #: When the receipt was stored, in epoch milliseconds.
    stored_ms: int
    #: Where the receipt stands.
    place: str

    def __str__(self) -> str:
        return f"GSTV took it at {utc(self.at_ms)}, as attempt {self.attempts}"

    def as_object(self) -> dict[str, Any]:
        """For programs."""
        return {
            "deliveredAt": utc(self.at_ms),
            "attempts": self.attempts,
            "origin": "/".join(map(str, self.origin)),
            "place": self.place,
        }


def find_receipts(
    topics: Topics,
    settings: Settings,
    pop_ids: Collection[str],
    *,
    since_ms: int | None,
    progress: Callable[[Progress], None],
) -> list[Receipted]:
    """Look for the receipts of events of this group; `since_ms` None: on all that is kept.

    Where POP_STREAM_RECEIPTS is off, a topic that is not there, or that this user may not read,
    holds none. Raises what `Topics.read` does.
    """
    try:
        return list(_found(topics, settings, pop_ids, since_ms, progress))
    except WorkFailedError:
        if settings.receipts == "on":
            raise
        return []


def _found(
    topics: Topics,
    settings: Settings,
    pop_ids: Collection[str],
    since_ms: int | None,
    progress: Callable[[Progress], None],
) -> Iterator[Receipted]:
    wanted = frozenset(map(packed_id, pop_ids))
    stored = None if since_ms is None else Stored(since_ms)
    spans = topics.spans([settings.receipts_topic], stored)
    for records in topics.read(spans, progress=progress):
        for record in records:
            receipt = decode_receipt(record.value)
            if receipt is None or receipt.group != settings.group:
                continue
            for one in receipt.of(wanted):
                yield Receipted(
                    one.pop_id,
                    (receipt.topic, receipt.partition, one.offset),
                    one.at_ms,
                    one.attempts,
                    record.timestamp,
                    f"{record.topic}/{record.partition}/{record.offset}",
                )
