"""The processes that a run starts: none outlives it, whatever ends it."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pop_stream.errors import WorkFailedError
from pop_stream.kafka.supervise import bind_to_this_process

_GRACE_SECONDS = 15.0
_POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Command:
    """A program with its arguments, and the variables it gets beside those of this process."""

    argv: Sequence[str]
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Child:
    """A running command in a process group of its own."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def pid(self) -> int:
        """The id of the process at the top."""
        return self.process.pid

    def check(self) -> None:
        """Raise WorkFailedError when it has ended."""
        if _has_ended(self.process.pid):
            raise self.failure("ended by itself")

    def failure(self, what: str) -> WorkFailedError:
        """Make the error that says what it did wrong, with the end of what it said."""
        lines = self.log.read_text(errors="replace").splitlines()[-15:]
        return WorkFailedError("\n".join([f"{self.name} {what}; it said:", *lines]))


@contextmanager
def running(name: str, command: Command, *, folder: Path) -> Iterator[Child]:
    """Run a command in a folder for the time of the block, then end it and all it started."""
    log = folder / f"{name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command.argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=_inherited() | dict(command.environment),
            # Not where the user is: a `.env` file there is not meant for this.
            cwd=folder,
            # Ctrl-C in a terminal is for the bench, which ends its children in order.
            process_group=0,
            preexec_fn=bind_to_this_process(),  # noqa: PLW1509 - this process has one thread
        )
        try:
            yield Child(name, process, log)
        finally:
            _end(process)


def _inherited() -> dict[str, str]:
    ours = ("POP_STREAM_", "FAUST_")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


def _end(process: subprocess.Popen[bytes]) -> None:
    # Until it is reaped, by wait(), its id and its group's can belong to nobody else.
    try:
        os.killpg(process.pid, signal.SIGTERM)
        deadline = time.monotonic() + _GRACE_SECONDS
        while not _has_ended(process.pid) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _has_ended(pid: int) -> bool:
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
