import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any, cast

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import IllegalStateError, KafkaConnectionError, MessageSizeTooLargeError
from aiokafka.structs import ConsumerRecord, TopicPartition

from pop_stream.pop.redrive import RedriveSchedule
from pop_stream.pop.trail import redrives_of
from pop_stream.stream import consuming
from pop_stream.stream.redriver import RedriveConduct, Redriver
from pop_stream.watch.tally import Tally
from tests.unit.stream.fakes import (
    FAILURE,
    RETRY,
    FakeKafka,
    NotedAbort,
    consumer_record,
    turns,
    until,
)
from tests.unit.stream.scene import POP_ID

PLACE = TopicPartition(FAILURE, 0)
TRANSIENT = [("pop-id", b"x"), ("pop-reason", b"transient")]
REJECTED = [("pop-id", b"y"), ("pop-reason", b"rejected")]


class FakeConsumer:
    """A partition of the failure topic, read as aiokafka reads: from a position, unless paused."""

    def __init__(self, records: Sequence[ConsumerRecord[bytes, bytes]]) -> None:
        self.records = list(records)
        self.position = 0
        self.is_paused = False
        self.started = 0
        self.stopped = 0
        self.committed: list[int] = []
        self.errors: list[Exception] = []

    async def start(self) -> None:
        self.started += 1

    async def stop(self) -> None:
        self.stopped += 1

    async def getmany(self, **_: Any) -> dict[TopicPartition, list[ConsumerRecord[bytes, bytes]]]:
        await asyncio.sleep(0.001)
        records = [] if self.is_paused else self.records[self.position :]
        self.position += len(records)
        return {PLACE: records} if records else {}

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.committed.append(offsets[PLACE])

    def seek(self, _: TopicPartition, offset: int) -> None:
        self.position = offset

    def pause(self, _: TopicPartition) -> None:
        self.is_paused = True

    def resume(self, _: TopicPartition) -> None:
        self.is_paused = False

    def assignment(self) -> set[TopicPartition]:
        return {PLACE}


