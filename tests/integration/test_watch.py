"""`pop-stream watch` sees from outside what is owed, whether or not a worker lives."""

import asyncio
import json
import math
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import TopicPartition
from confluent_kafka.admin import AdminClient

from pop_stream.errors import TopicsMissingError
from pop_stream.kafka import group
from pop_stream.kafka.group import committed_by, partitions_of
from pop_stream.settings import Settings
from pop_stream.watch.backlog import BacklogNumbers
from pop_stream.watch.look import Look
from pop_stream.watch.prober import Prober
from tests.integration.test_accidents import delete_records
from tests.support.eventually import eventually
from tests.support.kafka import end_offsets
from tests.support.metrics import Samples, page_at, samples_of
from tests.support.plays import event, events, pop_id_of
from tests.support.trial import Trial

_REFUSED = {"when": {"field": {"filename": "refused"}}, "then": {"status": 422}}
_DOWN = {"when": {"field": {"filename": "down"}}, "then": {"status": 500}}


def look(settings: Settings) -> Look:
    """Look once, as somebody who comes new."""
    return asyncio.run(Prober(settings).look())


def test_the_oldest_event_that_nobody_takes_is_seen_without_a_worker(
    topics: Settings, tmp_path: Path
) -> None:
    """Its age is that of the first record; delivered, nothing is owed."""
    trial = Trial(topics, tmp_path)
    assert look(topics).owed[topics.events_topic].produced_at is None
    before = time.time()
    trial.send(events(10))
    after = time.time()
    time.sleep(0.5)
    trial.send(events(30)[10:])

    seen = look(topics)
    owed = seen.owed[topics.events_topic]
    assert owed.produced_at is not None
    assert before - 1 <= owed.produced_at <= after
    assert owed.deleted_at == owed.produced_at + 14 * 86_400
    assert sum(state.end - state.next for state in seen.partitions) == 30
    assert seen.group.members == ()

    with trial.gstv() as gstv, trial.worker(gstv.url):
        trial.settle()
        seen = look(topics)
    assert len(seen.group.members) == 1
    assert {owed.produced_at for owed in seen.owed.values()} == {None}
    assert seen.parked == 0


def test_parked_events_wait_until_they_are_settled_or_sent_back(
    topics: Settings, tmp_path: Path
) -> None:
    """With the age of the play. A refused one waits for a person, a failed one for its redrive."""
    trial = Trial(topics, tmp_path)
    refused, down = event(0, filename="refused"), event(1, filename="down")
    trial.send([refused, down, *events(20)[2:]])
    sent_at = time.time()
    quick = {"retry_backoff_seconds": "0.05", "auto_redrive": "3s"}
    watched = topics.model_copy(update={"auto_redrive": "3s"})
    prober = Prober(watched)

    async def looks() -> None:
        first = await prober.look()
        assert first.parked == 2
        oldest = first.owed[topics.failure_topic]
        assert oldest.produced_at is not None
        assert abs(oldest.produced_at - sent_at) < 10
        assert oldest.deleted_at == math.inf

    with trial.gstv([_REFUSED, _DOWN]) as gstv, trial.worker(gstv.url, **quick):
        eventually(lambda: trial.records(topics.failure_topic) == 2, "both are parked")
        asyncio.run(looks())
        gstv.set_rules([_REFUSED])
        eventually(lambda: trial.has_delivered(down), "the failed one is sent back")
        eventually(lambda: look(watched).parked == 1, "one waits still")
        argv = [sys.executable, "-m", "pop_stream", "failures", "settle", pop_id_of(refused),
                "--reason", "billed by hand", "--operator", "ann",
                "--kafka-bootstrap-servers", topics.kafka_bootstrap_servers,
                "--settled-topic", topics.settled_topic]  # fmt: skip
        subprocess.run(argv, check=True, capture_output=True)
        # The one that began before, and read the topics as they grew, and one that comes new.
        assert asyncio.run(prober.look()).parked == 0
        assert look(watched).parked == 0


def test_what_retention_deletes_before_it_is_delivered_is_counted(
    topics: Settings, tmp_path: Path
) -> None:
    """Also with no worker there to tell of it."""
    trial = Trial(topics, tmp_path)
    trial.send(events(40))
    with trial.gstv() as gstv, trial.worker(gstv.url) as worker:
        trial.settle()
        worker.leave()
    numbers = BacklogNumbers((topics.events_topic, topics.retry_topic, topics.failure_topic))
    numbers.saw(look(topics))
    assert numbers.events_lost_to_retention.total() == 0

    trial.send(events(100)[40:])
    ends = asyncio.run(end_offsets(topics.kafka_bootstrap_servers, topics.events_topic))
    delete_records(topics, dict(ends))
    numbers.saw(look(topics))

    assert numbers.events_lost_to_retention[(topics.events_topic,)] == 60


