import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.cores import on_cores
from pop_stream.errors import WorkFailedError

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="affinities of Linux")

#: Two threads that wait.
THREADS = "import threading; threading.Thread(target=input).start(); print(flush=True)"


@pytest.fixture
def other():
    """A process with two threads, as Kafka has many."""
    with subprocess.Popen(
        [sys.executable, "-c", THREADS], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        process.stdout.readline()
        yield process.pid
        process.stdin.close()


def cores_of(pid):
    """The cores of each of its threads."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return [os.sched_getaffinity(int(thread.name)) for thread in threads]


def test_this_process_and_all_threads_of_the_others_share_the_cores(other):
    """And have all of them back afterwards."""
    before = os.sched_getaffinity(0)
    one = {min(before)}
    with on_cores(1, [other]):
        assert os.sched_getaffinity(0) == one
        assert cores_of(other) == [one, one]
        child = [sys.executable, "-c", "import os; print(*os.sched_getaffinity(0))"]
        said = subprocess.run(child, capture_output=True, check=True, text=True).stdout
        assert {int(core) for core in said.split()} == one

    assert os.sched_getaffinity(0) == before
    assert cores_of(other) == [before, before]


def test_all_cores_are_no_restriction(other):
    """With `--all-cores`."""
    before = os.sched_getaffinity(0)
    with on_cores(None, [other]):
        assert os.sched_getaffinity(0) == before


def test_cores_that_are_not_there_are_not_made_up():
    """A table that says two cores must not have been taken on one."""
    with pytest.raises(WorkFailedError, match="cores are needed"), on_cores(100_000, []):
        pass


def test_a_process_that_is_gone_is_no_error():
    """It ends when it likes."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    with on_cores(1, [process.pid]):
        pass
