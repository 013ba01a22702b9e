"""The way with FastStream and aiohttp.

FastStream's concurrent subscriber (`max_workers`) either commits an event before it is delivered,
or takes one event of a partition at a time. Who wants both, all at once and a commit after
success, subscribes to batches and posts the events of a batch together: that is `batches`.
`workers` is the concurrent subscriber that commits after success, and so has no more POSTs under
way than the topic has partitions. Bodies are passed on as they are, not decoded, and no line is
logged for each.

    python -m bench.peers.faststream_aiohttp batches
"""

import asyncio
import logging
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import aiohttp
import uvloop
from aiokafka import AIOKafkaConsumer
from faststream import AckPolicy, FastStream
from faststream.kafka import KafkaBroker, KafkaMessage

from bench.peers.job import Job

_EVENTS_A_BATCH = 1000


class Partner:
    """Posts events over a session that all share."""

    session: aiohttp.ClientSession

    def __init__(self, job: Job) -> None:
        self._job = job
        self._room = asyncio.Semaphore(job.in_flight)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Keep the session for the time of the block."""
        connector = aiohttp.TCPConnector(limit=self._job.in_flight)
        headers = {"Content-Type": "application/json"}
        async with aiohttp.ClientSession(connector=connector, headers=headers) as self.session:
            yield

    async def post(self, event: bytes) -> None:
        """Deliver an event; without success it raises."""
        async with self._room, self.session.post(self._job.url, data=event) as response:
            response.raise_for_status()


async def take_bytes(message: KafkaMessage) -> object:
    """Decode nothing: the bytes of an event, or those of each of a batch."""
    return message.body


async def batches(job: Job) -> FastStream:
    """Make the app that posts the events of a batch together, and commits after each batch."""
    broker, partner = _broker(job), Partner(job)

    @broker.subscriber(
        job.topic,
        group_id=job.group,
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.NACK_ON_ERROR,
        batch=True,
        max_records=_EVENTS_A_BATCH,
    )
    async def forward(events: Sequence[bytes]) -> None:
        await asyncio.gather(*map(partner.post, events))

    return FastStream(broker, lifespan=partner.open)


async def workers(job: Job) -> FastStream:
    """Make the app that has a consumer for each partition, and commits after each event."""
    broker, partner = _broker(job), Partner(job)

    @broker.subscriber(
        job.topic,
        group_id=job.group,
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.NACK_ON_ERROR,
        # More would have nothing to do.
        max_workers=min(job.in_flight, await _partitions(job)),
    )
    async def forward(event: bytes) -> None:
        await partner.post(event)

    return FastStream(broker, lifespan=partner.open)


def _broker(job: Job) -> KafkaBroker:
    return KafkaBroker(job.broker, apply_types=False, decoder=take_bytes, log_level=logging.DEBUG)


async def _partitions(job: Job) -> int:
    async with AIOKafkaConsumer(job.topic, bootstrap_servers=job.broker) as consumer:
        return len(consumer.partitions_for_topic(job.topic))


async def main(how: str) -> None:
    """Do the job until SIGTERM."""
    make_app = {"batches": batches, "workers": workers}[how]
    app = await make_app(Job.from_environment(os.environ))
    await app.run()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
