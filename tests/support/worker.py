"""The worker under test: a process of its own, to be started, frozen, killed and told to end."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from pop_stream.settings import TOPICS, Settings
from tests.support.eventually import eventually

#: What is promised of SIGTERM.
END_SECONDS = 25.0

#: The settings that make the worker of a test one of that test alone.
_OF_THE_TEST = ("kafka_bootstrap_servers", "group", *TOPICS)

#: Quick where waiting proves nothing: the dead leave the group after 6 s, Kafka's own least.
_QUICK = {
    "metrics_port": 0,
    "session_timeout_seconds": 6,
    "retry_backoff_seconds": "0.2,0.4,0.6",
    "log_format": "json",
}

WORKER = (sys.executable, "-m", "pop_stream", "worker")
#: The same, as people start it who know Faust.
FAUST_WORKER = (sys.executable, "-m", "faust", "-A", "pop_stream.stream", "worker")


class Worker:
    """A worker that was started."""

    def __init__(self, process: subprocess.Popen[bytes], log_path: Path) -> None:
        self.process = process
        self.log_path = log_path

    @property
    def log(self) -> str:
        """All that it has said so far."""
        return self.log_path.read_text(errors="replace")

    def said(self, event: str) -> list[dict[str, Any]]:
        """The lines of the JSON log that tell of an event."""
        lines = (line for line in self.log.splitlines() if f'"{event}"' in line)
        return [entry for entry in map(orjson.loads, lines) if entry["event"] == event]

    @property
    def metrics_port(self) -> int:
        """Where it serves what it counts; once it has joined, it does."""
        (listening,) = self.said("metrics.listening")
        return int(listening["port"])

    def wait_until_it_says(self, event: str) -> None:
        """Wait for an event in the log."""
        eventually(lambda: self.said(event), f"{event} in {self.log_path}")

    def kill(self) -> float:
        """`kill -9`; returns when it is dead, with the time of it in epoch seconds."""
        self.process.kill()
        self.process.wait()
        return time.time()

    def freeze(self) -> None:
        """Let it stand still, as a machine does that swaps or is suspended."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on, unaware of the time that has passed."""
        self.process.send_signal(signal.SIGCONT)

    def tell(self, number: signal.Signals) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def ends(self, *, within_seconds: float = END_SECONDS) -> int:
        """Wait for its end; the exit code. Raises TimeoutExpired."""
        return self.process.wait(within_seconds)

    def leave(self) -> int:
        """Tell it to end, as an orchestrator does, and wait for its end; the exit code."""
        self.tell(signal.SIGTERM)
        return self.ends()


@contextmanager
def running_worker(
    settings: Settings,
    gstv_url: str,
    log_path: Path,
    *,
    argv: Sequence[str] = WORKER,
    **overrides: Any,
) -> Iterator[Worker]:
    """Start a worker on the topics and in the group of `settings`; at the end it is killed.

    `overrides` are further settings by name. It has not joined the group yet.
    """
    values = {name: getattr(settings, name) for name in _OF_THE_TEST}
    values |= _QUICK | {"gstv_url": gstv_url} | overrides
    environment = {f"POP_STREAM_{name.upper()}": str(value) for name, value in values.items()}
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            argv, env=os.environ | environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    with process:
        try:
            yield Worker(process, log_path)
        finally:
            process.kill()
