"""Plays systemd: keeps a worker running, and writes down each run of its process."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from faults.evidence import WorkerRun
from faults.memory import Sample, resident_megabytes
from pop_stream.kafka.supervise import bind_to_this_process

_RESTART_SECONDS = 0.5
_STOP_SECONDS = 30.0
_NOTE_SECONDS = 2.0

WORKER = (sys.executable, "-m", "pop_stream", "worker")


class SupervisedWorker:
    """One place of a worker: when its process ends, another is started half a second later."""

    def __init__(
        self,
        name: str,
        environment: Mapping[str, str],
        folder: Path,
        *,
        argv: Sequence[str] = WORKER,
    ) -> None:
        self.name = name
        self._environment = dict(os.environ) | dict(environment)
        self._argv = argv
        self.log_path = folder / f"{name}.log"
        self._lock = threading.Lock()
        self._runs: list[WorkerRun] = []
        self._process: subprocess.Popen[bytes] | None = None
        self._began_at = self._next_at = 0.0
        #: What its processes held in memory, a sample every few seconds.
        self.memory: list[Sample] = []
        self._noted_at = 0.0
        #: Where the run under way begins in the log.
        self._log_begins = 0
        self._wanted = False
        self._watch = threading.Thread(target=self._keep, name=name, daemon=True)
        self._over = threading.Event()

    def start(self) -> None:
        """Start it, and keep it running from now on."""
        self._wanted = True
        if not self._watch.is_alive():
            self._watch.start()

    @property
    def pid(self) -> int | None:
        """The process id; None while there is none."""
        with self._lock:
            running = self._process is not None and self._process.poll() is None
            return self._process.pid if running and self._process is not None else None

    def signal(self, number: signal.Signals) -> int:
        """Send a signal; the process id that got it, 0 when there was none."""
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                return 0
            self._process.send_signal(number)
            return self._process.pid

    def has_started(self) -> bool:
        """Whether the run under way has got as far as to say so."""
        if self.pid is None:
            return False
        with self.log_path.open("rb") as log:
            log.seek(self._log_begins)
            return b'"worker.started"' in log.read()

    def exit_code_of(self, pid: int) -> int | None:
        """How a run ended; None while it has not."""
        with self._lock:
            return next((run.exit_code for run in self._runs if run.pid == pid), None)

    def stop(self) -> int | None:
        """Tell it to end, as an orchestrator does, and start no other; its exit code.

        None when it ran no more, or had to be killed.
        """
        with self._lock:
            self._wanted = False
            process = self._process
        if process is None or process.poll() is not None:
            return None
        process.send_signal(signal.SIGCONT)
        process.terminate()
        try:
            code = process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            return None
        return code

    def close(self) -> None:
        """End it at once, for good."""
        with self._lock:
            self._wanted = False
            process = self._process
        self._over.set()
        if process is not None and process.poll() is None:
            process.kill()
        if self._watch.is_alive():
            self._watch.join()

    @property
    def runs(self) -> list[WorkerRun]:
        """Every run so far, the one under way included."""
        with self._lock:
            now = list(self._runs)
            if self._process is not None and self._process.poll() is None:
                now.append(self._run_of(self._process, None, time.time()))
            return now

    def _spawn(self) -> None:
        with self.log_path.open("ab") as log:
            self._log_begins = log.tell()
            self._began_at = time.time()
            self._process = subprocess.Popen(
                self._argv,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=bind_to_this_process(),  # noqa: PLW1509 - one system call
            )

    def _keep(self) -> None:
        # All processes are started by this one thread: the kernel ends a child with the thread
        # that made it.
        while not self._over.is_set():
            with self._lock:
                self._note_end()
                self._note_memory()
                if self._process is None and self._wanted and time.time() >= self._next_at:
                    self._spawn()
            time.sleep(0.01)
        with self._lock:
            self._note_end()

    def _note_memory(self) -> None:
        now = time.time()
        if self._process is None or now - self._noted_at < _NOTE_SECONDS:
            return
        self._noted_at = now
        megabytes = resident_megabytes(self._process.pid)
        if megabytes is not None:
            self.memory.append(Sample(now, self._process.pid, megabytes))

    def _note_end(self) -> None:
        process = self._process
        if process is not None and process.poll() is not None:
            now = time.time()
            self._runs.append(self._run_of(process, process.returncode, now))
            self._process, self._next_at = None, now + _RESTART_SECONDS

    def _run_of(
        self, process: subprocess.Popen[bytes], code: int | None, ended_at: float
    ) -> WorkerRun:
        return WorkerRun(
            worker=self.name,
            pid=process.pid,
            began_at=self._began_at,
            ended_at=ended_at,
            exit_code=code,
        )
