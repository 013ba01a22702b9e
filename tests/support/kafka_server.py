"""Which Kafka the tests run on: the one that is named, else Docker's, else the embedded one."""

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager

from pop_stream.kafka.broker_config import Node, server_properties
from pop_stream.kafka.jar_lock import KAFKA_VERSION
from pop_stream.kafka.local import LocalKafka, LocalKafkaOptions
from pop_stream.kafka.probe import brokers_known_by

#: Names a Kafka that is there already, as host:port.
VARIABLE = "POP_STREAM_TEST_KAFKA"
CONTAINER_PORT = 9092
CONTAINER_READY_SECONDS = 120.0

#: Starts a Kafka and gives its bootstrap servers.
Start = Callable[[], AbstractContextManager[str]]


def kafka_for_tests(
    environ: Mapping[str, str],
    *,
    docker_answers: Callable[[], bool],
    docker: Start,
    embedded: Start,
) -> AbstractContextManager[str]:
    """Choose among the three."""
    if named := environ.get(VARIABLE):
        return contextlib.nullcontext(named)
    return docker() if docker_answers() else embedded()


@contextlib.contextmanager
def embedded_kafka() -> Iterator[str]:
    """Start the embedded Kafka."""
    with LocalKafka.start(LocalKafkaOptions()) as kafka:
        yield kafka.bootstrap_servers


def docker_answers() -> bool:
    """Whether containers can be started here."""
    # In a process of its own: where nothing answers, Docker's client leaves its socket open.
    ping = "import docker; docker.from_env(timeout=5).ping()"
    asked = subprocess.run([sys.executable, "-c", ping], capture_output=True, check=False)
    return asked.returncode == 0


@contextlib.contextmanager
def docker_kafka() -> Iterator[str]:
    """Start Apache Kafka's own image, in the version and with the settings of the embedded one."""
    from testcontainers.core.container import DockerContainer  # noqa: PLC0415 - slow to import

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    container = DockerContainer(f"apache/kafka:{KAFKA_VERSION}")
    host = container.get_container_host_ip()
    container.with_bind_ports(CONTAINER_PORT, port)
    for name, value in container_environment(host, port).items():
        container.with_env(name, value)
    with container:
        deadline = time.monotonic() + CONTAINER_READY_SECONDS
        while brokers_known_by(host, port, timeout_seconds=2.0) != {1}:
            if time.monotonic() > deadline:
                raise TimeoutError(f"Kafka in Docker is not ready: {container.get_logs()}")
        yield f"{host}:{port}"


def container_environment(host: str, port: int) -> dict[str, str]:
    """Translate the embedded broker's server.properties for the image."""
    node = Node(id=1, port=port, controller_port=CONTAINER_PORT + 1)
    lines = server_properties(node, [node]).splitlines()
    entries = dict(line.split("=", 1) for line in lines)
    del entries["log.dirs"]
    entries["listeners"] = f"PLAINTEXT://:{CONTAINER_PORT},CONTROLLER://:{node.controller_port}"
    entries["advertised.listeners"] = f"PLAINTEXT://{host}:{port}"
    return {f"KAFKA_{name.upper().replace('.', '_')}": value for name, value in entries.items()}
