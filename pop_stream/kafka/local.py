"""A real Apache Kafka on this machine, for development, the demo and tests.

    with LocalKafka.start(LocalKafkaOptions(brokers=3)) as kafka:
        kafka.bootstrap_servers

It listens on the loopback interface only, without encryption or authentication.
No broker outlives the process that started it, however that process ends.
"""

import base64
import logging
import tempfile
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from pop_stream.errors import EmbeddedKafkaError, UsageError
from pop_stream.kafka.broker import STOP_TIMEOUT_SECONDS, Broker, wait_until
from pop_stream.kafka.broker_config import (
    HOST,
    LOG_FOLDER,
    Node,
    meta_properties,
    server_properties,
)
from pop_stream.kafka.install import META_PROPERTIES, Installation, install, prepare_log_folder
from pop_stream.kafka.jar_cache import Progress
from pop_stream.kafka.ports import free_ports, is_free
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


class LocalKafka:
    """A cluster of one or three brokers. Ends with `stop`, or with the `with` block."""

    def __init__(self, brokers: Sequence[Broker], *, folder: Path, supervisor: Supervisor) -> None:
        self.brokers = tuple(brokers)
        #: Where brokers keep records and logs.
        self.folder = folder
        self._supervisor = supervisor

    @classmethod
    def start(
        cls, options: LocalKafkaOptions, *, progress: Progress = lambda _done, _total: None
    ) -> Self:
        """Start a cluster and return when every broker answers and sees all the others.

        Raises EmbeddedKafkaError when it cannot be had or does not start, UsageError when the
        options cannot be met (a port that is taken, a folder of another number of brokers).
        """
        nodes = _nodes(options)
        installation = install(progress)
        kafka = cls._prepare(options, nodes, installation)
        try:
            for broker in kafka.brokers:
                broker.start()
            kafka.wait_until_ready()
        except BaseException:
            kafka.stop()
            raise
        log.info("kafka.ready", extra={"bootstrap_servers": kafka.bootstrap_servers})
        return kafka

    @classmethod
    def _prepare(
        cls, options: LocalKafkaOptions, nodes: Sequence[Node], installation: Installation
    ) -> Self:
        kept = options.data_dir
        folder = (kept or Path(tempfile.mkdtemp(prefix="pop-stream-kafka-"))).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        _format(folder, nodes, installation)
        supervisor = Supervisor(
            grace_seconds=STOP_TIMEOUT_SECONDS if kept else 0.0,
            remove=None if kept else folder,
            log=folder / "supervisor.log",
        )
        command = installation.command("kafka.Kafka", "server.properties")
        brokers = [
            Broker(
                node, folder=_broker_folder(folder, node), command=command, supervisor=supervisor
            )
            for node in nodes
        ]
        return cls(brokers, folder=folder, supervisor=supervisor)

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


def _nodes(options: LocalKafkaOptions) -> list[Node]:
    if options.brokers not in (1, 3):
        raise UsageError("the embedded Kafka runs 1 or 3 brokers")
    count = options.brokers
    if options.port == 0:
        ports = free_ports(2 * count)
    else:
        ports = [options.port + n for n in range(count)]
        for port in ports:
            if port > 65_535 or not is_free(port):
                raise UsageError(f"port {port} of {HOST} is taken or is none: choose another one")
        ports += [port for port in free_ports(2 * count) if port not in ports][:count]
    return [Node(id=n + 1, port=ports[n], controller_port=ports[count + n]) for n in range(count)]


def _format(folder: Path, nodes: Sequence[Node], installation: Installation) -> None:
    """Lay out a folder for each broker; one that has records already keeps them."""
    there = {path.parent.parent.name for path in folder.glob(f"*/{LOG_FOLDER}/{META_PROPERTIES}")}
    if there and there != {_broker_folder(folder, node).name for node in nodes}:
        held = f"{folder} holds a Kafka of {len(there)} brokers"
        raise UsageError(f"{held}: start that many, or name another folder")
    cluster_id = _kafka_uuid()
    for node in nodes:
        broker_folder = _broker_folder(folder, node)
        broker_folder.mkdir(exist_ok=True)
        meta = meta_properties(node, cluster_id=cluster_id, directory_id=_kafka_uuid())
        prepare_log_folder(installation, broker_folder / LOG_FOLDER, meta)
        properties = server_properties(node, nodes)
        (broker_folder / "server.properties").write_text(properties, encoding="ascii")


def _broker_folder(folder: Path, node: Node) -> Path:
    return folder / f"broker-{node.id}"


def _kafka_uuid() -> str:
    """Make a UUID as Kafka writes it; it avoids a leading dash, which looks like an option."""
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):
            return text


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
