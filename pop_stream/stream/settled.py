"""Which parked events people have settled, read from their topic and kept up to date."""

import asyncio
import logging
from collections.abc import Callable, Mapping

from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from pop_stream.kafka.clients import consumer_of
from pop_stream.kafka.header_names import read_any_header_name
from pop_stream.pop.settlement import note_mark
from pop_stream.settings import Settings
from pop_stream.stream.abort import Abort
from pop_stream.stream.consuming import STOP_SECONDS, keep_consuming

log = logging.getLogger(__name__)


class Settled:
    """A set of pop-ids. Belongs to one event loop."""

    def __init__(self, make_consumer: Callable[[], AIOKafkaConsumer], abort: Abort) -> None:
        self._make_consumer = make_consumer
        self._abort = abort
        self._pop_ids: set[str] = set()
        self._is_read = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to read."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def until_read(self) -> None:
        """Wait until all marks that there were at the start are known."""
        await self._is_read.wait()

    def __contains__(self, pop_id: str) -> bool:
        return pop_id in self._pop_ids

    async def aclose(self) -> None:
        """Read no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task], timeout=STOP_SECONDS + 1)

    async def _run(self) -> None:
        with self._abort.on_error("reading which events are settled"):
            await keep_consuming(
                self._make_consumer,
                self._read,
                # Nothing is redriven before the marks are known, and parked events are safe.
                lambda error: log.warning("settled.unread", extra={"error": repr(error)}),
            )

    async def _read(self, consumer: AIOKafkaConsumer) -> None:
        ends: Mapping[TopicPartition, int] = await consumer.end_offsets(consumer.assignment())
        while True:
            if not self._is_read.is_set() and await _has_reached(consumer, ends):
                log.info("settled.read", extra={"events": len(self._pop_ids)})
                self._is_read.set()
            for records in (await consumer.getmany(timeout_ms=1000)).values():
                for record in records:
                    note_mark(self._pop_ids, record.key, record.value)


async def _has_reached(consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]) -> bool:
    positions = [await consumer.position(place) >= end for place, end in ends.items()]
    return all(positions)


def settled_consumer(settings: Settings) -> AIOKafkaConsumer:
    """A consumer of all partitions from their beginning, which belongs to no group."""
    read_any_header_name()
    return consumer_of(
        settings,
        settings.settled_topic,
        client_id=f"{settings.group}-settled",
        group_id=None,
        auto_offset_reset="earliest",
        # There is no hurry, and most of the time nothing to fetch.
        fetch_max_wait_ms=2000,
        fetch_max_bytes=1024 * 1024,
        metadata_max_age_ms=30_000,
    )
