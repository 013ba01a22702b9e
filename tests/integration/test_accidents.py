"""What happens to topics and groups by somebody's hand: never silent, never a guess."""

import asyncio
import json
from functools import cache
from pathlib import Path

from aiokafka import AIOKafkaConsumer
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient, NewPartitions

from pop_stream.kafka import group
from pop_stream.kafka import topics as topics_of
from pop_stream.settings import Settings
from tests.support.account import header_of
from tests.support.eventually import eventually
from tests.support.kafka import end_offsets
from tests.support.plays import events
from tests.support.trial import Trial
from tests.support.worker import Worker

_SECONDS = 30.0


@cache
def _admin_at(servers: str) -> AdminClient:
    # Kept: one that ends while its last answer is being handed over may wait for ever.
    return AdminClient({"bootstrap.servers": servers, "log_level": 0})


def admin_of(settings: Settings) -> AdminClient:
    """An admin client that can do what a person can."""
    return _admin_at(settings.kafka_bootstrap_servers)


def partitions_of(settings: Settings) -> list[int]:
    """The partitions of the players' topic; none when it is gone."""
    states = asyncio.run(group.partitions_of(settings, [settings.events_topic]))
    return [state.partition for state in states]


def delete_records(settings: Settings, bounds: dict[int, int]) -> None:
    """Delete the records of the players' topic below an offset of each partition."""
    admin = admin_of(settings)
    places = [TopicPartition(settings.events_topic, n, offset) for n, offset in bounds.items()]
    for answer in admin.delete_records(places).values():
        answer.result(_SECONDS)


def refuses(worker: Worker) -> str:
    """Wait until it has ended by itself, with 1; what it said."""
    assert worker.ends() == 1
    return worker.log


def test_records_deleted_past_the_commit_are_told_of(topics: Settings, tmp_path: Path) -> None:
    """A record on the failure topic for each hole, and its notification; the rest is delivered."""
    trial = Trial(topics, tmp_path)
    with trial.gstv() as gstv:
        trial.send(events(60))
        with trial.worker(gstv.url) as worker:
            trial.settle()
            worker.leave()
        committed = trial.committed()
        trial.send(events(120)[60:])
        ends = asyncio.run(end_offsets(topics.kafka_bootstrap_servers, topics.events_topic))
        delete_records(topics, {number: end - 5 for number, end in ends.items()})
        with trial.worker(gstv.url) as worker:
            account = trial.settle()
            assert worker.said("events.gone")

    holes = [record for record in account.parked if header_of(record, "pop-reason") == "gone"]
    told = [json.loads(record.value or b"") for record in holes]
    assert {(one["partition"], one["from"], one["to"]) for one in told} == {
        (number, begin, ends[number] - 5)
        for number in ends
        if (begin := committed[topics.events_topic, number]) < ends[number] - 5
    }
    assert told
    assert len(account.notifications) == len(holes)
    there = {dict(record.headers)["pop-id"].decode() for record in account.events}
    assert there <= account.delivered.keys()


def test_a_group_whose_offsets_are_gone_does_not_start(topics: Settings, tmp_path: Path) -> None:
    """It would send everything again; unless a person says so."""
    trial = Trial(topics, tmp_path)
    with trial.gstv([{"when": {"nth": 1}, "then": {"status": 500}}]) as gstv:
        trial.send(events(20, screens=2))
        with trial.worker(gstv.url) as worker:
            trial.settle()
            worker.leave()
        delivered = trial.delivered
        admin = admin_of(topics)
        admin.delete_consumer_groups([topics.group])[topics.group].result(_SECONDS)
        with trial.worker(gstv.url) as worker:
            said = refuses(worker)
        assert "has no offsets" in said
        assert "POP_STREAM_START_WITHOUT_COMMIT=earliest" in said
        assert trial.delivered == delivered
        with trial.worker(gstv.url, start_without_commit="earliest"):
            eventually(lambda: trial.delivered >= delivered + 20, "all is sent again")


def test_a_stranger_in_the_group_is_refused(topics: Settings, tmp_path: Path) -> None:
    """It would take partitions, and what it commits would never be delivered."""
    trial = Trial(topics, tmp_path)

    async def refused_beside_a_stranger() -> str:
        async with AIOKafkaConsumer(
            topics.events_topic,
            bootstrap_servers=topics.kafka_bootstrap_servers,
            group_id=topics.group,
            client_id="billing-report",
        ) as stranger:
            await stranger.getmany(timeout_ms=500)
            return await asyncio.to_thread(_start_and_be_refused)

    def _start_and_be_refused() -> str:
        with trial.gstv() as gstv, trial.worker(gstv.url) as worker:
            return refuses(worker)

    assert "'billing-report' at" in asyncio.run(refused_beside_a_stranger())


def test_what_comes_to_a_topic_made_anew_under_a_worker_is_delivered(
    topics: Settings, tmp_path: Path
) -> None:
    """Its offsets begin at 0 again: they are not taken for records that were delivered before."""
    trial = Trial(topics, tmp_path)
    with trial.gstv() as gstv, trial.worker(gstv.url) as worker:
        trial.send(events(300))
        trial.settle()
        admin = admin_of(topics)
        admin.delete_topics([topics.events_topic])[topics.events_topic].result(_SECONDS)
        eventually(lambda: not partitions_of(topics), "the topic is gone")
        asyncio.run(topics_of.ensure(topics, partitions=4))
        trial.send(events(330)[300:])
        eventually(
            lambda: trial.delivered == 330 or worker.process.poll() is not None,
            "the new topic's events are delivered, or the worker gives up",
        )
        if worker.process.poll() is None:
            return
    # The supervisor starts another.
    with trial.gstv() as gstv, trial.worker(gstv.url):
        eventually(lambda: trial.delivered == 330, "they are delivered")


def test_partitions_added_to_a_topic_are_delivered_too(topics: Settings, tmp_path: Path) -> None:
    """From their first record on, without a restart."""
    trial = Trial(topics, tmp_path)
    with trial.gstv() as gstv, trial.worker(gstv.url):
        trial.send(events(30))
        trial.settle()
        admin = admin_of(topics)
        wider = admin.create_partitions([NewPartitions(topics.events_topic, 6)])
        wider[topics.events_topic].result(_SECONDS)
        more = events(400)[30:]
        eventually(lambda: len(partitions_of(topics)) == 6, "there are more partitions")
        trial.send(more)
        account = trial.settle()
    account.assert_nothing_lost()
    assert {record.partition for record in account.events} == set(range(6))
