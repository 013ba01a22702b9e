"""This process's end of the supervisor: starts brokers through it, and asks it about them."""

import contextlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

from pop_stream.errors import EmbeddedKafkaError

#: They change how any Java starts; meant for other programs than this one.
JAVA_VARIABLES = frozenset({"JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS"})

SCRIPT = Path(__file__).with_name("supervise.py")


class Supervisor:
    """A child process that owns the brokers and outlives us just long enough to end them.

    May be used from several threads.
    """

    def __init__(
        self, *, grace_seconds: float, remove: Path | None, log: Path, hold: BinaryIO | None = None
    ) -> None:
        """Start it.

        `remove`: a folder that goes when it ends. `log`: where it writes errors. `hold`: a file
        that it keeps open until it ends.
        """
        removed = [] if remove is None else [str(remove)]
        self._lock = threading.Lock()
        self._grace_seconds = grace_seconds
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(SCRIPT), str(grace_seconds), *removed],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                pass_fds=() if hold is None else (hold.fileno(),),
                env={k: v for k, v in os.environ.items() if k not in JAVA_VARIABLES},
                # Ctrl-C in a terminal is for us; we end the brokers in our own order.
                start_new_session=True,
            )

    def start(self, broker: int, argv: Sequence[str], *, folder: Path, log: Path) -> int:
        """Start a broker in a folder, with its output appended to a file, and give its pid."""
        answer = self._ask(
            do="start", broker=broker, argv=list(argv), folder=str(folder), log=str(log)
        )
        return int(answer["pid"])

    def exit_code(self, broker: int) -> int | None:
        """Give a broker's exit code (negative: the signal that killed it), None while it runs."""
        code = self._ask(do="poll", broker=broker)["exit"]
        return None if code is None else int(code)

    def send_signal(self, broker: int, signal_number: int) -> None:
        """Send a broker a signal; nothing happens if it has ended."""
        self._ask(do="signal", broker=broker, signal=int(signal_number))

    def close(self) -> None:
        """End the brokers, remove what is temporary, and wait for that."""
        with self._lock:
            if self._process.stdin is None or self._process.stdin.closed:
                return
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
            if self._process.stdout is not None:
                self._process.stdout.close()
            self._process.wait()

    def _ask(self, **request: object) -> dict[str, Any]:
        with self._lock:
            stdin, stdout = self._process.stdin, self._process.stdout
            if stdin is None or stdout is None or stdin.closed:
                raise EmbeddedKafkaError("the embedded Kafka has been stopped")
            try:
                stdin.write(json.dumps(request).encode() + b"\n")
                stdin.flush()
                answer = stdout.readline()
            except OSError as exc:
                raise EmbeddedKafkaError("the supervisor of the embedded Kafka is gone") from exc
        if not answer:
            raise EmbeddedKafkaError("the supervisor of the embedded Kafka is gone")
        answered: dict[str, Any] = json.loads(answer)
        if "error" in answered:
            raise EmbeddedKafkaError(f"the embedded Kafka: {answered['error']}")
        return answered
