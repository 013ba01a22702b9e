"""What happens in a drill, phase by phase: each makes some alerts fire, and then lets them rest.

Times are seconds of a drill, in which an hour of production is a minute (`drill/shortened.py`).
"""

import asyncio
import os
import resource
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from aiokafka import AIOKafkaConsumer
from confluent_kafka import Producer, TopicPartition

from drill.system import USUAL_RULES, System, run_command
from faults.proxy_faults import Refuse
from pop_stream.kafka import topics
from pop_stream.kafka.group import partitions_of
from pop_stream.pop.identity import uuid7

_KAFKA_SECONDS = 30.0
_DAY_MS = 86_400_000


@dataclass(frozen=True, slots=True)
class Phase:
    """Something that happens."""

    name: str
    #: For people.
    title: str
    happen: Callable[[System], None]


def _usual(_: System) -> None:
    time.sleep(12)


def _misbehave(rules: Sequence[object], seconds: float) -> Callable[[System], None]:
    def happen(system: System) -> None:
        system.gstv.set_rules([*rules, *USUAL_RULES])
        time.sleep(seconds)
        system.gstv.set_rules(USUAL_RULES)
        time.sleep(8)

    return happen


def _outage(system: System) -> None:
    system.gstv_proxy.apply(Refuse())
    time.sleep(35)
    system.gstv_proxy.heal()
    time.sleep(15)


def _short_retention(system: System) -> None:
    """The topic keeps its records for an hour: what waits has less than six."""
    topic = system.settings.events_topic
    time.sleep(8)
    system.configure(topic, {"retention.ms": "3600000"})
    time.sleep(16)
    system.configure(topic, {"retention.ms": str(14 * _DAY_MS)})


