"""Commit safety, judged from outside: no offset may be committed before its events are safe.

Kafka itself keeps the history: every commit that a group ever made is a record of its topic
`__consumer_offsets`, with the broker's time. So no commit goes unseen, however short it stood.
Kafka dates a commit when the request comes in, and our topics' records when they are appended
(LogAppendTime); the mock GSTV dates an answer just before it sends it. All three are clocks of
this machine. A worker that commits only what is safe therefore never has a commit that is dated
before the outcome of an event below it.
"""

import asyncio
import struct
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition

from tests.support.account import Account, Place, attempts_of, id_of, place_of
from tests.support.kafka import DEADLINE_SECONDS

OFFSETS_TOPIC = "__consumer_offsets"


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """One partition's offset as it was committed once."""

    group: str
    topic: str
    partition: int
    offset: int
    #: Epoch milliseconds, by the broker's clock.
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A commit that passed an event which was not safe yet."""

    commit: Commit
    #: The offset that was passed too early.
    offset: int
    #: When that event was safe at last, in epoch milliseconds; None: never.
    safe_at_ms: int | None


def commits_of(bootstrap_servers: str, group: str) -> list[Commit]:
    """Read all commits of a group, in the order in which they were made.

    Kafka compacts closed segments of its log only: of a group as young as a test, all is there.
    """
    return asyncio.run(_read(bootstrap_servers, group))


def violations(account: Account, commits: Iterable[Commit]) -> list[Violation]:
    """Find every commit that passed an event before that was safe."""
    safe_at = _safe_at(account)
    found = []
    reached: dict[tuple[str, int], int] = defaultdict(int)
    for commit in commits:
        # What an earlier commit passed was judged then, by an earlier and so a stricter time.
        first = reached[commit.topic, commit.partition]
        for offset in range(first, commit.offset):
            when = safe_at.get(Place(commit.topic, commit.partition, offset))
            if when is None or when > commit.at_ms:
                found.append(Violation(commit=commit, offset=offset, safe_at_ms=when))
        reached[commit.topic, commit.partition] = max(first, commit.offset)
    return found


def _safe_at(account: Account) -> dict[Place, int]:
    """When each record had a durable outcome: delivered, or confirmed on the next topic."""
    delivered: dict[str, int] = {}
    for entry in account.entries:
        if entry.delivered and entry.id is not None and entry.answered_at is not None:
            delivered.setdefault(entry.id, int(entry.answered_at * 1000))
    handed_on: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for record in (*account.retries, *account.parked):
        handed_on[id_of(record)].append((attempts_of(record), record.timestamp))
    told: dict[str, int] = {}
    for record in account.notifications:
        told.setdefault(id_of(record), record.timestamp)

    safe: dict[Place, int] = {}
    for record in (*account.events, *account.retries):
        pop_id = id_of(record)
        # A record is answered for by one that tells of more attempts than it does itself.
        later = [at for attempts, at in handed_on[pop_id] if attempts > attempts_of(record)]
        if pop_id in delivered:
            later.append(delivered[pop_id])
        if later:
            safe[place_of(record)] = min(later)
    for record in account.parked:
        if id_of(record) in told:
            safe[place_of(record)] = told[id_of(record)]
    return safe


async def _read(bootstrap_servers: str, group: str) -> list[Commit]:
    async with AIOKafkaConsumer(
        bootstrap_servers=bootstrap_servers, auto_offset_reset="earliest"
    ) as consumer:
        await consumer._client.add_topic(OFFSETS_TOPIC)
        numbers = consumer.partitions_for_topic(OFFSETS_TOPIC)
        partitions = [TopicPartition(OFFSETS_TOPIC, number) for number in numbers or ()]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        commits: list[Commit] = []
        async with asyncio.timeout(DEADLINE_SECONDS):
            while any([await consumer.position(p) < end for p, end in ends.items()]):
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    for record in records:
                        commits += _parse(record.key, record.value, group)
        return commits


def _parse(key: bytes | None, value: bytes | None, group: str) -> Iterator[Commit]:
    """Read a record as Kafka's OffsetCommitKey (0, 1) and OffsetCommitValue (0 to 4) lay it out."""
    if key is None or value is None or struct.unpack_from(">h", key)[0] not in (0, 1):
        return
    its_group, at = _text(key, 2)
    topic, at = _text(key, at)
    if its_group != group:
        return
    (partition,) = struct.unpack_from(">i", key, at)
    version, offset = struct.unpack_from(">hq", value)
    at = 10 + (4 if version >= 3 else 0)  # the leader's epoch
    _, at = _text(value, at, compact=version >= 4)
    (at_ms,) = struct.unpack_from(">q", value, at)
    yield Commit(group=group, topic=topic, partition=partition, offset=offset, at_ms=at_ms)


def _text(data: bytes, at: int, *, compact: bool = False) -> tuple[str, int]:
    if compact:
        # An unsigned varint, and all that our commits carry here is under 127 bytes.
        length, at = data[at] - 1, at + 1
    else:
        (length,) = struct.unpack_from(">h", data, at)
        at += 2
    return data[at : at + length].decode(), at + length
