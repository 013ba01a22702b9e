"""Commit safety, judged from outside: no offset may be committed before its events are safe.

Kafka itself keeps the history: every commit that a group ever made is a record of its topic
`__consumer_offsets`, with the broker's time. So no commit goes unseen, however short it stood.
Kafka dates a commit when the request comes in, and our topics' records when they are appended
(LogAppendTime); the mock GSTV dates an answer just before it sends it. All three are clocks of
this machine. A worker that commits only what is safe therefore never has a commit that is dated
before the outcome of an event below it.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition

from faults.commit_log import OFFSETS_TOPIC, GroupCommit, parse_commit
from tests.support.account import Account, Place, attempts_of, id_of, place_of
from tests.support.kafka import DEADLINE_SECONDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A commit that passed an event which was not safe yet."""

    commit: GroupCommit
    #: The offset that was passed too early.
    offset: int
    #: When that event was safe at last, in epoch milliseconds; None: never.
    safe_at_ms: int | None


def commits_of(bootstrap_servers: str, group: str) -> list[GroupCommit]:
    """Read all commits of a group, in the order in which they were made.

    Kafka compacts closed segments of its log only: of a group as young as a test, all is there.
    """
    return asyncio.run(_read(bootstrap_servers, group))


def violations(account: Account, commits: Iterable[GroupCommit]) -> list[Violation]:
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


async def _read(bootstrap_servers: str, group: str) -> list[GroupCommit]:
    async with AIOKafkaConsumer(
        bootstrap_servers=bootstrap_servers, auto_offset_reset="earliest"
    ) as consumer:
        await consumer._client.add_topic(OFFSETS_TOPIC)
        numbers = consumer.partitions_for_topic(OFFSETS_TOPIC)
        partitions = [TopicPartition(OFFSETS_TOPIC, number) for number in numbers or ()]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        commits: list[GroupCommit] = []
        async with asyncio.timeout(DEADLINE_SECONDS):
            while any([await consumer.position(p) < end for p, end in ends.items()]):
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    for record in records:
                        read = parse_commit(record.key, record.value)
                        commits += [commit for commit in read if commit.group == group]
        return commits