def _no_workers(system: System) -> None:
    """Both are stopped; meanwhile somebody deletes what they have not delivered."""
    for worker in system.workers:
        worker.stop()
    time.sleep(25)
    settings = system.settings
    states = asyncio.run(partitions_of(settings, [settings.events_topic]))
    places = [TopicPartition(s.topic, s.partition, (s.next + s.end) // 2) for s in states]
    for answer in system.admin.delete_records(places).values():
        answer.result(_KAFKA_SECONDS)
    time.sleep(6)
    for worker in system.workers:
        worker.start()
    time.sleep(25)


def _rebalances(system: System) -> None:
    second = system.workers[1]
    for _ in range(9):
        second.stop()
        time.sleep(0.3)
        second.start()
        time.sleep(3.2)
    time.sleep(15)


def _blocked_loop(system: System) -> None:
    """The process stands still again and again, for a second and a half."""
    for _ in range(12):
        system.workers[0].signal(signal.SIGSTOP)
        time.sleep(1.5)
        system.workers[0].signal(signal.SIGCONT)
        time.sleep(0.6)
    time.sleep(8)


def _no_more_files(system: System) -> None:
    pid = system.workers[0].pid or 0
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    opened = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (opened, before[1]))
    system.gstv.set_rules([{"then": {"status": 200, "close": True}}])
    # Without a file it cannot be scraped either: longer than an alert's window, and nobody sees it.
    time.sleep(6)
    with suppress(ProcessLookupError):
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
    system.gstv.set_rules(USUAL_RULES)
    time.sleep(12)


def _slow(system: System) -> None:
    """GSTV takes its time: as many attempts as may be are under way, and more come than go."""
    system.gstv.set_rules([{"then": {"delay": [1.2, 1.5]}}])
    time.sleep(55)
    system.gstv.set_rules(USUAL_RULES)
    time.sleep(10)


def _odd_worker(system: System) -> None:
    """A worker of which nothing is right; some events have no answer, and some fail."""
    rules = [
        {"when": {"random": 0.02}, "then": {"hang": True}},
        {"when": {"random": 0.05}, "then": {"status": 500}},
    ]
    system.scrape_odd_worker(yes=True)
    system.odd_worker.start()
    system.gstv.set_rules([*rules, *USUAL_RULES])
    time.sleep(60)
    system.gstv.set_rules(USUAL_RULES)
    system.odd_worker.stop()
    system.scrape_odd_worker(yes=False)
    time.sleep(10)


def _late_players(system: System) -> None:
    """Players come back after a day, with what they have kept."""
    producer = Producer({"bootstrap.servers": system.kafka.bootstrap_servers, "log_level": 0})
    until = time.monotonic() + 50
    number = 0
    while time.monotonic() < until:
        yesterday = time.time_ns() // 1_000_000 - _DAY_MS
        for _ in range(20):
            number += 1
            producer.produce(
                system.settings.events_topic,
                _LATE % number,
                key=f"late/{number % 9}",
                headers=[("pop-id", uuid7(yesterday, number).encode())],
            )
        producer.poll(0)
        time.sleep(0.25)
    producer.flush(_KAFKA_SECONDS)
    time.sleep(10)


_LATE = (
    b'{"filename":"GSTV.a.webm","assetId":"5942","startTimestamp":"2026-11-20 10:00:00",'
    b'"endTimestamp":"2026-11-20 10:00:15","siteId":"late","screenId":"%d"}'
)


def _deaf_receiver(system: System) -> None:
    """Whoever is told of failures refuses to listen."""
    system.notified.set_rules([{"then": {"status": 500}}])
    time.sleep(25)
    system.notified.set_rules([])
    time.sleep(20)


def _stranger(system: System) -> None:
    async def join() -> None:
        settings = system.settings
        async with AIOKafkaConsumer(
            settings.events_topic,
            bootstrap_servers=settings.kafka_bootstrap_servers,
            group_id=settings.group,
            client_id="billing-report",
            session_timeout_ms=6000,
        ) as stranger:
            end = time.monotonic() + 20
            while time.monotonic() < end:
                await stranger.getmany(timeout_ms=500)

    asyncio.run(join())
    time.sleep(15)


def _missing_topic(system: System) -> None:
    settings = system.settings
    topic = settings.settled_topic
    system.admin.delete_topics([topic])[topic].result(_KAFKA_SECONDS)
    time.sleep(20)
    asyncio.run(topics.ensure(settings, partitions=1, replication=1))
    time.sleep(10)


def _blind(system: System) -> None:
    system.watch.stop()
    time.sleep(15)
    system.watch.start()
    time.sleep(8)


def _kafka_away(system: System) -> None:
    """The broker stands still: nobody can commit, nor look."""
    (broker,) = system.kafka.brokers
    os.kill(broker.pid, signal.SIGSTOP)
    time.sleep(12)
    os.kill(broker.pid, signal.SIGCONT)
    time.sleep(15)


def _silence(system: System) -> None:
    """Nothing comes from players; then a few events, and all of them are well."""
    system.players.stop()
    time.sleep(75)
    system.gstv.set_rules([])
    _send_well(system, 200)
    time.sleep(25)


def _send_well(system: System, count: int) -> None:
    producer = Producer({"bootstrap.servers": system.kafka.bootstrap_servers, "log_level": 0})
    for number in range(count):
        pop_id = uuid7(time.time_ns() // 1_000_000, number)
        producer.produce(
            system.settings.events_topic, _LATE % number, headers=[("pop-id", pop_id.encode())]
        )
    producer.flush(_KAFKA_SECONDS)


def _settle_all(system: System) -> None:
    """A person settles all that is parked, once nothing more comes."""
    time.sleep(20)
    ids = system.folder / "parked"
    ids.write_text("".join(f"{pop_id}\n" for pop_id in sorted(system.parked_ids())))
    told = run_command(system, "failures", "settle", f"@{ids}", "--reason", "drill",
                       "--operator", "drill")  # fmt: skip
    if told.returncode:
        raise RuntimeError(told.stderr)


_THROTTLE = [{"when": {"random": 0.9}, "then": {"status": 429, "retry_after": 2}}]
_FAIL_HALF = [{"when": {"random": 0.55}, "then": {"status": 500}}]

#: One after the other; what stands beside each other in one line happens at the same time.
PHASES: Sequence[Sequence[Phase]] = (
    [Phase("usual", "a little of everything", _usual)],
    [Phase("late players", "events that were minted yesterday", _late_players),
     Phase("throttled", "429 with Retry-After for nearly everything", _misbehave(_THROTTLE, 30))],
    [Phase("refused", "401 for everything", _misbehave([{"then": {"status": 401}}], 16)),
     Phase("blind", "the watch is stopped", _blind)],
    [Phase("failing", "500 for half of all attempts", _misbehave(_FAIL_HALF, 30)),
     Phase("deaf", "the receiver of notifications fails", _deaf_receiver)],
    [Phase("outage", "GSTV cannot be reached", _outage),
     Phase("retention", "the topic keeps its records for an hour", _short_retention)],
    [Phase("odd worker", "one of which nothing is right", _odd_worker)],
    [Phase("files", "no more files for a worker", _no_more_files),
     Phase("rebalances", "another worker comes and goes", _rebalances)],
    [Phase("missing", "a topic is deleted", _missing_topic),
     Phase("slow", "GSTV answers after more than a second", _slow)],
    [Phase("kafka", "Kafka stands still", _kafka_away)],
    [Phase("no workers", "all are stopped, and records deleted", _no_workers)],
    [Phase("silence", "no player sends anything", _silence),
     Phase("blocked", "a worker stands still again and again", _blocked_loop),
     Phase("stranger", "somebody else joins the group", _stranger),
     Phase("settled", "a person settles what is parked", _settle_all)],
)  # fmt: skip
