"""Three brokers, each behind a proxy of its own for the workers; everybody else goes straight."""

import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import (
    ConsumerGroupState,
    ConsumerGroupTopicPartitions,
    KafkaException,
    TopicPartition,
)
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    OffsetSpec,
)

from faults.proxy import Proxy
from pop_stream.kafka.broker import Broker
from pop_stream.kafka.local import LocalKafka, LocalKafkaOptions

_TIMEOUT_SECONDS = 10.0
_READY_SECONDS = 60.0


@dataclass(frozen=True)
class Cluster:
    """A running cluster."""

    kafka: LocalKafka
    #: By broker id.
    proxies: dict[int, Proxy]

    @property
    def servers(self) -> str:
        """The brokers themselves."""
        return self.kafka.bootstrap_servers

    @property
    def proxied_servers(self) -> str:
        """The brokers as the workers know them."""
        return ",".join(f"127.0.0.1:{proxy.port}" for proxy in self.proxies.values())

    def broker(self, number: int) -> Broker:
        """A broker by its id."""
        return next(broker for broker in self.kafka.brokers if broker.id == number)

    def leader_of(self, topic: str, partition: int) -> int:
        """The id of the broker that leads a partition; -1 when none does."""
        found = self.admin().list_topics(topic, timeout=_TIMEOUT_SECONDS)
        return int(found.topics[topic].partitions[partition].leader)

    def coordinator_of(self, group: str) -> int:
        """The id of the broker that coordinates a group."""
        admin = self.admin()
        described = admin.describe_consumer_groups([group], request_timeout=_TIMEOUT_SECONDS)
        coordinator = described[group].result(2 * _TIMEOUT_SECONDS).coordinator
        return int(coordinator.id)

    def members_of(self, group: str) -> int:
        """How many workers share the partitions; 0 while the group is not at rest."""
        try:
            admin = self.admin()
            described = admin.describe_consumer_groups([group], request_timeout=_TIMEOUT_SECONDS)
            found = described[group].result(2 * _TIMEOUT_SECONDS)
        except (KafkaException, TimeoutError):
            return 0
        return len(found.members) if found.state == ConsumerGroupState.STABLE else 0

    def committed(self, group: str) -> dict[tuple[str, int], int]:
        """What the group has committed, by topic and partition."""
        admin = self.admin()
        (answer,) = admin.list_consumer_group_offsets(
            [ConsumerGroupTopicPartitions(group)], request_timeout=_TIMEOUT_SECONDS
        ).values()
        offsets = answer.result(2 * _TIMEOUT_SECONDS).topic_partitions
        return {(one.topic, one.partition): one.offset for one in offsets if one.offset >= 0}

    def ends(self, topics: list[str]) -> dict[tuple[str, int], int]:
        """Where each partition of the topics ends."""
        admin = self.admin()
        listed = admin.list_topics(timeout=_TIMEOUT_SECONDS).topics
        wanted = {
            TopicPartition(topic, number): OffsetSpec.latest()
            for topic in topics
            for number in listed[topic].partitions
        }
        found = admin.list_offsets(wanted, request_timeout=_TIMEOUT_SECONDS)
        return {
            (place.topic, place.partition): answer.result(2 * _TIMEOUT_SECONDS).offset
            for place, answer in found.items()
        }

    def configure(self, topic: str, entries: Mapping[str, str]) -> None:
        """Set some of a topic's own configuration."""
        resource = ConfigResource(
            ConfigResource.Type.TOPIC,
            topic,
            incremental_configs=[
                ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET)
                for name, value in entries.items()
            ],
        )
        admin = self.admin()
        for answer in admin.incremental_alter_configs([resource]).values():
            answer.result(2 * _TIMEOUT_SECONDS)

    def admin(self) -> AdminClient:
        """A new admin client: one that was cut off from a dead broker is slow to notice.

        What it was asked ends with it: keep it until the answer is there.
        """
        return AdminClient({"bootstrap.servers": self.servers, "log_level": 2})

    def wait_until_whole(self, topics: list[str]) -> None:
        """Wait until every broker runs and every copy of every partition is in sync."""
        self.kafka.wait_until_ready(_READY_SECONDS)
        deadline = time.monotonic() + _READY_SECONDS
        while not self._is_whole(topics):
            if time.monotonic() > deadline:
                raise TimeoutError("the cluster did not become whole again")
            time.sleep(0.2)

    def _is_whole(self, topics: list[str]) -> bool:
        listed = self.admin().list_topics(timeout=_TIMEOUT_SECONDS).topics
        return all(
            partition.leader >= 0 and len(partition.isrs) == len(partition.replicas)
            for topic in topics
            for partition in listed[topic].partitions.values()
        )


@contextmanager
def running_cluster(*, seed: int) -> Iterator[Cluster]:
    """Run one for the time of the block."""
    options = LocalKafkaOptions(brokers=3, proxied=True)
    with ExitStack() as stack:
        kafka = stack.enter_context(LocalKafka.start(options))
        proxies = {}
        for broker in kafka.brokers:
            if broker.proxied is None:
                raise RuntimeError("the broker has no listener for the proxy")
            proxies[broker.id] = stack.enter_context(
                Proxy.start(
                    ("127.0.0.1", broker.proxied.port),
                    port=broker.proxied.proxy_port,
                    seed=seed * 10 + broker.id,
                )
            )
        yield Cluster(kafka, proxies)


def pause(pid: int) -> None:
    """Let a process stand still."""
    os.kill(pid, signal.SIGSTOP)


def resume(pid: int) -> None:
    """Let it go on."""
    os.kill(pid, signal.SIGCONT)


def is_stopped(pid: int) -> bool:
    """Whether it stands still."""
    state = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()[0]
    return state == "T"
