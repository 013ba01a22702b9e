"""The way without a framework: aiokafka's consumer and one aiohttp session, by hand.

A task for each event, as many at once as a semaphore lets through. The consumer commits by hand,
as its documentation asks of whoever handles many at once: every second, and no further than the
first event of a partition that is not delivered yet.

    python -m bench.peers.aiokafka_aiohttp
"""

import asyncio
import os
import signal
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field

import aiohttp
import uvloop
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition

from bench.peers.job import Job

_COMMIT_SECONDS = 1.0
_RECORDS_AT_ONCE = 500


@dataclass(slots=True)
class Progress:
    """What may be committed of one partition."""

    #: Those that are not delivered, lowest first: a dict keeps the order of insertion.
    under_way: dict[int, None] = field(default_factory=dict)
    after_last: int = 0

    def start(self, offset: int) -> None:
        """An event is about to be posted; they come in the order of their offsets."""
        self.under_way[offset] = None
        self.after_last = offset + 1

    def committable(self) -> int:
        """The offset below which everything is delivered."""
        return next(iter(self.under_way), self.after_last)


class Forwarder(ConsumerRebalanceListener):
    """Posts what the consumer reads, and commits what is delivered."""

    def __init__(
        self, consumer: AIOKafkaConsumer, session: aiohttp.ClientSession, url: str, in_flight: int
    ) -> None:
        self._consumer = consumer
        self._session = session
        self._url = url
        self._in_flight = in_flight
        self._room = asyncio.Semaphore(in_flight)
        self._progress: defaultdict[TopicPartition, Progress] = defaultdict(Progress)
        self._committed: dict[TopicPartition, int] = {}

    async def run(self) -> None:
        """Forward until cancelled, or until a POST fails."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._commit_now_and_then())
            while True:
                batches = await self._consumer.getmany(
                    timeout_ms=1000, max_records=_RECORDS_AT_ONCE
                )
                for partition, records in batches.items():
                    progress = self._progress[partition]
                    for record in records:
                        await self._room.acquire()
                        progress.start(record.offset)
                        group.create_task(self._post(record, progress))

    async def _post(
        self, record: ConsumerRecord[bytes | None, bytes | None], progress: Progress
    ) -> None:
        async with self._session.post(self._url, data=record.value) as response:
            response.raise_for_status()
        del progress.under_way[record.offset]
        self._room.release()

    async def _commit_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(_COMMIT_SECONDS)
            await self.commit()

    async def commit(self) -> None:
        """Commit what was delivered since the last time."""
        offsets = {partition: each.committable() for partition, each in self._progress.items()}
        if new := dict(offsets.items() - self._committed.items()):
            await self._consumer.commit(new)
            self._committed |= new

    async def on_partitions_revoked(self, revoked: Collection[TopicPartition]) -> None:
        """Deliver what is under way, and commit it before another consumer goes on with it."""
        for _ in range(self._in_flight):
            await self._room.acquire()
        await self.commit()
        for partition in revoked:
            self._progress.pop(partition, None)
            self._committed.pop(partition, None)
        for _ in range(self._in_flight):
            self._room.release()

    async def on_partitions_assigned(self, assigned: Collection[TopicPartition]) -> None:
        """Nothing is to be done: the consumer goes on where the group has committed."""


async def forward(job: Job) -> None:
    """Do the job until SIGTERM."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=job.broker,
        group_id=job.group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=job.in_flight),
        headers={"Content-Type": "application/json"},
    )
    async with session:
        forwarder = Forwarder(consumer, session, job.url, job.in_flight)
        consumer.subscribe([job.topic], listener=forwarder)
        async with consumer:
            running = asyncio.create_task(forwarder.run())
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, running.cancel)
            try:
                await running
            except asyncio.CancelledError:
                await forwarder.commit()


if __name__ == "__main__":
    uvloop.run(forward(Job.from_environment(os.environ)))
