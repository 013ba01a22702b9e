"""The systems that `make bench` compares with do the job: else their figures would mean nothing."""

import asyncio
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

import pytest

from bench.children import running
from bench.systems import SYSTEMS, Job, left_out
from pop_stream.gstv.mock.ledger import LedgerEntry
from pop_stream.settings import Settings
from tests.conftest import PARTITIONS
from tests.support.eventually import eventually
from tests.support.kafka import committed
from tests.support.plays import events
from tests.support.trial import Trial

#: More than there are partitions: a limit that comes from those is seen.
IN_FLIGHT = 3 * PARTITIONS
EVENTS = 400
#: It says of itself that partitions are its limit.
AT_ONCE = {"faststream-workers-aiohttp": PARTITIONS}
#: Those that `make peers` has built here; naive Faust always can be run.
PEERS = [name for name in SYSTEMS if name != "pop-stream" and name not in left_out(SYSTEMS)]
_SLOWLY = [{"then": {"delay": 0.05}}]


@pytest.mark.parametrize("name", PEERS)
def test_a_peer_delivers_all_with_as_many_at_once_as_allowed_and_commits_it(
    name: str, topics: Settings, tmp_path: Path
) -> None:
    """It is as good as it says: every event as it is, the limit reached and kept, all committed."""
    trial = Trial(topics, tmp_path)
    sent = events(EVENTS)
    trial.send(sent)
    with trial.gstv(_SLOWLY) as gstv:
        job = Job(
            broker=topics.kafka_bootstrap_servers,
            topic=topics.events_topic,
            group=topics.group,
            url=gstv.url,
            in_flight=IN_FLIGHT,
        )
        with running(name, SYSTEMS[name].command(job), folder=tmp_path) as child:
            eventually(lambda: trial.delivered >= EVENTS, f"all is delivered, {child.log}")
            child.check()
    offsets = asyncio.run(committed(job.broker, job.group, job.topic))

    assert {each.sha256 for each in trial.entries} == {sha256_of(each.value) for each in sent}
    assert most_at_once(trial.entries) == AT_ONCE.get(name, IN_FLIGHT)
    assert sum(offsets.values()) == EVENTS


def sha256_of(value: bytes | None) -> str:
    """The digest of an event, as the ledger writes it."""
    return sha256(value or b"").hexdigest()


def most_at_once(entries: Iterable[LedgerEntry]) -> int:
    """How many of them GSTV had taken at one time and not answered yet."""
    changes = sorted(
        change
        for each in entries
        for change in ((each.received_at, 1), (each.answered_at or each.received_at, -1))
    )
    most = now = 0
    for _, change in changes:
        now += change
        most = max(most, now)
    return most
