"""Delivery receipts on a real Kafka: what is committed as delivered can be proven, always.

Kafka's own history of commits is laid beside the receipts topic: both are dated by the broker.
"""

import asyncio
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from confluent_kafka.admin import AclOperation, ResourceType

from faults.commit_log import GroupCommit
from pop_stream.pop.done_map import decode_done
from pop_stream.pop.receipt import Delivery, decode_receipt
from pop_stream.settings import Settings
from tests.integration.test_no_rights import forbid
from tests.support.account import Account, attempts_of, by_id, header_of, id_of
from tests.support.commit_watch import commits_of, violations
from tests.support.eventually import eventually
from tests.support.figures import show
from tests.support.kafka import read_all
from tests.support.plays import event, events
from tests.support.trial import Trial

Origin = tuple[str, int, int]

_RULES = [
    {"when": {"field": {"filename": "down"}}, "then": {"status": 500}},
    {"when": {"share": 0.2, "nth": 1}, "then": {"status": 503}},
    {"then": {"delay": [0, 0.05]}},
]
_ON = {"receipts": "on"}


class Receipted(NamedTuple):
    """All that receipts tell."""

    #: By the place of the player's record, when the first receipt of it was stored, in epoch ms.
    stored_at: dict[Origin, int]
    deliveries: list[Delivery]
    #: Bytes of all records, keys included.
    size: int


def receipted(trial: Trial) -> Receipted:
    """Read the receipts topic. Every record there is a receipt."""
    stored_at: dict[Origin, int] = {}
    deliveries, size = [], 0
    for record in asyncio.run(read_all(trial.servers, trial.settings.receipts_topic)):
        receipt = decode_receipt(record.value)
        assert receipt is not None
        assert receipt.group == trial.settings.group
        size += len(record.value or b"") + len(record.key or b"")
        for one in receipt.deliveries():
            assert record.key == f"{receipt.topic}/{receipt.partition}".encode()
            deliveries.append(one)
            stored_at.setdefault((receipt.topic, receipt.partition, one.offset), record.timestamp)
    return Receipted(stored_at, deliveries, size)


def committed_without_proof(
    account: Account, commits: list[GroupCommit], found: Receipted
) -> list[tuple[Origin, int]]:
    """Records that a commit passed, or told to be done, before there was a receipt of them.

    What stands on the next topic, with more attempts, needs none.
    """
    handed_on: dict[str, int] = {}
    for record in (*account.retries, *account.parked):
        handed_on[id_of(record)] = max(attempts_of(record), handed_on.get(id_of(record), -1))
    bare = []
    reached: dict[tuple[str, int], int] = defaultdict(int)
    records = {(r.topic, r.partition, r.offset): r for r in (*account.events, *account.retries)}
    for commit in commits:
        place = (commit.topic, commit.partition)
        done = [*range(reached[place], commit.offset),
                *decode_done(commit.offset, commit.metadata)]  # fmt: skip
        for offset in done:
            record = records.get((*place, offset))
            if record is None or handed_on.get(id_of(record), -1) > attempts_of(record):
                continue
            told = header_of(record, "pop-origin")
            origin = _origin(told) if told else (*place, offset)
            at = found.stored_at.get(origin)
            if at is None or at > commit.at_ms:
                bare.append((origin, commit.at_ms))
        reached[place] = max(reached[place], commit.offset)
    return bare


def _wait_for_deliveries(trial: Trial, enough: int) -> None:
    eventually(lambda: trial.delivered >= enough, f"{enough} are delivered")


def _origin(told: str) -> Origin:
    topic, partition, offset, _ = told.split("/")
    return topic, int(partition), int(offset)


