"""Sends records to Kafka, and says of each what became of it."""

import asyncio
import logging
import random
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.codec import has_zstd
from aiokafka.errors import (
    InvalidTimestampError,
    KafkaError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    TopicAuthorizationFailedError,
    UnknownError,
)
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.producer.message_accumulator import BatchBuilder

from pop_stream.errors import PopStreamError, no_right_to_write
from pop_stream.kafka.clients import producer_of
from pop_stream.kafka.complaints import heard_from_aiokafka
from pop_stream.kafka.reach import unreachable
from pop_stream.kafka.writable import require_writable
from pop_stream.player.sending.abandoning import abandon
from pop_stream.player.sending.isolation import Group, Isolation, Tried, Verdict
from pop_stream.player.sending.lot import Answer, Fate, too_large
from pop_stream.player.sending.record import Record
from pop_stream.settings import Settings

log = logging.getLogger(__name__)

_BATCH_BYTES: Final = 256 * 1024
#: Before this nobody had this program: a clock that shows it has been dead.
_EARLIEST_MS: Final = 1_700_000_000_000
#: Stands for "no time" in a record.
_NO_TIME: Final = -1
_CONNECT_SECONDS: Final = 15.0
#: A terminal has a dozen; the cache of a mistake must not grow.
_KNOWN_KEYS: Final = 10_000


