"""What tests do with Kafka. Everything that waits gives up after a deadline, with an error."""

import asyncio
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition

from pop_stream.settings import TOPICS, Settings

Records = list[ConsumerRecord[bytes | None, bytes | None]]

#: Long, for machines that are slow; nothing waits for it to pass but a test that fails.
DEADLINE_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A record to produce. aiokafka cannot send one that has neither key nor value."""

    value: bytes | None
    key: bytes | None = None
    headers: Sequence[tuple[str, bytes]] = field(default_factory=tuple)
    #: None: the key decides.
    partition: int | None = None


def fresh_settings(bootstrap_servers: str, **overrides: Any) -> Settings:
    """Give settings with topics and a group of their own; the topics are not created.

    `overrides` are further settings by name.
    """
    run = uuid.uuid4().hex[:12]
    values: dict[str, Any] = {
        "kafka_bootstrap_servers": bootstrap_servers,
        **{name: f"t-{run}-{name.removesuffix('_topic')}" for name in TOPICS},
        "group": f"t-{run}",
    }
    return Settings(**(values | overrides))


async def produce(bootstrap_servers: str, topic: str, records: Iterable[Outgoing]) -> None:
    """Produce records in this order; return when all are confirmed (`acks=all`)."""
    async with AIOKafkaProducer(
        bootstrap_servers=bootstrap_servers,
        acks="all",
        enable_idempotence=True,
        max_request_size=4 * 1024 * 1024,
    ) as producer:
        sent = [
            await producer.send(
                topic,
                record.value,
                key=record.key,
                headers=list(record.headers),
                partition=record.partition,
            )
            for record in records
        ]
        await asyncio.gather(*sent)


def send(settings: Settings, records: Iterable[Outgoing], topic: str | None = None) -> None:
    """Put records on the players' topic, or on another; return when all are confirmed."""
    servers = settings.kafka_bootstrap_servers
    asyncio.run(produce(servers, topic or settings.events_topic, records))


async def read_all(bootstrap_servers: str, topic: str) -> Records:
    """Read what is on a topic now, all partitions; ordered by time, then partition and offset."""
    ends = await end_offsets(bootstrap_servers, topic)
    return await _read(bootstrap_servers, topic, done=lambda _records, at: _reached(at, ends))


async def read_until(
    bootstrap_servers: str, topic: str, enough: int | Callable[[Records], bool]
) -> Records:
    """Read a topic from its beginning until there are that many records, or it is enough.

    Raises TimeoutError after DEADLINE_SECONDS.
    """
    if isinstance(enough, int):
        count = enough
        return await _read(bootstrap_servers, topic, done=lambda records, _: len(records) >= count)
    condition = enough
    return await _read(bootstrap_servers, topic, done=lambda records, _: condition(records))


async def end_offsets(bootstrap_servers: str, topic: str) -> dict[int, int]:
    """Give, for each partition, the offset that its next record will have."""
    async with _consumer(bootstrap_servers) as consumer:
        partitions = await _assign(consumer, topic)
        ends = await consumer.end_offsets(partitions)
        return {partition.partition: offset for partition, offset in ends.items()}


async def committed(bootstrap_servers: str, group: str, topic: str) -> dict[int, int]:
    """Give, for each partition on which the group has committed, the committed offset."""
    # Assigned, not subscribed: it asks for the group's offsets and does not join the group.
    async with _consumer(bootstrap_servers, group) as consumer:
        partitions = await _assign(consumer, topic)
        offsets = {p.partition: await consumer.committed(p) for p in partitions}
        return {number: offset for number, offset in offsets.items() if offset is not None}


async def committed_everything(bootstrap_servers: str, group: str, topic: str) -> None:
    """Return when the group has committed to the end of the topic as it is now.

    Raises TimeoutError after DEADLINE_SECONDS.
    """
    ends = await end_offsets(bootstrap_servers, topic)
    wanted = {partition: end for partition, end in ends.items() if end > 0}
    async with asyncio.timeout(DEADLINE_SECONDS):
        while True:
            # Of a partition without records, too, a group commits where it began.
            if wanted.items() <= (await committed(bootstrap_servers, group, topic)).items():
                return
            await asyncio.sleep(0.05)


def _consumer(bootstrap_servers: str, group: str | None = None) -> AIOKafkaConsumer:
    return AIOKafkaConsumer(
        group_id=group,
        bootstrap_servers=bootstrap_servers,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )


async def _assign(consumer: AIOKafkaConsumer, topic: str) -> list[TopicPartition]:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not (numbers := consumer.partitions_for_topic(topic)):
            # Asks for the topic's metadata, which makes the client know it.
            await consumer._client.add_topic(topic)
            await asyncio.sleep(0.02)
    partitions = [TopicPartition(topic, number) for number in sorted(numbers)]
    consumer.assign(partitions)
    return partitions


async def _read(
    bootstrap_servers: str, topic: str, *, done: Callable[[Records, dict[int, int]], bool]
) -> Records:
    records: Records = []
    async with _consumer(bootstrap_servers) as consumer:
        partitions = await _assign(consumer, topic)
        await consumer.seek_to_beginning(*partitions)
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not done(records, {p.partition: await consumer.position(p) for p in partitions}):
                fetched = await consumer.getmany(*partitions, timeout_ms=200)
                records += [record for run in fetched.values() for record in run]
    return sorted(records, key=lambda r: (r.timestamp, r.partition, r.offset))


def _reached(at: dict[int, int], ends: dict[int, int]) -> bool:
    return all(at[partition] >= end for partition, end in ends.items())
