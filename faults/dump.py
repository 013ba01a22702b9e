"""Reads all topics of a run, and all commits of its group, by another client than the worker's."""

import hashlib
import time
from collections.abc import Iterator, Mapping
from typing import Any, cast

from confluent_kafka import Consumer, Message, TopicPartition

from faults.commit_log import OFFSETS_TOPIC, parse_commit, parse_generation
from faults.evidence import Commit, Generation, Receipt, Record, as_text

_PATIENCE_SECONDS = 120.0
_TIMEOUT_SECONDS = 30.0


def records_of(servers: str, topics: Mapping[str, str]) -> Iterator[Record]:
    """Read all that stands on the topics, given by role, up to their present ends."""
    for role, topic in topics.items():
        for message in _messages(servers, topic):
            value = message.value()
            yield Record(
                topic=role,
                partition=_number(message.partition()),
                offset=_number(message.offset()),
                timestamp_ms=message.timestamp()[1],
                key=as_text(_bytes(message.key())),
                sha256=hashlib.sha256(_bytes(value) or b"").hexdigest(),
                headers=dict(_headers(message)),
            )


def receipts_of(servers: str, topic: str) -> Iterator[Receipt]:
    """Read all that stands on the receipts topic."""
    for message in _messages(servers, topic):
        yield Receipt(
            partition=_number(message.partition()),
            offset=_number(message.offset()),
            timestamp_ms=message.timestamp()[1],
            key=as_text(_bytes(message.key())),
            value=as_text(_bytes(message.value())),
        )


def commits_of(servers: str, group: str, topics: Mapping[str, str]) -> Iterator[Commit]:
    """Read all that a group ever committed for these topics, partition by partition in order."""
    roles = {topic: role for role, topic in topics.items()}
    for message in _messages(servers, OFFSETS_TOPIC):
        for commit in parse_commit(_bytes(message.key()), _bytes(message.value())):
            if commit.group == group and commit.topic in roles:
                yield Commit(
                    topic=roles[commit.topic],
                    partition=commit.partition,
                    offset=commit.offset,
                    at_ms=commit.at_ms,
                    metadata=commit.metadata,
                )


def generations_of(servers: str, group: str) -> Iterator[Generation]:
    """Read when the group's rebalances ended."""
    for message in _messages(servers, OFFSETS_TOPIC):
        found = parse_generation(_bytes(message.key()), _bytes(message.value()))
        if found is not None and found[0] == group:
            yield Generation(at_ms=message.timestamp()[1], number=found[1])


def _messages(servers: str, topic: str) -> Iterator[Message]:
    consumer = _consumer(servers)
    try:
        bounds = _bounds(consumer, topic)
        left = {place.partition: end for place, (low, end) in bounds.items() if end > low}
        consumer.assign([TopicPartition(topic, p, bounds[TopicPartition(topic, p)][0])
                         for p in left])  # fmt: skip
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while left:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{topic} cannot be read to its end: {left} left")
            for message in consumer.consume(5000, timeout=1.0):
                if message.error() is None and message.partition() in left:
                    yield message
            for place in consumer.position(list(consumer.assignment())):
                # Records that are no data (a transaction's marks) count as read too.
                if place.offset >= left.get(place.partition, 1 << 62):
                    del left[place.partition]
    finally:
        consumer.close()


def _bounds(consumer: Consumer, topic: str) -> dict[TopicPartition, tuple[int, int]]:
    found = consumer.list_topics(topic, timeout=_TIMEOUT_SECONDS).topics[topic]
    places = [TopicPartition(topic, number) for number in found.partitions]
    return {
        place: consumer.get_watermark_offsets(place, timeout=_TIMEOUT_SECONDS) for place in places
    }


def _consumer(servers: str) -> Consumer:
    return Consumer(
        {
            "bootstrap.servers": servers,
            # It never joins: partitions are assigned by hand, and nothing is committed.
            "group.id": "faults-reader",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "log_level": 2,
        }
    )


def _headers(message: Message) -> Iterator[tuple[str, str]]:
    headers = cast("list[tuple[str, bytes | None]]", message.headers() or [])
    for name, value in headers:
        try:
            yield name, (value or b"").decode()
        except UnicodeDecodeError:
            continue


def _bytes(value: Any) -> bytes | None:
    return value.encode() if isinstance(value, str) else value


def _number(value: int | None) -> int:
    return -1 if value is None else value