class FakeSettled(set[str]):
    """The marks, which are read when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.read = asyncio.Event()
        self.read.set()

    async def until_read(self) -> None:
        await self.read.wait()


class Scene:
    """A redriver of one step among its neighbours. Make it in a running loop."""

    def __init__(self, *headers: list[tuple[str, bytes]], ago: float = 100, wait: int = 60) -> None:
        parked_at = int((time.time() - ago) * 1000)
        self.consumer = FakeConsumer(
            [
                consumer_record(FAILURE, n, b"v", headers=h, timestamp=parked_at)
                for n, h in enumerate(headers)
            ]
        )
        self.kafka = FakeKafka()
        self.abort = NotedAbort()
        self.tally = Tally()
        self.is_held = False
        self.settled = FakeSettled()
        self.redriver = Redriver(
            RedriveConduct(
                schedule=RedriveSchedule((wait,)),
                make_consumer=lambda _: cast("AIOKafkaConsumer", self.consumer),
                retry_topic=RETRY,
                events_per_second=1000.0,
            ),
            confirm=self.kafka.confirm,
            settled=self.settled,
            is_held=lambda: self.is_held,
            tally=self.tally,
            abort=self.abort,
        )
        self.redriver.start()

    @property
    def sent(self) -> int:
        return len(self.kafka.confirmed)


def test_what_is_due_is_sent_back_and_the_rest_passed_over() -> None:
    """Key and value are those that it was parked with; what was passed over is committed too."""

    async def scenario() -> None:
        scene = Scene(TRANSIENT, REJECTED, TRANSIENT, REJECTED)
        await until(lambda: scene.consumer.committed)
        assert scene.consumer.committed == [4]
        assert [one.topic for one in scene.kafka.confirmed] == [RETRY, RETRY]
        assert {redrives_of(one.headers) for one in scene.kafka.confirmed} == {1}
        assert {(one.key, one.value) for one in scene.kafka.confirmed} == {(b"s-1/2", b"v")}
        assert scene.tally.redriven_events == {(): 2}
        await scene.redriver.aclose()
        assert scene.consumer.stopped == 1

    asyncio.run(scenario())


def test_what_is_not_due_keeps_its_partition_waiting() -> None:
    """It is neither sent nor committed before its time, and sent when that has come."""

    async def scenario() -> None:
        scene = Scene(REJECTED, TRANSIENT, ago=0, wait=1)
        await until(lambda: scene.consumer.is_paused)
        assert (scene.sent, scene.consumer.committed) == (0, [1])
        await until(lambda: scene.sent)
        await until(lambda: scene.consumer.committed == [1, 2])
        await scene.redriver.aclose()

    asyncio.run(scenario())


def test_nothing_is_sent_back_while_gstv_is_not_well() -> None:
    """It would only wait elsewhere, or fail once more."""

    async def scenario() -> None:
        scene = Scene(TRANSIENT)
        scene.is_held = True
        await until(lambda: scene.consumer.is_paused)
        assert (scene.sent, scene.consumer.committed) == (0, [])
        scene.is_held = False
        await until(lambda: scene.sent)
        await scene.redriver.aclose()

    asyncio.run(scenario())


def test_what_a_person_has_settled_is_passed_over() -> None:
    """At once, and not when it would be due: it must not hold up those behind it."""

    async def scenario() -> None:
        scene = Scene([("pop-id", POP_ID.encode()), ("pop-reason", b"transient")], REJECTED, ago=0)
        scene.settled.add(POP_ID)
        await until(lambda: scene.consumer.committed == [2])
        assert scene.sent == 0
        await scene.redriver.aclose()

    asyncio.run(scenario())


def test_nothing_is_sent_back_before_the_marks_are_known() -> None:
    """An event that was settled long ago would slip through as the worker starts."""

    async def scenario() -> None:
        scene = Scene(TRANSIENT)
        scene.settled.read.clear()
        await turns(100)
        assert (scene.consumer.started, scene.sent) == (0, 0)
        scene.settled.read.set()
        await until(lambda: scene.sent)
        await scene.redriver.aclose()

    asyncio.run(scenario())


def test_nothing_is_committed_before_the_broker_has_it() -> None:
    """A worker that is killed in between sends it back again, which is better than never."""

    async def scenario() -> None:
        scene = Scene(TRANSIENT)
        scene.kafka.answers.clear()
        await until(lambda: scene.kafka.tries)
        await turns()
        assert scene.consumer.committed == []
        scene.kafka.answers.set()
        await until(lambda: scene.consumer.committed == [1])
        await scene.redriver.aclose()

    asyncio.run(scenario())


def test_a_partition_that_went_to_another_worker_ends_nothing() -> None:
    """The other reads from the last commit; this one goes on with what it has left."""

    async def scenario() -> None:
        scene = Scene(TRANSIENT)
        scene.consumer.errors.append(IllegalStateError())
        await until(lambda: scene.sent and not scene.consumer.errors)
        scene.consumer.records.append(consumer_record(FAILURE, 1, b"v", headers=REJECTED))
        await until(lambda: scene.consumer.committed == [2])
        assert (scene.consumer.started, scene.abort.reasons) == (1, [])
        await scene.redriver.aclose()

    asyncio.run(scenario())


def test_trouble_with_kafka_ends_nothing_and_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Parked events are safe where they are."""
    monkeypatch.setattr(consuming, "AGAIN_SECONDS", 0.01)

    async def scenario() -> None:
        scene = Scene(TRANSIENT)
        scene.consumer.errors.append(KafkaConnectionError())
        await until(lambda: scene.consumer.started == 2)
        assert (scene.consumer.stopped, scene.abort.reasons) == (1, [])
        await scene.redriver.aclose()

    asyncio.run(scenario())


def test_an_event_too_large_for_the_retry_topic_stays_parked_and_blocks_no_other() -> None:
    """Headers make a record larger than it was."""

    async def scenario() -> None:
        scene = Scene(TRANSIENT, TRANSIENT)
        scene.kafka.errors.append(MessageSizeTooLargeError())
        await until(lambda: scene.consumer.committed == [2])
        assert (scene.sent, scene.tally.redriven_events) == (1, {(): 1})
        await scene.redriver.aclose()

    asyncio.run(scenario())


def test_the_unexpected_ends_the_worker() -> None:
    """As everywhere: better anew than half."""

    async def scenario() -> None:
        scene = Scene(TRANSIENT)
        scene.consumer.errors.append(ZeroDivisionError())
        await until(lambda: scene.abort.reasons)
        assert scene.abort.reasons == ["unexpected ZeroDivisionError in redriving"]
        await scene.redriver.aclose()

    asyncio.run(scenario())
