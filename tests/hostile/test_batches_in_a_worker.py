"""Batches that only an odd or hostile client writes, on a real Kafka, before a real worker."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from pop_stream.settings import Settings
from pop_stream.watch.prober import Prober
from tests.support.account import header_of
from tests.support.eventually import eventually
from tests.support.hostile_batches import (
    CODECS,
    batch_around,
    batch_of,
    bomb,
    gzip_with_a_tail,
    records_of,
    zeros,
)
from tests.support.kafka import read_until
from tests.support.plays import events
from tests.support.trial import Trial

GZIP, ZSTD = CODECS["gzip"][0], CODECS["zstd"][0]


class _Made:
    """What aiokafka takes for a builder: a batch that is made already."""

    def __init__(self, data: bytes) -> None:
        self._data = bytearray(data)

    def __getattr__(self, name: str) -> Any:
        # Its size, its producer's state: nothing that counts.
        return lambda *_, **__: 0

    def append(self, *_: Any, **__: Any) -> Any:
        return self

    def build(self) -> bytearray:
        return self._data


async def _produce(servers: str, topic: str, batches: list[bytes]) -> None:
    async with AIOKafkaProducer(bootstrap_servers=servers, acks="all") as producer:
        for data in batches:
            batch = producer.create_batch()
            batch._builder = _Made(data)
            batch.append(key=None, value=b"", timestamp=None)
            await (await producer.send_batch(batch, topic, partition=0))


@pytest.fixture
def trial(topics: Settings, tmp_path: Path) -> Trial:
    """One test's topics, and what works on them."""
    return Trial(topics, tmp_path)


def _put(trial: Trial, *batches: bytes) -> list[bytes]:
    """Put these between two good events on one partition; the values of the two."""
    first, last = (value for sent in events(2) if (value := sent.value))
    made = [batch_of(first), *batches, batch_of(last)]
    asyncio.run(_produce(trial.servers, trial.settings.events_topic, made))
    return [first, last]


def test_a_bomb_is_parked_as_unreadable_and_ends_no_worker(trial: Trial) -> None:
    """Kafka takes it for its 2 KiB; what stands before and behind is delivered (B17)."""
    three = CODECS["zstd"][1](records_of(b"{}", b"{}", zeros(40)))
    alone = [batch_around(bomb("zstd", 40), codec=ZSTD)]
    asyncio.run(_produce(trial.servers, trial.settings.events_topic, alone))
    # Nor is `watch` blind while it is the oldest that waits.
    oldest = asyncio.run(Prober(trial.settings).look()).owed[trial.settings.events_topic]
    assert oldest.produced_at is not None
    _put(trial, batch_around(three, codec=ZSTD, count=3))
    with trial.gstv() as gstv, trial.worker(gstv.url) as worker:
        parked = asyncio.run(read_until(trial.servers, trial.settings.failure_topic, 2))
        asyncio.run(read_until(trial.servers, trial.settings.notification_topic, 2))
        account = trial.settle()
        assert worker.leave() == 0

    assert sum(entry.delivered for entry in account.entries) == 2
    assert [header_of(record, "pop-reason") for record in parked] == ["quarantined:unreadable"] * 2
    assert [(record.key, record.value) for record in parked] == [(None, None)] * 2
    why = "in the batch of offsets {} to {}: its {} bytes of zstd become more than 33554432"
    assert {
        (header_of(record, "pop-origin") or "").split("/")[2]: header_of(record, "pop-error")
        for record in parked
    } == {
        "0": why.format(0, 0, len(bomb("zstd", 40))),
        "4": why.format(2, 4, len(three)),
    }
    assert worker.said("worker.aborted") == []


def test_what_only_other_clients_write_ends_no_worker(trial: Trial) -> None:
    """A record without key and value is parked: aiokafka's `send` raises AssertionError for it.

    Gzip with a tail is delivered: the broker and Java pass over it, and Python's gzip raises.
    """
    (event,) = (value for sent in events(3)[2:] if (value := sent.value))
    _put(
        trial,
        batch_around(records_of(None), codec=0),
        batch_around(gzip_with_a_tail(records_of(event)), codec=GZIP),
    )
    with trial.gstv() as gstv, trial.worker(gstv.url) as worker:
        (parked,) = asyncio.run(read_until(trial.servers, trial.settings.failure_topic, 1))
        eventually(lambda: trial.delivered == 3, "all delivered")
        assert worker.leave() == 0

    assert (parked.key, parked.value) == (None, None)
    assert header_of(parked, "pop-reason") == "quarantined:no-value"
    assert worker.said("worker.aborted") == []
