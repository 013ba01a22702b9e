"""Watches a run from outside: reads the topics without a group, asks what is committed."""

import asyncio
from contextlib import suppress
from typing import Self

from aiokafka import ConsumerRecord, TopicPartition

from pop_stream.demo.records import SeenRecord, TopicNames
from pop_stream.demo.sightings import Committed, Sightings
from pop_stream.kafka.clients import admin_of, consumer_of
from pop_stream.kafka.header_names import read_any_header_name
from pop_stream.settings import Settings

_LOOK_MS = 100


class Observer:
    """Reads all records that come to the topics from now on. Commits nothing, joins no group."""

    def __init__(
        self,
        sightings: Sightings,
        topics: TopicNames,
        *,
        settings: Settings,
    ) -> None:
        """Take the settings of the workers that are observed."""
        self._sightings = sightings
        self._topics = topics
        self._group = settings.group
        read_any_header_name()
        self._consumer = consumer_of(
            settings, enable_auto_commit=False, auto_offset_reset="earliest"
        )
        self._admin = admin_of(settings)

    async def __aenter__(self) -> Self:
        try:
            await self._begin()
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._end()

    async def look(self, seconds: float) -> None:
        """Take in what is new, waiting a moment for it; `seconds` is the time in the run."""
        fetched = await self._consumer.getmany(timeout_ms=_LOOK_MS)
        for records in fetched.values():
            for record in records:
                self._sightings.record(_seen(record), seconds)

    async def look_at_all(self, seconds: float) -> None:
        """Take in everything that is on the topics by now."""
        ends = await self._consumer.end_offsets(self._consumer.assignment())
        while any([await self._consumer.position(tp) < end for tp, end in ends.items()]):
            await self.look(seconds)

    async def committed(self) -> Committed:
        """Say what the worker has committed, all its groups together."""
        found: dict[tuple[str, int], int] = {}
        for group, *_ in await self._admin.list_consumer_groups():
            if not group.startswith(self._group):
                continue
            offsets = await self._admin.list_consumer_group_offsets(group)
            for partition, at in offsets.items():
                place = partition.topic, partition.partition
                found[place] = max(found.get(place, 0), at.offset)
        return found

    async def uncommitted(self) -> int:
        """Count the records that the worker has not committed."""
        consumed = [
            partition
            for partition in self._consumer.assignment()
            if partition.topic != self._topics.notifications
        ]
        ends = await self._consumer.end_offsets(consumed)
        begins = await self._consumer.beginning_offsets(consumed)
        committed = await self.committed()
        return sum(
            end - committed.get((tp.topic, tp.partition), begins[tp]) for tp, end in ends.items()
        )

    async def _begin(self) -> None:
        await self._consumer.start()
        await self._admin.start()
        topics = self._topics
        names = [topics.events, topics.retry, topics.failure, topics.notifications]
        watched = [
            TopicPartition(topic["topic"], partition["partition"])
            for topic in await self._admin.describe_topics(names)
            for partition in topic["partitions"]
        ]
        self._consumer.assign(watched)
        for partition, offset in (await self._consumer.end_offsets(watched)).items():
            self._consumer.seek(partition, offset)

    async def _end(self) -> None:
        # Without a broker aiokafka lets the cancellation of its own tasks out of stop().
        with suppress(asyncio.CancelledError):
            await self._consumer.stop()
        await self._admin.close()


def _seen(record: ConsumerRecord[bytes | None, bytes | None]) -> SeenRecord:
    return SeenRecord(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        key=record.key,
        headers=dict(record.headers),
    )
