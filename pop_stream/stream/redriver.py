"""Sends parked events back by themselves, so that what GSTV failed for a while gets through.

Each step of the schedule is a consumer group of its own on the failure topic: all events of a step
wait equally long, so that the first that is not due yet stands for all behind it in its partition.
Each reason has steps of its own, for one may be redriven from a later day on.
An event that fails again is parked anew, with one redrive more, and belongs to the next step.

A record is committed once the broker has the event on the retry topic. A crash in between sends it
twice, under the same id. What a person has settled is passed over.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import (
    CommitFailedError,
    IllegalStateError,
    MessageSizeTooLargeError,
)
from aiokafka.structs import ConsumerRecord, TopicPartition

from pop_stream.kafka.clients import consumer_of
from pop_stream.kafka.header_names import read_any_header_name
from pop_stream.pop.pace import Bucket
from pop_stream.pop.redrive import RedriveSchedule, Step, redrive_group
from pop_stream.pop.trail import Origin, redriven, trail_from_own_topic
from pop_stream.settings import Settings
from pop_stream.stream.abort import Abort
from pop_stream.stream.claim import now_ms
from pop_stream.stream.consuming import STOP_SECONDS, keep_consuming
from pop_stream.stream.handoff import Confirm
from pop_stream.watch.tally import Tally

log = logging.getLogger(__name__)

#: So few that they are written within seconds at a low rate: only then are they committed.
_MOST_RECORDS = 50
_LOOK_SECONDS = 1.0
#: Not due, or GSTV is not well: the partition is looked at again after so long at most.
_LONGEST_PAUSE_SECONDS = 30.0

MakeConsumer = Callable[[Step], AIOKafkaConsumer]


@dataclass(frozen=True, slots=True, kw_only=True)
class RedriveConduct:
    """When parked events are sent back, where from and where to, and how many a second."""

    schedule: RedriveSchedule
    #: Makes the consumer of the failure topic for a step.
    make_consumer: MakeConsumer
    retry_topic: str
    events_per_second: float


class Settled(Protocol):
    """The events that people have settled, by pop-id."""

    async def until_read(self) -> None:
        """Wait until all marks that there were at the start are known."""

    def __contains__(self, pop_id: str, /) -> bool: ...


class Redriver:
    """All steps of the schedule, each a task. Belongs to one event loop."""

    def __init__(
        self,
        conduct: RedriveConduct,
        *,
        confirm: Confirm,
        settled: Settled,
        is_held: Callable[[], bool],
        tally: Tally,
        abort: Abort,
    ) -> None:
        """`is_held`: GSTV takes nothing for now."""
        self._conduct = conduct
        self._confirm = confirm
        self._settled = settled
        self._is_held = is_held
        self._bucket = Bucket()
        self._tally = tally
        self._abort = abort
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin with all steps."""
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self._run(step)) for step in self._conduct.schedule.steps]

    async def aclose(self) -> None:
        """End all steps. What was sent back and is not committed is sent back again."""
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=STOP_SECONDS + 1)

    async def _run(self, step: Step) -> None:
        with self._abort.on_error("redriving"):
            await self._settled.until_read()
            await keep_consuming(
                lambda: self._conduct.make_consumer(step),
                lambda consumer: self._consume(consumer, step),
                # Parked events are safe where they are: no reason to end the worker.
                lambda error: log.warning(
                    "redrive.failed", extra=_facts(step) | {"error": repr(error)}
                ),
            )

    async def _consume(self, consumer: AIOKafkaConsumer, step: Step) -> None:
        paused: dict[TopicPartition, float] = {}
        while True:
            _resume_due(consumer, paused)
            batches = await consumer.getmany(
                timeout_ms=int(_LOOK_SECONDS * 1000), max_records=_MOST_RECORDS
            )
            try:
                for place, records in batches.items():
                    await self._redrive(consumer, step, place, records, paused)
            except (CommitFailedError, IllegalStateError):
                # The partition went to another worker meanwhile, which reads it from its commit.
                log.info("redrive.partition_lost", extra=_facts(step))

    async def _redrive(
        self,
        consumer: AIOKafkaConsumer,
        step: Step,
        place: TopicPartition,
        records: Sequence[ConsumerRecord[bytes, bytes]],
        paused: dict[TopicPartition, float],
    ) -> None:
        position = records[0].offset
        sent: list[asyncio.Task[None]] = []
        for record in records:
            due = self._conduct.schedule.due(record.headers, record.timestamp, step=step)
            if due is not None and not self._is_settled(record):
                seconds = (due - now_ms()) / 1000
                if seconds > 0 or self._is_held():
                    consumer.seek(place, record.offset)
                    consumer.pause(place)
                    wait = min(max(seconds, _LOOK_SECONDS), _LONGEST_PAUSE_SECONDS)
                    paused[place] = time.monotonic() + wait
                    break
                await self._until_allowed()
                sent.append(asyncio.create_task(self._send_back(record)))
            position = record.offset + 1
        await asyncio.gather(*sent)
        if position > records[0].offset:
            await consumer.commit({place: position})
        if sent:
            log.info("failure.redriven", extra=_facts(step) | {"partition": place.partition,
                                                               "events": len(sent)})  # fmt: skip

    def _is_settled(self, record: ConsumerRecord[bytes, bytes]) -> bool:
        here = Origin(record.topic, record.partition, record.offset, record.timestamp)
        return trail_from_own_topic(record.headers, here).pop_id in self._settled

    async def _until_allowed(self) -> None:
        rate = self._conduct.events_per_second
        # Again and again, for another step may have been faster.
        while (seconds := self._bucket.ready_in(time.monotonic(), rate)) > 0:  # noqa: ASYNC110
            await asyncio.sleep(seconds)
        self._bucket.take(1)

    async def _send_back(self, record: ConsumerRecord[bytes, bytes]) -> None:
        headers = redriven(record.headers)
        try:
            await self._confirm(
                self._conduct.retry_topic, key=record.key, value=record.value, headers=headers
            )
        except MessageSizeTooLargeError:
            # It would stand before all others for good; it stays parked instead.
            facts = {"partition": record.partition, "offset": record.offset}
            log.error("redrive.too_large", extra=facts)  # noqa: TRY400 - no trace would help
        else:
            self._tally.redriven_events[()] += 1


def consumer_maker(settings: Settings) -> MakeConsumer:
    """How the consumer of each step is made: each of a group of its own."""

    def make(step: Step) -> AIOKafkaConsumer:
        read_any_header_name()
        group = redrive_group(settings.group, step)
        return consumer_of(
            settings,
            settings.failure_topic,
            client_id=group,
            group_id=group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            # There is no hurry, and most of the time nothing to fetch.
            fetch_max_wait_ms=2000,
            fetch_max_bytes=1024 * 1024,
            max_partition_fetch_bytes=256 * 1024,
            session_timeout_ms=int(settings.session_timeout_seconds * 1000),
            heartbeat_interval_ms=int(settings.session_timeout_seconds * 250),
            max_poll_interval_ms=86_400_000,
        )

    return make


def _facts(step: Step) -> dict[str, object]:
    return {"reason": step.reason, "step": step.number + 1}


def _resume_due(consumer: AIOKafkaConsumer, paused: dict[TopicPartition, float]) -> None:
    now = time.monotonic()
    for place in [place for place, until in paused.items() if until <= now]:
        del paused[place]
        if place in consumer.assignment():
            consumer.resume(place)
