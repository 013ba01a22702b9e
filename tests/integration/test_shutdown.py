"""How a worker ends: told by SIGTERM, it leaves nothing half done, and never takes long."""

import asyncio
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pop_stream.kafka.local import LocalKafka, LocalKafkaOptions
from pop_stream.kafka.topics import ensure
from pop_stream.settings import Settings
from tests.support.eventually import eventually
from tests.support.kafka import fresh_settings
from tests.support.plays import event, events
from tests.support.trial import Trial
from tests.support.worker import END_SECONDS

_REFUSING = [{"then": {"status": 503, "delay": 0.2}}]
#: Not the 20 s that it has by itself; what is promised beyond it is the same.
_DRAIN_SECONDS = 5.0
_END_SECONDS = END_SECONDS - 20 + _DRAIN_SECONDS


def test_a_worker_under_load_ends_with_all_that_is_done_committed(
    topics: Settings, tmp_path: Path
) -> None:
    """After SIGTERM amid load nothing is delivered twice: what was done was committed."""
    trial = Trial(topics, tmp_path)
    trial.send(events(1000))
    with trial.gstv([{"then": {"delay": [0.1, 0.8]}}]) as gstv:
        with trial.worker(gstv.url) as worker:
            eventually(lambda: trial.delivered > 100, "it is amid the load")
            assert worker.leave() == 0
        done = trial.delivered
        assert done < 1000
        assert sum(trial.committed().values()) == done
        gstv.set_rules([])
        with trial.worker(gstv.url):
            account = trial.settle()
    account.assert_nothing_lost()
    assert account.duplicates == {}


def test_a_worker_ends_though_gstv_hangs(topics: Settings, tmp_path: Path) -> None:
    """With a partner that never answers it ends in time, however often it is told; none is lost."""
    trial = Trial(topics, tmp_path)
    trial.send(events(300))
    with trial.gstv([{"then": {"hang": True}}]) as gstv:
        with trial.worker(
            gstv.url,
            gstv_timeout_seconds=100,
            progress_timeout_seconds=120,
            drain_seconds=_DRAIN_SECONDS,
        ) as worker:
            eventually(lambda: len(trial.entries) == 16, "all that may be is in flight")
            worker.tell(signal.SIGTERM)
            worker.wait_until_it_says("worker.draining")
            worker.tell(signal.SIGTERM)
            worker.tell(signal.SIGINT)
            assert worker.ends(within_seconds=_END_SECONDS) == 0
        # All that stands committed is where the group began.
        assert set(trial.committed().values()) <= {0}
        gstv.set_rules([])
        with trial.worker(gstv.url):
            account = trial.settle()
    account.assert_nothing_lost()
    assert account.duplicates == {}


@pytest.fixture
def own_kafka() -> Iterator[LocalKafka]:
    """A Kafka that a test may break."""
    with LocalKafka.start(LocalKafkaOptions()) as kafka:
        yield kafka


@pytest.fixture
def breakable(own_kafka: LocalKafka, tmp_path: Path) -> Trial:
    """A trial on the Kafka that may be broken."""
    settings = fresh_settings(own_kafka.bootstrap_servers)
    asyncio.run(ensure(settings, partitions=4, replication=1))
    return Trial(settings, tmp_path)


@contextmanager
def frozen(kafka: LocalKafka) -> Iterator[None]:
    """Let Kafka stand still meanwhile: it takes requests, and answers none."""
    (broker,) = kafka.brokers
    os.kill(broker.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(broker.pid, signal.SIGCONT)


def test_the_last_commit_waits_for_the_one_under_way(
    own_kafka: LocalKafka, breakable: Trial
) -> None:
    """What ends while a commit is under way is committed too, before the worker goes."""
    in_turn = ["soon"] * 10 + ["late"] * 6
    breakable.send([event(n, filename=name, partition=n % 4) for n, name in enumerate(in_turn)])
    rules = [{"when": {"field": {"filename": "soon"}}, "then": {"delay": 1}},
             {"then": {"delay": 2}}]  # fmt: skip
    with breakable.gstv(rules) as gstv, breakable.worker(gstv.url) as worker:
        eventually(lambda: gstv.stats()["delayed"] == 16, "all are in flight")
        with frozen(own_kafka):
            worker.tell(signal.SIGTERM)
            # The commit of those that end soon hangs when the others end. Their commit cannot be
            # seen from outside before Kafka answers, so it is given a moment to be wanted.
            eventually(lambda: breakable.delivered == 16, "all are delivered")
            threading.Event().wait(0.5)
        assert worker.ends() == 0
        assert sum(breakable.committed().values()) == 16


def test_a_worker_ends_though_kafka_is_dead(own_kafka: LocalKafka, breakable: Trial) -> None:
    """SIGTERM ends a worker in time that has lost its Kafka, with hand-offs under way."""
    breakable.send(events(300, screens=2))
    with (
        breakable.gstv(_REFUSING) as gstv,
        breakable.worker(gstv.url, drain_seconds=1) as worker,
    ):
        eventually(lambda: len(breakable.entries) > 64, "some were refused")
        own_kafka.brokers[0].kill()
        eventually(lambda: gstv.stats()["delayed"] == 0, "nothing is in flight")
        worker.leave()


def test_what_cannot_be_handed_on_stays_uncommitted(topics: Settings, tmp_path: Path) -> None:
    """With a retry topic that takes nothing, SIGTERM ends a worker in time; nothing is lost."""
    trial = Trial(topics, tmp_path)
    with trial.gstv(_REFUSING) as gstv:
        with trial.worker(gstv.url, drain_seconds=1) as worker:
            # Not before that: with such a topic a worker would not start.
            trial.wait_for_members(1)
            with trial.unwritable(topics.retry_topic):
                trial.send(events(100, screens=2))
                eventually(lambda: len(trial.entries) == 100, "all were refused")
                assert worker.leave() == 0
        assert trial.records(topics.retry_topic) == 0
        assert sum(trial.committed().values()) == 0
        gstv.set_rules([])
        with trial.worker(gstv.url):
            account = trial.settle()
    account.assert_nothing_lost()
    assert account.duplicates == {}
