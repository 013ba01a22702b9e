"""The demo's child processes: none outlives the demo, whatever ends it."""

import asyncio
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from pop_stream.errors import WorkFailedError

log = logging.getLogger(__name__)

_POLL_SECONDS = 0.05
#: How long a child has to end by itself once it was told to, before it is killed.
_GRACE_SECONDS = 5.0

# Linux tells a process when its parent has died if it asks for it (prctl 1, PR_SET_PDEATHSIG), and
# keeps that over exec: so the children end even if the demo itself is killed with SIGKILL.
_LAUNCHER = """
import ctypes, os, signal, sys
if sys.platform == "linux":
    ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL)
    if os.getppid() != int(sys.argv[1]):
        sys.exit(1)
os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
"""


@dataclass(frozen=True, slots=True)
class Child:
    """A running command of pop-stream in a process group of its own."""

    name: str
    process: subprocess.Popen[bytes]
    #: What it writes to stdout.
    output: Path
    #: What it writes to stderr.
    log: Path

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative when a signal ended it."""
        return self.process.poll()

    def terminate(self) -> None:
        """Ask it to end."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        self._signal(signal.SIGKILL)

    async def ended(self, seconds: float) -> int:
        """Wait for its end and give its exit code. Raises WorkFailedError when it takes longer."""
        deadline = time.monotonic() + seconds
        while (code := self.exit_code) is None:
            if time.monotonic() > deadline:
                raise WorkFailedError(f"the {self.name} did not end within {seconds:.0f} s")
            await asyncio.sleep(_POLL_SECONDS)
        return code

    async def first_line(self, seconds: float) -> str:
        """Wait for the first line that it writes to stdout.

        Raises WorkFailedError when it ends or takes longer than that.
        """
        deadline = time.monotonic() + seconds
        while b"\n" not in (written := self.output.read_bytes()):
            if self.exit_code is not None or time.monotonic() > deadline:
                raise self.failure("did not get ready")
            await asyncio.sleep(_POLL_SECONDS)
        return written.partition(b"\n")[0].decode()

    def failure(self, what: str) -> WorkFailedError:
        """Make the error that says what it did wrong, with the end of its log."""
        code = self.exit_code
        ended = "" if code is None else f" (exit code {code})"
        lines = self.log.read_text(errors="replace").splitlines()[-12:]
        return WorkFailedError("\n".join([f"the {self.name} {what}{ended}", *lines]))

    def _signal(self, number: signal.Signals) -> None:
        # Not reaped yet, so the id can belong to nobody else.
        if self.process.poll() is None:
            os.killpg(self.process.pid, number)


class Children:
    """Starts children, and ends all of them at the end of the `with` block."""

    def __init__(self, folder: Path, *, program: Sequence[str] = ("-m", "pop_stream")) -> None:
        """Take the folder for the children's output, and what Python is to run."""
        self._folder = folder
        self._program = program
        self._all: list[Child] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            for child in self._all:
                child.terminate()
            self._wait_for_all()
        finally:
            for child in self._all:
                child.kill()
                child.process.wait()

    def start(self, name: str, *arguments: str, environment: Mapping[str, str]) -> Child:
        """Start a child with these arguments and exactly this environment."""
        output, errors = self._folder / f"{name}.out", self._folder / f"{name}.log"
        command = [*self._program, *arguments]
        with output.open("wb") as stdout, errors.open("wb") as stderr:
            process = subprocess.Popen(
                [sys.executable, "-c", _LAUNCHER, str(os.getpid()), *command],
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                # Faust leaves a folder where temporary files are.
                env={**environment, "TMPDIR": str(self._folder)},
                # Not where the user is: a `.env` file there is not meant for this.
                cwd=self._folder,
                # A Ctrl-C in the terminal reaches the demo alone, which ends them in order.
                process_group=0,
            )
        child = Child(name, process, output, errors)
        self._all.append(child)
        log.info("demo.child.started", extra={"child": name, "pid": process.pid})
        return child

    def check(self) -> None:
        """Raise WorkFailedError when a child has ended with an error."""
        for child in self._all:
            if child.exit_code not in (None, 0):
                raise child.failure("ended")

    def _wait_for_all(self) -> None:
        deadline = time.monotonic() + _GRACE_SECONDS
        for child in self._all:
            try:
                child.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.warning("demo.child.killed", extra={"child": child.name})