def test_what_a_killed_worker_committed_is_receipted_and_so_is_the_rest(
    topics: Settings, tmp_path: Path
) -> None:
    """`kill -9` twice in the middle: each id that GSTV has has a receipt, and each commit proof."""
    trial = Trial(topics, tmp_path)
    sent = [event(n, filename="down" if n % 50 == 0 else "ok") for n in range(3000)]
    trial.send(sent)
    kills = []
    with trial.gstv(_RULES, own_process=True) as gstv:
        for enough in (500, 1500):
            with trial.worker(gstv.url, **_ON) as worker:
                _wait_for_deliveries(trial, enough)
                kills.append(trial.note_kill(worker.kill()))
        with trial.worker(gstv.url, **_ON) as worker:
            account = trial.settle()
            assert worker.leave() == 0
    account.assert_nothing_lost()
    duplicates = account.assert_duplicates_explained(kills)
    found, commits = receipted(trial), commits_of(trial.servers, topics.group)
    assert violations(account, commits) == []

    assert {one.pop_id for one in found.deliveries} == account.delivered.keys()
    assert committed_without_proof(account, commits, found) == []
    # Under its own place, whichever topic it was delivered from, and after as many attempts.
    places = {id_of(record): (record.topic, record.partition, record.offset)
              for record in account.events}  # fmt: skip
    assert set(found.stored_at) == {places[pop_id] for pop_id in account.delivered}
    assert {one.attempts for one in found.deliveries} == {1, 2}
    attempts = {(entry.id, entry.attempt) for entry in account.entries if entry.delivered}
    assert {(one.pop_id, one.attempts) for one in found.deliveries} <= attempts
    show(f"{len(commits)} commits, {duplicates} duplicates, {len(found.deliveries)} receipted, "
         f"{found.size / len(found.deliveries):.1f} bytes each")  # fmt: skip

    # And the watch would have seen one that is missing.
    for missed in (account.delivered.keys() - by_id(account.retries).keys(),
                   account.delivered.keys() & by_id(account.retries).keys()):  # fmt: skip
        gone = places[next(iter(missed))]
        less = {place: at for place, at in found.stored_at.items() if place != gone}
        assert committed_without_proof(account, commits, found._replace(stored_at=less))


def test_what_cannot_be_receipted_is_not_committed_and_not_lost(
    topics: Settings, tmp_path: Path
) -> None:
    """The topic takes nothing for a while: it is told, and made up for, without a duplicate."""
    trial = Trial(topics, tmp_path)
    with trial.gstv() as gstv, trial.worker(gstv.url, **_ON) as worker:
        trial.send(events(100))
        account = trial.settle()
        before = trial.committed()
        with trial.unwritable(topics.receipts_topic):
            trial.send(events(100))
            _wait_for_deliveries(trial, 200)
            worker.wait_until_it_says("receipts.unwritten")
            assert trial.committed() == before
        account = trial.settle()
        assert worker.leave() == 0
    account.assert_nothing_lost()
    assert account.assert_duplicates_explained([]) == 0
    found = receipted(trial)
    assert {one.pop_id for one in found.deliveries} == account.delivered.keys()
    assert committed_without_proof(account, commits_of(trial.servers, topics.group), found) == []


def test_a_worker_that_cannot_write_receipts_does_not_start(
    topics: Settings, tmp_path: Path
) -> None:
    """It would deliver what it never commits, and so would the next one."""
    trial = Trial(topics, tmp_path)
    trial.send(events(20))
    forbid(topics, ResourceType.TOPIC, topics.receipts_topic, AclOperation.WRITE)
    with trial.gstv() as gstv, trial.worker(gstv.url, **_ON) as worker:
        assert worker.ends() == 1
        assert f"Write on the topic {topics.receipts_topic}" in worker.log
    assert trial.delivered == 0
    # What receipts cannot do must not end what needs none.
    with trial.gstv() as gstv, trial.worker(gstv.url):
        assert len(trial.settle().delivered) == 20


@pytest.mark.parametrize("receipts", ["on", "off"])
def test_the_topic_is_needed_where_receipts_are_on(
    topics: Settings, tmp_path: Path, receipts: str
) -> None:
    """And nowhere else."""
    asyncio.run(delete_topic(topics, topics.receipts_topic))
    trial = Trial(topics, tmp_path)
    trial.send(events(20))
    with trial.gstv() as gstv, trial.worker(gstv.url, receipts=receipts) as worker:
        if receipts == "on":
            assert worker.ends() == 1
            assert f"{topics.receipts_topic}: it does not exist" in worker.log
            assert trial.delivered == 0
        else:
            assert len(trial.settle().delivered) == 20
            assert worker.leave() == 0


async def delete_topic(settings: Settings, topic: str) -> None:
    """Delete a topic."""
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap_servers)
    await admin.start()
    try:
        await admin.delete_topics([topic])
    finally:
        await admin.close()