class Broker:
    """A connection to Kafka that sends one lot at a time."""

    def __init__(self, settings: Settings, *, patience_seconds: float = 30.0) -> None:
        """`patience_seconds`: without any confirmation, this is an outage."""
        self._settings = settings
        self._topic = settings.events_topic
        self._patience = patience_seconds
        self._producer: AIOKafkaProducer | None = None
        self._partitioner = DefaultPartitioner()
        #: The partitions of keys, as long as there are these.
        self._place_of: dict[bytes, int] = {}
        self._partitions: tuple[int, ...] = ()
        self._takes_time = True
        #: Of the records that are under way.
        self._timestamp = _NO_TIME
        self._is_topic_there = False
        #: Why the last lot was not confirmed.
        self.trouble: PopStreamError | None = None

    async def _connected(self) -> AIOKafkaProducer:
        """Raises KafkaUnreachableError, TopicsMissingError and WorkFailedError."""
        if self._producer is not None:
            return self._producer
        if not self._is_topic_there:
            # The producer would look for a missing topic as long as it may, or have it made.
            await require_writable(self._settings, self._topic)
            self._is_topic_there = True
        producer = producer_of(
            self._settings,
            client_id="pop-stream-player",
            acks="all",
            enable_idempotence=True,
            compression_type="zstd" if has_zstd() else "gzip",
            max_batch_size=_BATCH_BYTES,
            request_timeout_ms=int(self._patience * 500),
            # Not the same for all: they lose the same broker at the same moment.
            retry_backoff_ms=random.randrange(200, 1200),  # noqa: S311
        )
        with heard_from_aiokafka() as complaints:
            try:
                async with asyncio.timeout(_CONNECT_SECONDS):
                    await producer.start()
                    await producer.partitions_for(self._topic)
            except (KafkaError, OSError, TimeoutError) as error:
                await abandon(producer)
                why = complaints[-1] if complaints else str(error) or type(error).__name__
                raise unreachable(self._settings, why) from error
            except BaseException:
                await abandon(producer)
                raise
        self._producer = producer
        return producer

    async def send(self, records: Sequence[Record]) -> list[Answer]:
        """Send records, in their order; those of one key stay in it.

        Where an answer is `unknown`, `trouble` says why.
        """
        self.trouble = None
        isolation = Isolation([too_large(each) or Fate.UNKNOWN for each in records])
        try:
            groups = await self._placed(records, isolation.answers)
            while groups:
                tried = await self._try(records, groups)
                if any(each.verdict is not Verdict.CONFIRMED for each in tried):
                    # The broker counts the batches of a producer, and one of them is missing now.
                    await self.disconnect()
                groups = isolation.after(tried)
        except PopStreamError as error:
            self.trouble = error
        except (KafkaError, OSError, TimeoutError) as error:
            self.trouble = self._told(error)
            await self.disconnect()
        if Fate.UNKNOWN not in isolation.answers:
            self.trouble = None
        return isolation.answers

    async def disconnect(self) -> None:
        """End the connection. What is under way is given up."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await abandon(producer)

    async def _placed(self, records: Sequence[Record], answers: Sequence[Answer]) -> list[Group]:
        """The records that are to be sent, by their partitions."""
        producer = await self._connected()
        async with asyncio.timeout(self._patience):
            partitions = tuple(sorted(await producer.partitions_for(self._topic)))
        if partitions != self._partitions:
            self._partitions, self._place_of = partitions, {}
        groups: dict[int, list[int]] = {}
        for index, (record, answer) in enumerate(zip(records, answers, strict=True)):
            if answer is Fate.UNKNOWN:
                groups.setdefault(self._place(record.key), []).append(index)
        return [Group(tuple(indices), partition) for partition, indices in groups.items()]

    def _place(self, key: bytes) -> int:
        place = self._place_of.get(key)
        if place is None:
            place = self._partitioner(key, list(self._partitions), list(self._partitions))
            if len(self._place_of) >= _KNOWN_KEYS:
                self._place_of.clear()
            self._place_of[key] = place
        return place

    async def _try(self, records: Sequence[Record], groups: Sequence[Group]) -> list[Tried]:
        """Send groups, and wait for the answers as long as there come any."""
        producer = await self._connected()
        sent: list[tuple[Group, asyncio.Future[Any]]] = []
        try:
            async with asyncio.timeout(self._patience) as patience:
                for part, builder in self._built(producer, records, groups):
                    future = await producer.send_batch(
                        builder, self._topic, partition=part.partition
                    )
                    sent.append((part, future))
                    patience.reschedule(asyncio.get_running_loop().time() + self._patience)
        except (KafkaError, OSError, TimeoutError) as error:
            self.trouble = self._told(error)
        await self._answered([future for _, future in sent])
        tried = [self._judged(part, future) for part, future in sent]
        reached = {record for part, _ in sent for record in part.records}
        return tried + [
            Tried(rest, group.partition, Verdict.LOST)
            for group in groups
            if (rest := tuple(each for each in group.records if each not in reached))
        ]

    def _built(
        self, producer: AIOKafkaProducer, records: Sequence[Record], groups: Iterable[Group]
    ) -> Iterator[tuple[Group, BatchBuilder]]:
        """Batches as large as they may be, of each group at least one."""
        now = time.time_ns() // 1_000_000
        self._timestamp = timestamp = now if self._takes_time and now > _EARLIEST_MS else _NO_TIME
        for group in groups:
            builder, first = producer.create_batch(), 0
            for n, index in enumerate(group.records):
                record = records[index]
                if not _append(builder, record, timestamp):
                    yield Group(group.records[first:n], group.partition), builder
                    builder, first = producer.create_batch(), n
                    _append(builder, record, timestamp)
            yield Group(group.records[first:], group.partition), builder

    async def _answered(self, futures: Sequence[asyncio.Future[Any]]) -> None:
        waiting = set(futures)
        while waiting:
            done, waiting = await asyncio.wait(
                waiting, timeout=self._patience, return_when=asyncio.FIRST_COMPLETED
            )
            if not done:
                self.trouble = self._told(TimeoutError())
                return

    def _judged(self, group: Group, future: asyncio.Future[Any]) -> Tried:
        if not future.done():
            # Its end is looked at by nobody.
            future.add_done_callback(lambda it: it.cancelled() or it.exception())
            return Tried(group.records, group.partition, Verdict.LOST)
        error = future.exception()
        verdict = self._verdict(error)
        why = type(error).__name__ if error else ""
        return Tried(group.records, group.partition, verdict, why)

    def _verdict(self, error: BaseException | None) -> Verdict:
        match error:
            case None:
                return Verdict.CONFIRMED
            case MessageSizeTooLargeError() | RecordListTooLargeError():
                return Verdict.REFUSED
            case InvalidTimestampError() if self._timestamp != _NO_TIME:
                # A wrong clock is no reason to keep a play back.
                self._takes_time = False
                return Verdict.AGAIN
            case UnknownError() | InvalidTimestampError():
                self.trouble = self._told(error)
                return Verdict.SUSPECTED
        self.trouble = self._told(error)
        return Verdict.LOST

    def _told(self, error: BaseException) -> PopStreamError:
        if isinstance(error, TopicAuthorizationFailedError):
            return no_right_to_write(self._topic)
        if isinstance(error, TimeoutError):
            return unreachable(self._settings, f"nothing was confirmed in {self._patience:g} s")
        return unreachable(self._settings, str(error) or type(error).__name__)


def _append(builder: BatchBuilder, record: Record, timestamp: int) -> bool:
    told = builder.append(
        timestamp=timestamp, key=record.key, value=record.value, headers=record.headers
    )
    return told is not None
