"""What the transport needs of the app beside what Faust itself needs of it."""

from collections.abc import Mapping
from typing import Protocol

from pop_stream.settings import Settings
from pop_stream.stream.abort import Abort
from pop_stream.stream.holes import Holes
from pop_stream.stream.ledger import Ledger, Place
from pop_stream.stream.receipts import Receipts
from pop_stream.stream.record import KafkaRecord
from pop_stream.watch.tally import Tally


class Work(Protocol):
    """The events under way, as the transport needs them."""

    def resume(self, share: float) -> None:
        """Take up work again: partitions were assigned, this share of all."""

    def note_ends(self, ends: Mapping[Place, int]) -> None:
        """Note where this worker's partitions end, as Kafka says now."""

    async def drain(self) -> None:
        """Start nothing new, and wait a bounded time for what is under way. Never raises."""


class Host(Protocol):
    """The app, as the transport needs it beside what Faust itself needs."""

    ledger: Ledger[KafkaRecord]
    work: Work
    settings: Settings
    #: The topics from which attempts are made, by this worker or another.
    attempted_topics: tuple[str, ...]
    holes: Holes
    #: None: what is delivered is committed without a receipt.
    receipts: Receipts | None
    tally: Tally
    #: Whether a partition whose commit cannot be may begin with its oldest record.
    may_start_over: bool
    abort: Abort
