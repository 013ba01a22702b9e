"""Commits for groups that nobody is in, as a worker would have left them."""

import asyncio
from collections.abc import Mapping

import aiokafka
from aiokafka.structs import OffsetAndMetadata
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from pop_stream.pop.done_map import encode_done, ranges_of
from pop_stream.settings import Settings

_SECONDS = 30.0


def commit(
    settings: Settings,
    topic: str,
    offsets: Mapping[int, int],
    *,
    beyond: frozenset[int] = frozenset(),
    group: str | None = None,
) -> None:
    """Let a group have committed offsets of a topic, by partition.

    `beyond` is noted as done beyond each of them; `group` None: the workers' group.
    """
    given = {
        aiokafka.TopicPartition(topic, partition): OffsetAndMetadata(
            offset, encode_done(offset, ranges_of(beyond))
        )
        for partition, offset in offsets.items()
    }
    asyncio.run(_commit(settings, group or settings.group, given))


async def _commit(
    settings: Settings,
    group: str,
    offsets: Mapping[aiokafka.TopicPartition, OffsetAndMetadata],
) -> None:
    # Assigned, not subscribed: it commits without joining the group.
    async with aiokafka.AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap_servers,
        group_id=group,
        enable_auto_commit=False,
    ) as consumer:
        consumer.assign(list(offsets))
        await consumer.commit(dict(offsets))


def delete_below(settings: Settings, topic: str, offsets: Mapping[int, int]) -> None:
    """Delete the records of a topic below an offset of each partition, as retention does."""
    admin = AdminClient({"bootstrap.servers": settings.kafka_bootstrap_servers})
    places = [TopicPartition(topic, number, offset) for number, offset in offsets.items()]
    for answer in admin.delete_records(places).values():
        answer.result(_SECONDS)
