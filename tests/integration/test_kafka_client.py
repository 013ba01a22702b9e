"""What we have aiokafka do otherwise, against a real Kafka."""

import asyncio
from typing import Any, cast

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import MessageSizeTooLargeError
from aiokafka.protocol.fetch import FetchRequest

from pop_stream.kafka.fetch_sessions import fetch_in_sessions
from pop_stream.settings import Settings
from pop_stream.stream.handoff import Outgoing
from pop_stream.stream.transport import Producer
from tests.support.kafka import Outgoing as Sent
from tests.support.kafka import read_all, send

WAIT_MS = 10_000


def record(topic: str, number: int, *, size: int = 100) -> Outgoing:
    """A record with a number for its key and in a header."""
    key = b"%d" % number
    return Outgoing(topic=topic, key=key, value=b"v" * size, headers=[("number", key)])


def confirm_together(settings: Settings, topic: str, records: list[Outgoing]) -> None:
    """Write records with the worker's own code, by a producer like the worker's."""

    async def scenario() -> None:
        async with AIOKafkaProducer(
            bootstrap_servers=settings.kafka_bootstrap_servers,
            acks="all",
            max_batch_size=128 * 1024,
        ) as producer:
            faust_producer = cast(Producer, _Made(producer))
            await Producer.confirm_together(faust_producer, topic, records)

    asyncio.run(scenario())


class _Made:
    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer

    def _ensure_producer(self) -> AIOKafkaProducer:
        return self._producer


def test_what_is_confirmed_together_stands_in_one_partition_in_order(topics: Settings) -> None:
    """Also what takes several batches; keys, values and headers as they were."""
    topic = topics.retry_topic
    sent = [record(topic, number, size=1000) for number in range(400)]

    confirm_together(topics, topic, sent)

    found = asyncio.run(read_all(topics.kafka_bootstrap_servers, topic))
    assert len({one.partition for one in found}) == 1
    assert [(one.key, one.value, list(one.headers)) for one in found] == [
        (one.key, one.value, one.headers) for one in sent
    ]


def test_one_that_is_too_large_is_told_of(topics: Settings) -> None:
    """The hand-off then writes the others by themselves."""
    topic = topics.retry_topic

    with pytest.raises(MessageSizeTooLargeError):
        confirm_together(topics, topic, [record(topic, 1), record(topic, 2, size=3_000_000)])


@pytest.fixture
def named(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many partitions each fetch names."""
    counts: list[int] = []
    build = FetchRequest.build

    def counting(self: FetchRequest, version: Any) -> Any:
        counts.append(sum(len(partitions) for _, partitions in self._topics))
        return build(self, version)

    monkeypatch.setattr(FetchRequest, "build", counting)
    return counts


def test_fetches_in_a_session_miss_nothing_and_name_little(
    topics: Settings, named: list[int]
) -> None:
    """Records come one by one, on one partition of many; then one is read again from its begin."""
    servers, topic = topics.kafka_bootstrap_servers, topics.events_topic

    async def scenario() -> list[bytes | None]:
        consumer = AIOKafkaConsumer(bootstrap_servers=servers)
        fetch_in_sessions(consumer)
        async with consumer:
            places = [
                TopicPartition(each, number)
                for each in (topic, topics.retry_topic, topics.failure_topic)
                for number in range(await _partitions(consumer, each))
            ]
            consumer.assign(places)
            await consumer.seek_to_beginning(*places)
            got = []
            for number in range(20):
                one = Sent(key=b"k", value=b"%d" % number)
                await asyncio.to_thread(send, topics, [one])
                async with asyncio.timeout(WAIT_MS / 1000):
                    got.append((await consumer.getone()).value)
            await consumer.seek_to_beginning(*places)
            async with asyncio.timeout(WAIT_MS / 1000):
                got += [(await consumer.getone()).value for _ in range(20)]
            return got

    assert asyncio.run(scenario()) == [b"%d" % number for number in (*range(20), *range(20))]
    assert max(named) > 2
    assert sorted(named)[len(named) // 2] <= 1


async def _partitions(consumer: AIOKafkaConsumer, topic: str) -> int:
    consumer._client.add_topic(topic)
    await consumer._client.force_metadata_update()
    return len(consumer.partitions_for_topic(topic) or ())