def test_without_the_topic_of_marks_it_sees_all_else(topics: Settings, tmp_path: Path) -> None:
    """It had been blind to every other topic, too. What is parked counts as not settled then."""
    trial = Trial(topics, tmp_path)
    trial.send([event(0, filename="refused"), *events(20)[1:]])
    with trial.gstv([_REFUSED]) as gstv, trial.worker(gstv.url) as worker:
        trial.settle()
        worker.leave()
    trial.send(events(52)[20:])
    admin = AdminClient({"bootstrap.servers": topics.kafka_bootstrap_servers})
    admin.delete_topics([topics.settled_topic])[topics.settled_topic].result(30)
    seen = eventually(lambda: look(topics), "it looks")

    assert (seen.lag_of(topics.events_topic), seen.parked) == (32, 1)
    admin.delete_topics([topics.retry_topic])[topics.retry_topic].result(30)
    with pytest.raises(TopicsMissingError, match=topics.retry_topic):
        look(topics)


def test_a_topic_that_is_deleted_while_it_looks_does_not_make_it_blind(
    topics: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It had waited 40 s for the offsets of a topic that was not there any more, and seen nothing.

    Deleted between the two questions: which partitions there are, and where they end.
    """
    asked = committed_by
    admin = AdminClient({"bootstrap.servers": topics.kafka_bootstrap_servers})

    async def delete_then_ask(*arguments: Any) -> Mapping[TopicPartition, int]:
        if topics.settled_topic in admin.list_topics(timeout=30).topics:
            admin.delete_topics([topics.settled_topic])[topics.settled_topic].result(30)
        return await asked(*arguments)

    monkeypatch.setattr(group, "committed_by", delete_then_ask)
    states = asyncio.run(partitions_of(topics, [topics.events_topic, topics.settled_topic]))

    assert {state.topic for state in states} == {topics.events_topic}


@contextmanager
def watching(settings: Settings, log: Path) -> Iterator[tuple["subprocess.Popen[bytes]", int]]:
    """Run `pop-stream watch`; its process, and the port that it serves on."""
    argv = [sys.executable, "-m", "pop_stream", "watch", "--watch-port", "0", "--watch-seconds",
            "1", "--log-format", "json",
            "--kafka-bootstrap-servers", settings.kafka_bootstrap_servers,
            "--group", settings.group, "--events-topic", settings.events_topic,
            "--retry-topic", settings.retry_topic, "--failure-topic", settings.failure_topic,
            "--settled-topic", settings.settled_topic]  # fmt: skip
    with log.open("wb") as stderr, subprocess.Popen(argv, stderr=stderr) as process:
        try:
            yield process, eventually(lambda: _port_in(log), "watch listens")
        finally:
            process.kill()


def _port_in(log: Path) -> int | None:
    lines = map(orjson.loads, log.read_bytes().splitlines())
    return next((line["port"] for line in lines if line["event"] == "watch.listening"), None)


def samples_at(port: int) -> Samples:
    """What it shows now."""
    return samples_of(page_at(port))


def test_it_serves_what_it_sees_until_it_is_told_to_end(topics: Settings, tmp_path: Path) -> None:
    """To Prometheus, and as JSON for a look by hand."""
    trial = Trial(topics, tmp_path)
    trial.send(events(12))
    with watching(topics, tmp_path / "watch.log") as (process, port):
        eventually(
            lambda: (
                sum(n for key, n in samples_at(port).items() if key[0] == "topic_lag_events") == 12
            ),
            "it has seen the events",
        )
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/statusz") as answer:
            assert json.loads(answer.read())["topics"][0]["lag_events"] == 12
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz") as answer:
            assert answer.status == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def test_a_kafka_that_is_down_is_said_and_outlived(topics: Settings, tmp_path: Path) -> None:
    """It serves all the same: that it sees nothing is what people must know."""
    nowhere = topics.model_copy(update={"kafka_bootstrap_servers": "127.0.0.1:1"})
    log = tmp_path / "watch.log"
    with watching(nowhere, log) as (process, port):
        eventually(
            lambda: samples_at(port)["backlog_probe_errors_total", "unreachable"] >= 2,
            "it has tried twice",
        )
        assert samples_at(port)["backlog_probe_last_success_timestamp_seconds",] == 0
        with pytest.raises(urllib.error.HTTPError, match="503"):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz")
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
    blind = [line for line in map(orjson.loads, log.read_bytes().splitlines())
             if line["event"] == "watch.blind"]  # fmt: skip
    assert [line["level"] for line in blind[:2]] == ["ERROR", "INFO"]
