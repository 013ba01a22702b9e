"""The whole system on this machine: Kafka, players, GSTV's mock, two workers, the watch."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from aiokafka import TopicPartition
from confluent_kafka.admin import AdminClient

from drill.prometheus import write_targets
from faults.configuring import configure
from faults.gstv import Gstv
from faults.player import Players
from faults.proxy import Proxy
from faults.supervisor import WORKER, SupervisedWorker
from pop_stream.gstv.mock.running import MockGstv
from pop_stream.kafka import topics
from pop_stream.kafka.group import partitions_of
from pop_stream.kafka.local import LocalKafka, LocalKafkaOptions
from pop_stream.kafka.ports import free_ports
from pop_stream.kafka.reading import Record, read_all
from pop_stream.pop.trail import Origin, trail_from_own_topic
from pop_stream.settings import Settings

ODD_WORKER = (sys.executable, "-m", "drill.odd_worker")
WATCH = (sys.executable, "-m", "pop_stream", "watch")
_PARTITIONS = 6
_KAFKA_SECONDS = 30.0
_SCREENS = 40
#: So that each kind of thing happens a little all the time: refused, failed at first, odd.
USUAL_RULES = (
    {"when": {"share": [0, 0.01]}, "then": {"status": 422}},
    {"when": {"share": [0.01, 0.05], "nth": "<=1"}, "then": {"status": 503}},
    {"then": {"delay": [0, 0.03]}},
)
#: Short where waiting proves nothing. The same names as in production, so that dashboards and
#: alerts need no other.
_QUICK = {
    "session_timeout_seconds": "6",
    "retry_backoff_seconds": "0.2,0.4,0.6",
    "gstv_timeout_seconds": "2",
    "gstv_probe_most_seconds": "2",
    "auto_redrive": "20s",
    "drain_seconds": "5",
    "watch_seconds": "1",
    "log_format": "json",
}


@dataclass(frozen=True, kw_only=True)
class System:
    """The parts of a drill."""

    kafka: LocalKafka
    gstv: Gstv
    gstv_proxy: Proxy
    #: Who is told of failures beside the topic.
    notified: MockGstv
    players: Players
    workers: tuple[SupervisedWorker, ...]
    #: Goes wrong in ways that none should; it is started for a while.
    odd_worker: SupervisedWorker
    watch: SupervisedWorker
    settings: Settings
    #: What Prometheus scrapes: the file of targets of each job.
    jobs: Mapping[str, Path]
    #: Where the workers are scraped, and where the odd one is.
    addresses: tuple[str, ...]
    odd_address: str
    folder: Path

    def scrape_odd_worker(self, *, yes: bool) -> None:
        """Let the odd worker be one of those that should be there."""
        write_targets(
            self.jobs["pop-stream"], (*self.addresses, *([self.odd_address] if yes else []))
        )

    @cached_property
    def admin(self) -> AdminClient:
        """What a person can do. Kept: one that ends while it is answered may wait for ever."""
        return AdminClient({"bootstrap.servers": self.kafka.bootstrap_servers, "log_level": 0})

    def configure(self, topic: str, entries: Mapping[str, str]) -> None:
        """Set some of a topic's own configuration."""
        configure(self.admin, topic, entries)

    def parked_ids(self) -> set[str]:
        """The ids of all events on the failure topic."""
        return asyncio.run(_ids_on(self.settings, self.settings.failure_topic))


async def _ids_on(settings: Settings, topic: str) -> set[str]:
    states = await partitions_of(settings, [topic])
    spans = {
        TopicPartition(state.topic, state.partition): (state.begin, state.end)
        for state in states
        if state.begin < state.end
    }
    ids: set[str] = set()

    def take(record: Record) -> None:
        here = Origin(record.topic, record.partition, record.offset, record.timestamp)
        ids.add(trail_from_own_topic(record.headers, here).pop_id)

    await read_all(settings, spans, take, within_seconds=_KAFKA_SECONDS)
    return ids


@contextmanager
def running_system(folder: Path, *, seed: int) -> Iterator[System]:
    """Start everything but workers and players, which the scenario starts."""
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        kafka = stack.enter_context(LocalKafka.start(LocalKafkaOptions(brokers=1)))
        settings = Settings().model_copy(
            update={"kafka_bootstrap_servers": kafka.bootstrap_servers}
        )
        asyncio.run(topics.ensure(settings, partitions=_PARTITIONS, replication=1))
        gstv = Gstv(folder / "gstv.ndjson", USUAL_RULES)
        stack.callback(gstv.close)
        proxy = stack.enter_context(Proxy.start(("127.0.0.1", gstv.port), seed=seed))
        notified = stack.enter_context(MockGstv.start_process())
        players = Players(
            kafka.bootstrap_servers,
            settings.events_topic,
            folder,
            screens=_SCREENS,
            bad_share=0.005,
            seed=seed,
        )
        stack.callback(players.close)
        stack.callback(players.stop)
        ports = free_ports(4)
        shared = {
            **_QUICK,
            "kafka_bootstrap_servers": kafka.bootstrap_servers,
            "gstv_url": f"http://127.0.0.1:{proxy.port}/pops",
            "notification_url": f"http://127.0.0.1:{notified.port}/notify",
        }
        workers = tuple(
            _supervised(f"worker-{n}", shared | {"metrics_port": str(port)}, folder, WORKER)
            for n, port in enumerate(ports[:2], 1)
        )
        watch = _supervised("watch", shared | {"watch_port": str(ports[2])}, folder, WATCH)
        odd = _supervised(
            "odd-worker", shared | {"metrics_port": str(ports[3])}, folder, ODD_WORKER
        )
        for each in (*workers, odd, watch):
            stack.callback(each.close)
        addresses = tuple(f"127.0.0.1:{port}" for port in ports[:2])
        jobs = {name: folder / f"{name}.json" for name in ("pop-stream", "pop-stream-watch")}
        write_targets(jobs["pop-stream"], addresses)
        write_targets(jobs["pop-stream-watch"], [f"127.0.0.1:{ports[2]}"])
        yield System(
            kafka=kafka,
            gstv=gstv,
            gstv_proxy=proxy,
            notified=notified,
            players=players,
            workers=workers,
            odd_worker=odd,
            watch=watch,
            settings=settings,
            jobs=jobs,
            addresses=addresses,
            odd_address=f"127.0.0.1:{ports[3]}",
            folder=folder,
        )


def _supervised(
    name: str, settings: Mapping[str, str], folder: Path, argv: tuple[str, ...]
) -> SupervisedWorker:
    environment = {f"POP_STREAM_{key.upper()}": value for key, value in settings.items()}
    return SupervisedWorker(name, environment, folder, argv=argv)


def run_command(system: System, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run a command of pop-stream against the system, as a person would."""
    environment = dict(os.environ) | {
        "POP_STREAM_KAFKA_BOOTSTRAP_SERVERS": system.kafka.bootstrap_servers
    }
    return subprocess.run(
        [sys.executable, "-m", "pop_stream", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
