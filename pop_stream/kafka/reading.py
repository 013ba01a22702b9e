"""Reads records of a topic without a group: nobody is disturbed, nothing is committed."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TypeAlias

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from pop_stream.errors import WorkFailedError, missing_topic, no_right_to_read
from pop_stream.kafka.admin import connected_admin
from pop_stream.kafka.allowed import is_hidden, topics_named
from pop_stream.kafka.clients import consumer_of
from pop_stream.kafka.header_names import read_any_header_name
from pop_stream.settings import Settings

Record: TypeAlias = "ConsumerRecord[bytes | None, bytes | None]"

#: Kafka gives the first batch whatever its size; of more than that only one record is wanted.
_FIRST_BYTES = 16 * 1024
_WAIT_MS = 500


@asynccontextmanager
async def reader(settings: Settings, **options: object) -> AsyncIterator[AIOKafkaConsumer]:
    """Give a consumer that belongs to no group. Raises KafkaError."""
    read_any_header_name()
    consumer = consumer_of(
        settings,
        client_id="pop-stream-reader",
        group_id=None,
        enable_auto_commit=False,
        # Only where an offset is gone, which the caller sees.
        auto_offset_reset="earliest",
        **options,
    )
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


async def spans_of(settings: Settings, topic: str) -> dict[TopicPartition, tuple[int, int]]:
    """Where each partition of a topic begins and ends now: `[from, to)`.

    Raises KafkaUnreachableError, TopicsMissingError, and WorkFailedError when Kafka refuses.
    """
    async with connected_admin(settings) as admin:
        (described,) = await topics_named(admin, [topic])
        if is_hidden(described):
            raise no_right_to_read(topic)
        places = [TopicPartition(topic, one["partition"]) for one in described["partitions"]]
        if not places:
            raise missing_topic(topic)
        async with reader(settings) as consumer:
            begins = await consumer.beginning_offsets(places)
            ends = await consumer.end_offsets(places)
    return {place: (begins[place], ends[place]) for place in places}


async def first_records(
    settings: Settings,
    spans: Mapping[TopicPartition, tuple[int, int]],
    *,
    within_seconds: float = 15.0,
) -> dict[TopicPartition, Record]:
    """The first record of each span of offsets, `[from, to)`; none where there are only gaps.

    Raises KafkaError, and WorkFailedError when records do not come in time.
    """
    found: dict[TopicPartition, Record] = {}
    if not spans:
        return found
    async with reader(settings, max_partition_fetch_bytes=_FIRST_BYTES) as consumer:

        def take(record: Record) -> None:
            place = TopicPartition(record.topic, record.partition)
            found.setdefault(place, record)

        await _read(consumer, spans, take, within_seconds, is_enough=lambda place: place in found)
    return found


async def read_all(
    settings: Settings,
    spans: Mapping[TopicPartition, tuple[int, int]],
    take: Callable[[Record], None],
    *,
    within_seconds: float,
) -> None:
    """Give every record of spans of offsets, `[from, to)`, to `take`; each partition in order.

    Raises KafkaError, and WorkFailedError when for so long nothing comes.
    """
    if spans:
        async with reader(settings) as consumer:
            await _read(consumer, spans, take, within_seconds, is_enough=lambda _: False)


async def _read(
    consumer: AIOKafkaConsumer,
    spans: Mapping[TopicPartition, tuple[int, int]],
    take: Callable[[Record], None],
    within_seconds: float,
    *,
    is_enough: Callable[[TopicPartition], bool],
) -> None:
    consumer.assign(list(spans))
    for place, (begin, _) in spans.items():
        consumer.seek(place, begin)
    left = set(spans)
    clock = asyncio.get_running_loop().time
    deadline = clock() + within_seconds
    while left:
        batches = await consumer.getmany(*left, timeout_ms=_WAIT_MS)
        for place, records in batches.items():
            for record in records:
                if record.offset < spans[place][1]:
                    take(record)
        if batches:
            deadline = clock() + within_seconds
        # By its position, for the last offset may be a transaction's mark.
        for place in list(left):
            if is_enough(place) or await consumer.position(place) >= spans[place][1]:
                left.discard(place)
                consumer.pause(place)
        if left and clock() > deadline:
            raise WorkFailedError(
                f"no records came for {within_seconds:g} s: "
                + ", ".join(sorted(f"{place.topic}/{place.partition}" for place in left))
            )
