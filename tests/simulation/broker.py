"""A model of Kafka's logs: what stands in them, what is under way to them, what is committed."""

import asyncio
import base64
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from pop_stream.kafka.stored_records import StoredRecord
from pop_stream.stream.claim import Claim
from pop_stream.stream.ledger import Commit, Place
from pop_stream.stream.record import KafkaRecord
from tests.simulation.clock import TIME

EVENTS: Final = "events"
RETRY: Final = "retry"
FAILURE: Final = "failure"
NOTIFICATIONS: Final = "notifications"
RECEIPTS: Final = "receipts"
CONSUMED: Final = (EVENTS, RETRY, FAILURE)

#: How a write may end: `later` is written now, and answered another time.
WRITE_ENDS: Final = ("confirmed", "refused", "unknown", "later", "too-large")

Headers = list[tuple[str, bytes]]
Spot = tuple[str, int, int]


class LoggedRecord(StoredRecord):
    """A record that tells where it stands, so that it is known wherever it turns up."""

    __slots__ = ("partition", "topic")

    def __init__(self, topic: str, partition: int, *stored: Any) -> None:
        super().__init__(*stored)
        self.topic = topic
        self.partition = partition


def spot_of(record: KafkaRecord) -> Spot:
    """Where a record stands: its name in all ledgers of the simulation."""
    assert isinstance(record, LoggedRecord)
    return record.topic, record.partition, record.offset


@dataclass(slots=True, eq=False)
class Passing:
    """One hand-off: the event that is handed on, and how often that was written."""

    #: None: a receipt, which is of many events.
    claim: Claim | None
    worker: str
    writes: int = 0


@dataclass(slots=True, eq=False)
class Write:
    """A record under way to the broker. It outlives the worker that sent it."""

    passing: Passing
    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers
    future: "asyncio.Future[None]"
    written: bool = False


class Broker:
    """The logs, and what is under way to them."""

    def __init__(self, partitions: dict[str, int]) -> None:
        self.partitions = partitions
        self.logs: dict[Place, list[LoggedRecord]] = {
            Place(topic, number): []
            for topic, count in partitions.items()
            for number in range(count)
        }
        self.consumed = [place for place in self.logs if place.topic in CONSUMED]
        self.writes: list[Write] = []
        self.committed: dict[Place, Commit] = {}
        #: Whoever asks next what stands committed is not answered.
        self.hides_commits = False

    def append(
        self, topic: str, key: bytes | None, value: bytes | None, headers: Iterable[Any]
    ) -> LoggedRecord:
        """Append a record to the partition of its key."""
        number = zlib.crc32(key or b"") % self.partitions[topic]
        log = self.logs[Place(topic, number)]
        record = LoggedRecord(topic, number, len(log), TIME.ms, key, value, list(headers))
        log.append(record)
        return record

    def end(self, write: Write, how: str) -> bool:
        """Let a write end, or only be written. Returns whether it was written by this."""
        newly = not write.written and how in ("confirmed", "unknown", "later")
        if newly:
            write.written = True
        if how != "later":
            self.writes.remove(write)
            # Whoever waited may be gone: killed, or cancelled.
            if not write.future.done():
                if how == "confirmed":
                    write.future.set_result(None)
                elif how == "too-large" and not write.written:
                    write.future.set_exception(MessageSizeTooLargeError())
                else:
                    write.future.set_exception(KafkaError())
        return newly

    def records(self, topic: str) -> list[KafkaRecord]:
        """All that stands in a topic."""
        return [
            record for place, log in self.logs.items() if place.topic == topic for record in log
        ]

    def uncommitted(self) -> list[Place]:
        """The partitions that are not committed to their end."""
        return [
            place
            for place in self.consumed
            if self.logs[place] and self.offset(place) < len(self.logs[place])
        ]

    def offset(self, place: Place) -> int:
        """The committed offset."""
        commit = self.committed.get(place)
        return 0 if commit is None else commit.offset


def told_beyond(commit: Commit) -> set[int]:
    """The offsets that a commit's metadata tells to be finished: the model's own reading of it."""
    if not commit.metadata:
        return set()
    _, base, packed = commit.metadata.split(":")
    if int(base) != commit.offset:
        return set()  # it belongs to another commit, and tells of nothing
    numbers = [int(each) for each in zlib.decompress(base64.b64decode(packed)).split(b",")]
    told: set[int] = set()
    at = commit.offset
    for gap, length in zip(numbers[::2], numbers[1::2], strict=True):
        told.update(range(at + gap, at + gap + length))
        at += gap + length
    return told
