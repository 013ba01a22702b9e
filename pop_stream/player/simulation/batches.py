"""Events on their way to Kafka, gathered by partition: that costs half of one by one.

The batches are made here, so that each event's offset is known all the same.
"""

import time
from asyncio import Future
from collections import Counter
from collections.abc import Iterable
from functools import partial
from typing import Final, NamedTuple, Protocol

from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.structs import RecordMetadata

from pop_stream.errors import missing_topic
from pop_stream.player.play_headers import Header, play_headers
from pop_stream.player.simulation.plays import Play

#: How long an event waits for others, at most; it may wait longer where Kafka is slow.
LINGER_SECONDS: Final = 0.05


class Event(NamedTuple):
    """A play with its identity, which it keeps however often it is sent."""

    play: Play
    pop_id: str
    #: Of the start of the player that showed it.
    boot_id: bytes


class Batch(Protocol):
    """What is used of aiokafka's `BatchBuilder`."""

    def append(
        self, *, timestamp: int | None, key: bytes, value: bytes,
        headers: list[Header],
    ) -> object | None:  # fmt: skip
        """Take a record; None when there is no room for it."""
        ...


class Producer(Protocol):
    """What is used of `aiokafka.AIOKafkaProducer`. It must ask for `acks=all`."""

    def create_batch(self) -> Batch:
        """Make an empty batch."""
        ...

    async def send_batch(
        self, batch: Batch, topic: str, *, partition: int
    ) -> Future[RecordMetadata]:
        """Take a batch; the future ends with the broker's confirmation."""
        ...

    async def partitions_for(self, topic: str) -> Iterable[int]:
        """The partitions of a topic."""
        ...


class Told(Protocol):
    """Who wants to know what became of the events."""

    def confirmed(self, event: Event, partition: int, offset: int) -> None:
        """Every replica in sync has it."""
        ...

    def failed(self, events: Iterable[Event], error: BaseException) -> None:
        """They were not confirmed; Kafka may have them all the same."""
        ...


class Batches:
    """Gathers events, and hands them to a producer."""

    def __init__(self, producer: Producer, topic: str, told: Told) -> None:
        self._producer = producer
        self._topic = topic
        self._told = told
        self._partition = DefaultPartitioner()
        self._partitions: list[int] = []
        #: Of each key, and where its events go.
        self._places: dict[bytes, int] = {}
        self._open: dict[int, tuple[Batch, list[Event]]] = {}
        #: How many batches of a partition are not confirmed yet.
        self._under_way: Counter[int] = Counter()
        self._flushed_at = 0.0

    @property
    def are_due(self) -> bool:
        """Whether events have waited long enough for others."""
        return bool(self._open) and time.monotonic() - self._flushed_at >= LINGER_SECONDS

    async def put(self, event: Event) -> None:
        """Take an event; waits while its partition has no room. Raises TopicsMissingError."""
        play = event.play
        key = play.key
        place = self._places.get(key)
        if place is None:
            place = await self._place_of(key)
        headers = play_headers(event.pop_id.encode(), play.seq, event.boot_id, play.times)
        while True:
            found = self._open.get(place)
            if found is None:
                found = self._begin(place)
            batch, events = found
            taken = batch.append(timestamp=None, key=key, value=play.body, headers=headers)
            if taken is not None:
                events.append(event)
                return
            await self._hand_over(place)

    async def flush(self) -> None:
        """Hand over what need not wait: behind a batch that is under way, the next one grows."""
        self._flushed_at = time.monotonic()
        for place in list(self._open):
            if not self._under_way[place]:
                await self._hand_over(place)

    def _begin(self, place: int) -> tuple[Batch, list[Event]]:
        if not self._open:
            self._flushed_at = time.monotonic()
        found = self._producer.create_batch(), list[Event]()
        self._open[place] = found
        return found

    async def _place_of(self, key: bytes) -> int:
        if not self._partitions:
            try:
                self._partitions = sorted(await self._producer.partitions_for(self._topic))
            except UnknownTopicOrPartitionError as error:
                raise missing_topic(self._topic) from error
        place = int(self._partition(key, self._partitions, self._partitions))
        self._places[key] = place
        return place

    async def _hand_over(self, place: int) -> None:
        batch, events = self._open.pop(place)
        try:
            confirmation = await self._producer.send_batch(batch, self._topic, partition=place)
        except UnknownTopicOrPartitionError as error:
            raise missing_topic(self._topic) from error
        except KafkaError as error:
            self._told.failed(events, error)
        else:
            self._under_way[place] += 1
            confirmation.add_done_callback(partial(self._ended, place, events))

    def _ended(self, place: int, events: list[Event], confirmation: Future[RecordMetadata]) -> None:
        self._under_way[place] -= 1
        if confirmation.cancelled():
            return
        error = confirmation.exception()
        if error is not None:
            self._told.failed(events, error)
            return
        first = confirmation.result()
        for n, event in enumerate(events):
            self._told.confirmed(event, first.partition, first.offset + n)
