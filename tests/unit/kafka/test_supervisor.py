import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pop_stream.errors import EmbeddedKafkaError
from pop_stream.kafka.supervisor import Supervisor
from tests.support.processes import exists, until

#: A broker that only waits, and ends when it is asked to.
PATIENT = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]
#: One that does not end when it is asked to.
STUBBORN = [
    sys.executable,
    "-c",
    "from signal import *; signal(15, SIG_IGN); print('up', flush=True); pause()",
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A cluster's folder."""
    folder = tmp_path / "cluster"
    folder.mkdir()
    return folder


@pytest.fixture
def supervisor(folder: Path) -> Iterator[Supervisor]:
    """A supervisor that gives no grace and removes the folder."""
    supervisor = Supervisor(grace_seconds=0.0, remove=folder, log=folder / "supervisor.log")
    yield supervisor
    supervisor.close()


def start(supervisor: Supervisor, argv: list[str], folder: Path, *, broker: int = 1) -> int:
    """Start a stand-in for a broker and wait until it runs."""
    log = folder / f"{broker}.log"
    pid = supervisor.start(broker, argv, folder=folder, log=log)
    until(lambda: log.exists() and "up" in log.read_text())
    return pid


def test_broker_runs_until_it_is_told_to_end(supervisor: Supervisor, folder: Path) -> None:
    """Its pid is the real one, and its end is seen with the signal that caused it."""
    pid = start(supervisor, PATIENT, folder)
    assert supervisor.exit_code(1) is None
    assert exists(pid)

    supervisor.send_signal(1, signal.SIGTERM)

    until(lambda: supervisor.exit_code(1) is not None)
    assert supervisor.exit_code(1) == -signal.SIGTERM
    supervisor.send_signal(1, signal.SIGKILL)


def test_broker_can_be_started_again(supervisor: Supervisor, folder: Path) -> None:
    """After a kill there is a new process under the same number."""
    first = start(supervisor, PATIENT, folder)
    supervisor.send_signal(1, signal.SIGKILL)
    until(lambda: supervisor.exit_code(1) == -signal.SIGKILL)

    second = start(supervisor, PATIENT, folder)

    assert second != first
    assert supervisor.exit_code(1) is None


def test_close_ends_all_and_removes_the_folder(supervisor: Supervisor, folder: Path) -> None:
    """Nothing is left, and asking afterwards is an error and no hang."""
    pids = [start(supervisor, STUBBORN, folder, broker=number) for number in (1, 2, 3)]

    supervisor.close()

    assert not any(exists(pid) for pid in pids)
    assert not folder.exists()
    with pytest.raises(EmbeddedKafkaError, match="stopped"):
        supervisor.exit_code(1)


def test_grace_is_given_and_ends(folder: Path) -> None:
    """A broker with records to keep is asked first; one that does not listen is killed."""
    asked = folder / "asked"
    script = (
        "import signal, time, pathlib, sys\n"
        f"signal.signal(15, lambda *_: (pathlib.Path({str(asked)!r}).touch(), sys.exit()))\n"
        "print('up', flush=True)\ntime.sleep(600)"
    )
    polite = [sys.executable, "-c", script]
    supervisor = Supervisor(grace_seconds=1.0, remove=None, log=folder / "supervisor.log")
    pids = [
        start(supervisor, polite, folder, broker=1),
        start(supervisor, STUBBORN, folder, broker=2),
    ]

    supervisor.close()

    assert asked.exists()
    assert not any(exists(pid) for pid in pids)


def test_program_that_cannot_be_started_is_an_error(supervisor: Supervisor, folder: Path) -> None:
    """A Java that is not there is told, and the supervisor goes on."""
    with pytest.raises(EmbeddedKafkaError, match="no-such-java"):
        supervisor.start(1, ["/no-such-java"], folder=folder, log=folder / "1.log")

    start(supervisor, PATIENT, folder, broker=2)


PARENT = """
import sys, os
from pathlib import Path
from pop_stream.kafka.supervisor import Supervisor
folder = Path(sys.argv[1])
supervisor = Supervisor(grace_seconds=0.0, remove=folder, log=folder / "supervisor.log")
pid = supervisor.start(1, [sys.executable, "-c", "import time; time.sleep(600)"],
                       folder=folder, log=folder / "1.log")
forked = os.fork() if "fork" in sys.argv else None
if forked == 0:
    import time; time.sleep(60)
print(pid, supervisor._process.pid, forked, flush=True)
sys.stdin.read()
"""


def test_kill_of_the_parent_leaves_nothing(folder: Path) -> None:
    """SIGKILL of the process that started brokers ends them, and the folder goes."""
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as parent:
        assert parent.stdout is not None
        broker, supervisor, _ = parent.stdout.readline().split()
        assert exists(int(broker))

        parent.kill()

    until(lambda: not exists(int(broker)) and not exists(int(supervisor)))
    until(lambda: not folder.exists())


def test_kill_of_the_parent_leaves_nothing_though_its_pipe_lives_on(folder: Path) -> None:
    """A forked child of the parent that holds the pipe open does not keep brokers alive."""
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(folder), "fork"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as parent:
        assert parent.stdout is not None
        broker, supervisor, forked = map(int, parent.stdout.readline().split())

        parent.kill()
        try:
            until(lambda: not exists(broker) and not exists(supervisor))
            assert exists(forked)
        finally:
            os.kill(forked, signal.SIGKILL)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux's kernel does this")
def test_kill_of_the_supervisor_leaves_no_broker(folder: Path) -> None:
    """SIGKILL of the supervisor itself ends the brokers, and asking it is an error."""
    supervisor = Supervisor(grace_seconds=0.0, remove=None, log=folder / "supervisor.log")
    broker = start(supervisor, PATIENT, folder)

    supervisor._process.kill()

    until(lambda: not exists(broker))
    with pytest.raises(EmbeddedKafkaError, match="gone"):
        supervisor.exit_code(1)
    supervisor.close()
