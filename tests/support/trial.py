"""One test's topics, mock GSTV and workers, and a look at all of it from outside."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import GroupCoordinatorNotAvailableError

from pop_stream.gstv.mock.ledger import LedgerEntry, read_ledger
from pop_stream.gstv.mock.running import MockGstv
from pop_stream.settings import Settings
from tests.support.account import Account, Kill
from tests.support.eventually import eventually
from tests.support.feeding import feeding
from tests.support.kafka import DEADLINE_SECONDS, Outgoing, end_offsets, produce, read_all
from tests.support.plays import pop_id_of
from tests.support.worker import Worker, running_worker

_LOOK_SECONDS = 0.05
_LARGEST = "max.message.bytes"
#: Kafka's number for entries that are neither the broker's nor a default.
_SET_ON_THE_TOPIC = 1


class Trial:
    """The parts of one test. All that waits gives up after a deadline, with an error."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        """Take settings whose topics exist and that no other test uses."""
        self.settings = settings
        self.servers = settings.kafka_bootstrap_servers
        self._folder = folder
        self._ledger = folder / "gstv.ndjson"
        self._workers = 0

    @contextmanager
    def gstv(
        self, rules: Sequence[object] = (), *, port: int = 0, own_process: bool = False
    ) -> Iterator[MockGstv]:
        """Run the mock GSTV; every one of a trial goes on with the same ledger."""
        start = MockGstv.start_process if own_process else MockGstv.start
        with start(rules=rules, ledger=self._ledger, port=port) as mock:
            yield mock

    @contextmanager
    def worker(self, gstv_url: str, **overrides: Any) -> Iterator[Worker]:
        """Run a worker (`running_worker`)."""
        self._workers += 1
        log = self._folder / f"worker-{self._workers}.log"
        with running_worker(self.settings, gstv_url, log, **overrides) as worker:
            yield worker

    def send(self, events: Sequence[Outgoing], *, topic: str | None = None) -> None:
        """Put events on the players' topic, or on another."""
        asyncio.run(produce(self.servers, topic or self.settings.events_topic, events))

    @contextmanager
    def feeding(self, *, events_per_second: int) -> Iterator[None]:
        """Put events on the players' topic meanwhile."""
        with feeding(self.servers, self.settings.events_topic, events_per_second):
            yield

    @property
    def entries(self) -> list[LedgerEntry]:
        """All that the mock GSTV was asked so far."""
        return list(read_ledger(self._ledger)) if self._ledger.exists() else []

    @property
    def delivered(self) -> int:
        """How many deliveries there were so far."""
        return sum(entry.delivered for entry in self.entries)

    def has_delivered(self, sent: Outgoing) -> bool:
        """Whether one event was delivered."""
        return any(entry.delivered and entry.id == pop_id_of(sent) for entry in self.entries)

    def records(self, topic: str) -> int:
        """How many records a topic has had so far."""
        return sum(asyncio.run(end_offsets(self.servers, topic)).values())

    def committed(self) -> dict[tuple[str, int], int]:
        """The group's offsets, of each partition that has one."""
        return asyncio.run(_committed(self.settings))

    def wait_for_members(self, count: int) -> None:
        """Wait until that many workers share the partitions, and the group is at rest."""
        eventually(
            lambda: asyncio.run(_members(self.settings)) == count, f"{count} workers in the group"
        )

    def note_kill(self, at: float) -> Kill:
        """Note what Kafka knew when a worker died, at `at` in epoch seconds."""
        return Kill(at, self.committed())

    @contextmanager
    def unwritable(self, topic: str) -> Iterator[None]:
        """Let Kafka refuse every record for a topic meanwhile."""
        # Not by min.insync.replicas: Kafka asks for no more copies than a topic has.
        before = asyncio.run(_configure(self.servers, topic, {_LARGEST: "10"}))
        try:
            yield
        finally:
            asyncio.run(_configure(self.servers, topic, before))

    def settle(self) -> Account:
        """Wait until all that was sent is committed through to the end, and take the account."""
        asyncio.run(_committed_everything(self.settings))
        return self.account()

    def account(self) -> Account:
        """Take the account of what is there now."""
        return asyncio.run(self._account())

    async def _account(self) -> Account:
        settings = self.settings
        topics = (settings.events_topic, settings.retry_topic, settings.failure_topic,
                  settings.notification_topic)  # fmt: skip
        read = [await read_all(self.servers, topic) for topic in topics]
        return Account(
            events=read[0],
            retries=read[1],
            parked=read[2],
            notifications=read[3],
            entries=self.entries,
        )


async def _committed(settings: Settings) -> dict[tuple[str, int], int]:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap_servers)
    await admin.start()
    try:
        return await _offsets(admin, settings.group)
    finally:
        await admin.close()


async def _offsets(admin: AIOKafkaAdminClient, group: str) -> dict[tuple[str, int], int]:
    try:
        offsets = await admin.list_consumer_group_offsets(group)
    except GroupCoordinatorNotAvailableError:
        # A Kafka that has had no group yet has no topic for offsets yet.
        return {}
    return {(place.topic, place.partition): entry.offset for place, entry in offsets.items()}


async def _members(settings: Settings) -> int:
    admin = AIOKafkaAdminClient(bootstrap_servers=settings.kafka_bootstrap_servers)
    await admin.start()
    try:
        (answer,) = await admin.describe_consumer_groups([settings.group])
        (group,) = answer.to_object()["groups"]
    except GroupCoordinatorNotAvailableError:
        return 0
    finally:
        await admin.close()
    return len(group["members"]) if group["state"] == "Stable" else 0


async def _committed_everything(settings: Settings) -> None:
    servers = settings.kafka_bootstrap_servers
    topics = (settings.events_topic, settings.retry_topic, settings.failure_topic)
    partitions = [
        TopicPartition(topic, number)
        for topic in topics
        for number in await end_offsets(servers, topic)
    ]
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    try:
        async with AIOKafkaConsumer(bootstrap_servers=servers) as consumer:
            consumer.assign(partitions)
            async with asyncio.timeout(DEADLINE_SECONDS):
                while True:
                    # First the offsets, then the ends: what is committed by then has left what
                    # it will ever leave on the next topic.
                    offsets = await _offsets(admin, settings.group)
                    ends = await consumer.end_offsets(partitions)
                    owed = {tuple(place): end for place, end in ends.items() if end}
                    if owed.items() <= offsets.items():
                        return
                    await asyncio.sleep(_LOOK_SECONDS)
    finally:
        await admin.close()


async def _configure(servers: str, topic: str, entries: dict[str, str]) -> dict[str, str]:
    """Set some of a topic's own configuration; give all of it as it was before."""
    admin = AIOKafkaAdminClient(bootstrap_servers=servers)
    await admin.start()
    try:
        asked = ConfigResource(ConfigResourceType.TOPIC, topic)
        (described,) = await admin.describe_configs([asked])
        (resource,) = described.to_object()["resources"]
        before = {
            entry["config_names"]: entry["config_value"]
            for entry in resource["config_entries"]
            if entry["config_source"] == _SET_ON_THE_TOPIC
        }
        # What is not said again would fall back to the broker's default.
        now = ConfigResource(ConfigResourceType.TOPIC, topic, configs=before | entries)
        await admin.alter_configs([now])
        return before
    finally:
        await admin.close()
