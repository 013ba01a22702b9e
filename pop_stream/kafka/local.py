"""A real Apache Kafka on this machine, for development, the demo and tests.

    with LocalKafka.start(LocalKafkaOptions(brokers=3)) as kafka:
        kafka.bootstrap_servers

It listens on the loopback interface only, without encryption or authentication unless `secured`.
No broker outlives the process that started it, however that process ends.
"""

import logging
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from pop_stream.errors import EmbeddedKafkaError
from pop_stream.kafka.archive import archive_flags
from pop_stream.kafka.broker import STOP_TIMEOUT_SECONDS, Broker, wait_until
from pop_stream.kafka.broker_config import Node
from pop_stream.kafka.install import install
from pop_stream.kafka.jar_cache import Progress
from pop_stream.kafka.layout import (
    SERVER_PROPERTIES,
    SUPERVISOR_LOG,
    broker_folder,
    choose_nodes,
    claim,
    lay_out,
)
from pop_stream.kafka.secured import Protection
from pop_stream.kafka.supervisor import Supervisor

READY_TIMEOUT_SECONDS = 90.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalKafkaOptions:
    """What kind of Kafka to start."""

    #: 1 or 3.
    brokers: int = 1
    #: The port of the first broker; the others take the next ones. 0: any free ports.
    port: int = 0
    #: A folder that is kept and can be started again; None: a temporary one, removed at the end.
    data_dir: Path | None = None
    #: Whether each broker has a second listener for clients behind a proxy (`Broker.proxied`).
    proxied: bool = False
    #: What listeners with TLS and logins need (`Broker.secured`); None: there are none.
    secured: Protection | None = None


class LocalKafka:
    """A cluster of one or three brokers. Ends with `stop`, or with the `with` block."""

    def __init__(
        self, nodes: Sequence[Node], *, folder: Path, command: Sequence[str], supervisor: Supervisor
    ) -> None:
        """Take the parts; `start` makes them."""
        #: Where brokers keep records and logs.
        self.folder = folder
        self.brokers = tuple(
            Broker(node, folder=broker_folder(folder, node), command=command, supervisor=supervisor)
            for node in nodes
        )
        self._supervisor = supervisor

    @classmethod
    def start(
        cls, options: LocalKafkaOptions, *, progress: Progress = lambda _done, _total: None
    ) -> Self:
        """Start a cluster and return when every broker answers and sees all the others.

        Raises EmbeddedKafkaError when it cannot be had or does not start, UsageError when the
        options cannot be met (a port that is taken, a folder of another number of brokers).
        The first time, jars are fetched, and `progress` is told of it.
        """
        nodes = choose_nodes(
            brokers=options.brokers,
            port=options.port,
            proxied=options.proxied,
            secured=options.secured is not None,
        )
        installation = install(progress)
        flags = [
            *archive_flags(installation),
            *(options.secured.java_flags if options.secured else ()),
        ]
        kept = options.data_dir
        folder = (kept or Path(tempfile.mkdtemp(prefix="pop-stream-kafka-"))).absolute()
        with claim(folder) as claimed:
            supervisor = Supervisor(
                grace_seconds=STOP_TIMEOUT_SECONDS if kept else 0.0,
                remove=None if kept else folder,
                log=folder / SUPERVISOR_LOG,
                hold=claimed,
            )
        command = installation.command("kafka.Kafka", SERVER_PROPERTIES, flags=flags)
        kafka = cls(nodes, folder=folder, command=command, supervisor=supervisor)
        try:
            lay_out(folder, nodes, installation, options.secured)
            for broker in kafka.brokers:
                broker.start()
            kafka.wait_until_ready()
        except BaseException:
            kafka.stop()
            raise
        log.info("kafka.ready", extra={"bootstrap_servers": kafka.bootstrap_servers})
        return kafka

    @property
    def bootstrap_servers(self) -> str:
        """The addresses for clients, as host:port,host:port."""
        return ",".join(broker.address for broker in self.brokers)

    def wait_until_ready(self, timeout_seconds: float = READY_TIMEOUT_SECONDS) -> None:
        """Return when every broker answers and sees all the others.

        Raises EmbeddedKafkaError, with what the broker logged, when one ends or time is up.
        """
        everyone = frozenset(broker.id for broker in self.brokers)
        waiting = list(self.brokers)

        def ready() -> bool:
            for broker in self.brokers:
                if not broker.is_running:
                    raise _not_started(broker, "it ended")
            waiting[:] = [broker for broker in waiting if broker.knows() != everyone]
            return not waiting

        if not wait_until(ready, timeout_seconds):
            raise _not_started(waiting[0], f"it was not ready after {timeout_seconds:.0f} s")

    def stop(self) -> None:
        """End all brokers, and remove the folder if it was a temporary one."""
        self._supervisor.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def _not_started(broker: Broker, why: str) -> EmbeddedKafkaError:
    try:
        lines = broker.log_path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    errors = [line for line in lines if " ERROR " in line or "Exception:" in line]
    said = (errors or lines or ["nothing"])[-1]
    return EmbeddedKafkaError(
        f"broker {broker.id} of the embedded Kafka did not start: {why}. It said: {said}"
    )
