"""The marks of settled events, as a worker knows them."""

import asyncio
from collections.abc import Iterable
from typing import Any, cast

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaConnectionError
from aiokafka.structs import ConsumerRecord, TopicPartition

from pop_stream.stream import consuming
from pop_stream.stream.settled import Settled
from tests.unit.stream.fakes import NotedAbort, consumer_record, turns, until
from tests.unit.stream.scene import POP_ID

PLACE = TopicPartition("settled", 0)
YES, NO = b'{"settled": true}', b'{"settled": false}'
OTHER = POP_ID.replace("0", "1")


class FakeConsumer:
    """The topic, of which the test says how far it can be read by now."""

    def __init__(self, records: Iterable[ConsumerRecord[bytes, bytes]]) -> None:
        self.records = list(records)
        self.readable = len(self.records)
        self.at = 0
        self.started = self.stopped = 0
        self.errors: list[Exception] = []

    async def start(self) -> None:
        self.started += 1
        self.at = 0

    async def stop(self) -> None:
        self.stopped += 1

    def assignment(self) -> set[TopicPartition]:
        return {PLACE}

    async def end_offsets(self, _: Any) -> dict[TopicPartition, int]:
        return {PLACE: len(self.records)}

    async def position(self, _: TopicPartition) -> int:
        return self.at

    async def getmany(self, **_: Any) -> dict[TopicPartition, list[ConsumerRecord[bytes, bytes]]]:
        await asyncio.sleep(0.001)
        if self.errors:
            raise self.errors.pop(0)
        records = self.records[self.at : self.readable]
        self.at += len(records)
        return {PLACE: records} if records else {}


class Scene:
    """Make it in a running loop."""

    def __init__(self, *marks: tuple[str | None, bytes | None]) -> None:
        self.consumer = FakeConsumer(
            consumer_record("settled", n, value, key=None if key is None else key.encode())
            for n, (key, value) in enumerate(marks)
        )
        self.abort = NotedAbort()
        self.settled = Settled(lambda: cast("AIOKafkaConsumer", self.consumer), self.abort)


def test_of_two_marks_of_an_event_the_later_counts() -> None:
    """What was taken back is settled no more; what is no mark is passed over."""

    async def scenario() -> None:
        scene = Scene(
            (POP_ID, YES), (OTHER, YES), (None, YES), ("x", YES), (POP_ID, NO), (OTHER, b"{")
        )
        scene.consumer.readable = 2
        scene.settled.start()
        await until(lambda: OTHER in scene.settled)
        assert POP_ID in scene.settled
        scene.consumer.readable = 6
        await until(lambda: POP_ID not in scene.settled)
        assert OTHER not in scene.settled
        await scene.settled.aclose()
        assert (scene.consumer.stopped, scene.abort.reasons) == (1, [])

    asyncio.run(scenario())


def test_it_is_read_only_when_all_that_was_there_is_known() -> None:
    """Also when nothing was there."""

    async def scenario() -> None:
        scene = Scene((POP_ID, YES), (OTHER, YES))
        scene.consumer.readable = 1
        scene.settled.start()
        waiting = asyncio.create_task(scene.settled.until_read())
        await until(lambda: POP_ID in scene.settled)
        await turns()
        assert not waiting.done()
        scene.consumer.readable = 2
        await asyncio.wait_for(waiting, 5)
        assert OTHER in scene.settled
        await scene.settled.aclose()

        empty = Scene()
        empty.settled.start()
        await asyncio.wait_for(empty.settled.until_read(), 5)
        await empty.settled.aclose()

    asyncio.run(scenario())


def test_trouble_with_kafka_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Meanwhile what is known stays known."""
    monkeypatch.setattr(consuming, "AGAIN_SECONDS", 0.01)

    async def scenario() -> None:
        scene = Scene((POP_ID, YES))
        scene.settled.start()
        await until(lambda: POP_ID in scene.settled)
        scene.consumer.errors.append(KafkaConnectionError())
        await until(lambda: scene.consumer.started == 2)
        assert POP_ID in scene.settled
        assert (scene.consumer.stopped, scene.abort.reasons) == (1, [])
        await scene.settled.aclose()

    asyncio.run(scenario())


def test_the_unexpected_ends_the_worker() -> None:
    """As everywhere: better anew than half."""

    async def scenario() -> None:
        scene = Scene()
        scene.consumer.errors.append(ZeroDivisionError())
        scene.settled.start()
        await until(lambda: scene.abort.reasons)
        await scene.settled.aclose()

    asyncio.run(scenario())
