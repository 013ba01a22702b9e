"""Everything that takes part in one run, and what can be seen of it from outside."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from faults.cluster import Cluster
from faults.gstv import Gstv
from faults.player import Players
from faults.proxy import Proxy
from faults.supervisor import SupervisedWorker
from pop_stream.errors import PopStreamError
from pop_stream.settings import Settings


@dataclass(frozen=True, kw_only=True)
class Stage:
    """The parts of one run."""

    cluster: Cluster
    gstv: Gstv
    #: Between the workers and GSTV.
    gstv_proxy: Proxy
    players: Players
    #: By number, from 1.
    workers: dict[int, SupervisedWorker]
    settings: Settings
    folder: Path
    usual_rules: Sequence[object]
    #: Held by whoever takes brokers away.
    brokers: AbstractContextManager[object] = field(default_factory=Lock)

    @property
    def topics(self) -> dict[str, str]:
        """The topics' names by role."""
        settings = self.settings
        return {
            "events": settings.events_topic,
            "retry": settings.retry_topic,
            "failure": settings.failure_topic,
            "notifications": settings.notification_topic,
        }

    def proxies(self, link: str) -> list[Proxy]:
        """The proxies of a link."""
        if link == "gstv":
            return [self.gstv_proxy]
        if link == "brokers":
            return list(self.cluster.proxies.values())
        return [self.cluster.proxies[int(link.removeprefix("broker-"))]]

    def unfinished(self) -> int:
        """How many events the brokers have and GSTV has not, about."""
        return self.players.acked - self.gstv.delivered()

    def lag(self) -> int:
        """How many records the workers have still before them."""
        topics = [self.topics[role] for role in ("events", "retry", "failure")]
        states = self.cluster.partitions_of(self.settings.group, topics)
        return sum(state.end - (state.committed or 0) for state in states)

    def ends(self, *topics: str) -> list[int]:
        """Where each partition of the topics ends, always in the same order."""
        states = self.cluster.partitions_of(self.settings.group, list(topics))
        in_order = sorted(states, key=lambda state: (state.topic, state.partition))
        return [state.end for state in in_order]

    def heal(self) -> None:
        """End all faults that may still be on."""
        for proxy in (*self.cluster.proxies.values(), self.gstv_proxy):
            proxy.heal()
        for broker in self.cluster.kafka.brokers:
            if not broker.is_running:
                broker.start()
        self.gstv.ensure_running()
        self.gstv.set_rules(self.usual_rules)

    def counters(self) -> tuple[Any, ...]:
        """What stands still once all is done."""
        with suppress(PopStreamError):
            return (self.gstv.received(), self.ends(*self.topics.values()))
        return (object(),)
