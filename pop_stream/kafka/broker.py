"""One broker of the embedded Kafka, through its supervisor."""

import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from pop_stream.errors import EmbeddedKafkaError
from pop_stream.kafka.broker_config import HOST, Node
from pop_stream.kafka.probe import brokers_known_by
from pop_stream.kafka.supervisor import Supervisor

STOP_TIMEOUT_SECONDS = 15.0
POLL_SECONDS = 0.03
PROBE_TIMEOUT_SECONDS = 2.0


class Broker:
    """One broker of the cluster; it can be stopped, killed and started again on its port."""

    def __init__(
        self, node: Node, *, folder: Path, command: Sequence[str], supervisor: Supervisor
    ) -> None:
        self.id = node.id
        self.port = node.port
        self.address = node.address
        #: Its second listener; None when it was started without.
        self.proxied = node.proxied
        #: Its listeners for clients that prove who they are; None when it was started without.
        self.secured = node.secured
        #: What the broker logs, and what Java says.
        self.log_path = folder / "kafka.log"
        self._folder = folder
        self._command = command
        self._supervisor = supervisor
        self._pid: int | None = None

    @property
    def pid(self) -> int:
        """The process id of the broker, or of its last run."""
        if self._pid is None:
            raise EmbeddedKafkaError(f"broker {self.id} has not been started yet")
        return self._pid

    @property
    def is_running(self) -> bool:
        """Whether its process is there; it may not be ready yet."""
        return self._pid is not None and self._supervisor.exit_code(self.id) is None

    def start(self) -> None:
        """Start its process, and return at once: `LocalKafka.wait_until_ready` waits."""
        if self.is_running:
            return
        self._pid = self._supervisor.start(
            self.id, self._command, folder=self._folder, log=self.log_path
        )

    def stop(self, timeout_seconds: float = STOP_TIMEOUT_SECONDS) -> None:
        """End it as an operator would, and kill it if it takes longer than that."""
        if not self.is_running:
            return
        self._supervisor.send_signal(self.id, signal.SIGTERM)
        if not wait_until(lambda: not self.is_running, timeout_seconds):
            self.kill()

    def kill(self) -> None:
        """Kill it (SIGKILL) and wait until it is gone."""
        if not self.is_running:
            return
        self._supervisor.send_signal(self.id, signal.SIGKILL)
        if not wait_until(lambda: not self.is_running, STOP_TIMEOUT_SECONDS):
            raise EmbeddedKafkaError(f"broker {self.id} (pid {self.pid}) survived SIGKILL")

    def knows(self) -> frozenset[int]:
        """Give the ids of the brokers that it sees up; empty while it does not answer."""
        return brokers_known_by(HOST, self.port, timeout_seconds=PROBE_TIMEOUT_SECONDS)


def wait_until(condition: Callable[[], bool], timeout_seconds: float) -> bool:
    """Look again and again until it is so; False when the time is up before that."""
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True
