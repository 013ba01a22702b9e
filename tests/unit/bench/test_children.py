import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from bench import children
from bench.children import Command, running
from pop_stream.errors import WorkFailedError

#: Writes its own id and that of a child, then waits.
FAMILY = """
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print(os.getpid(), child.pid, flush=True)
time.sleep(60)
"""
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n{FAMILY}"


def wait_for(condition):
    """Poll for a condition, for 10 s at most."""
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_alive(pid):
    """Whether a process is there and no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def python(code):
    """A command that runs the code."""
    return Command([sys.executable, "-c", code], {})


@pytest.mark.skipif(sys.platform != "linux", reason="looks into the process table")
@pytest.mark.parametrize("code", [FAMILY, STUBBORN], ids=["obedient", "stubborn"])
def test_nothing_that_a_run_started_outlives_it(tmp_path, monkeypatch, code):
    """A child and its own children are gone after the block, also when Ctrl-C ends it."""
    monkeypatch.setattr(children, "_GRACE_SECONDS", 0.3)
    with suppress(KeyboardInterrupt), running("it", python(code), folder=tmp_path) as child:
        wait_for(lambda: b"\n" in child.log.read_bytes())
        raise KeyboardInterrupt
    parent, grandchild = map(int, child.log.read_text().split())

    assert not is_alive(parent)
    wait_for(lambda: not is_alive(grandchild))


def test_one_that_ends_by_itself_is_told_with_its_last_words(tmp_path):
    """A system that cannot start says why; the bench does not wait for it."""
    code = "import sys; sys.exit('no broker answers')"
    with running("naive", python(code), folder=tmp_path) as child:
        wait_for(lambda: b"answers" in child.log.read_bytes())

        with pytest.raises(WorkFailedError, match=r"naive ended by itself(?s:.*)no broker answers"):
            wait_for(child.check)


def test_a_run_sees_nothing_of_the_users_own_settings(tmp_path, monkeypatch):
    """What is set for a real worker must not change what is measured."""
    monkeypatch.setenv("POP_STREAM_GSTV_URL", "https://real.example")
    monkeypatch.setenv("FAUST_LOOP", "eventlet")
    code = (
        "import os; print(sorted(set(os.environ) & {'POP_STREAM_GSTV_URL', 'FAUST_LOOP', 'OURS'}))"
    )
    command = Command([sys.executable, "-c", code], {"OURS": "1"})
    with running("it", command, folder=tmp_path) as child:
        wait_for(lambda: b"\n" in child.log.read_bytes())

        assert child.log.read_text() == "['OURS']\n"


def test_ending_a_run_that_has_ended_is_no_error(tmp_path):
    """The end of the block is the same whether the child is there or not."""
    with running("it", python("pass"), folder=tmp_path) as child:
        wait_for(lambda: not is_alive(child.pid))

    assert child.process.returncode == 0
