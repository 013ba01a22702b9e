"""Three brokers, each behind a proxy of its own for the workers; everybody else goes straight."""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupCoordinatorNotAvailableError
from confluent_kafka.admin import AdminClient

from faults.configuring import configure
from faults.proxy import Proxy
from pop_stream.kafka.admin import connected_admin
from pop_stream.kafka.broker import Broker
from pop_stream.kafka.group import PartitionState, partitions_of
from pop_stream.kafka.local import LocalKafka, LocalKafkaOptions
from pop_stream.settings import Settings

T = TypeVar("T")

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
        described = self._described([topic])
        return int(next(one["leader"] for one in described if one["partition"] == partition))

    def coordinator_of(self, group: str) -> int:
        """The id of the broker that coordinates a group."""
        return self._ask(lambda admin: admin.find_coordinator(group))

    def members_of(self, group: str) -> int:
        """How many workers share the partitions; 0 while the group is not at rest."""

        async def ask(admin: AIOKafkaAdminClient) -> int:
            try:
                (answer,) = await admin.describe_consumer_groups([group])
            except GroupCoordinatorNotAvailableError:
                return 0
            (found,) = answer.to_object()["groups"]
            return len(found["members"]) if found["state"] == "Stable" else 0

        return self._ask(ask)

    def partitions_of(self, group: str, topics: list[str]) -> list[PartitionState]:
        """Where each partition of the topics ends, and what the group has committed."""
        return asyncio.run(
            partitions_of(self._settings.model_copy(update={"group": group}), topics)
        )

    def configure(self, topic: str, entries: Mapping[str, str]) -> None:
        """Set some of a topic's own configuration."""
        configure(self._alterer, topic, entries)

    def delete(self, topics: Sequence[str]) -> None:
        """Delete topics: a broker that was killed looks through all that it has as it starts."""
        for answer in self._alterer.delete_topics(list(topics)).values():
            answer.result(_READY_SECONDS)

    @cached_property
    def _alterer(self) -> AdminClient:
        # Kept: a client of librdkafka's that ends while its last answer is being handed over may
        # wait for ever, and all with it.
        return AdminClient({"bootstrap.servers": self.servers, "log_level": 2})

    @property
    def _settings(self) -> Settings:
        return Settings().model_copy(update={"kafka_bootstrap_servers": self.servers})

    def _ask(self, question: Callable[[AIOKafkaAdminClient], Awaitable[T]]) -> T:
        async def ask() -> T:
            async with connected_admin(self._settings) as admin:
                return await question(admin)

        return asyncio.run(ask())

    def _described(self, topics: list[str]) -> list[dict[str, Any]]:
        described = self._ask(lambda admin: admin.describe_topics(topics))
        return [one for topic in described for one in topic["partitions"]]

    def wait_until_whole(self, topics: list[str]) -> None:
        """Wait until every broker runs and every copy of every partition is in sync."""
        self.kafka.wait_until_ready(_READY_SECONDS)
        deadline = time.monotonic() + _READY_SECONDS
        while not self._is_whole(topics):
            if time.monotonic() > deadline:
                raise TimeoutError("the cluster did not become whole again")
            time.sleep(0.2)

    def _is_whole(self, topics: list[str]) -> bool:
        return all(
            one["leader"] >= 0 and len(one["isr"]) == len(one["replicas"])
            for one in self._described(topics)
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
