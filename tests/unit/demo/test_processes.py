import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from pop_stream.demo import processes
from pop_stream.demo.processes import Children
from pop_stream.errors import WorkFailedError

#: The children need not be pop-stream: their argument is the code that they run.
CODE = ("-c",)
SLEEPER = "import time; print('ready', flush=True); time.sleep(60)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLEEPER


def is_alive(pid):
    """Whether a process is there and no zombie."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def wait_for(condition):
    """Poll for a condition, for 10 s at most."""
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_child_says_that_it_is_ready(tmp_path):
    """The first line on stdout is given to who waits for it."""
    with Children(tmp_path, program=CODE) as children:
        child = children.start("sleeper", SLEEPER, environment=os.environ)

        assert asyncio.run(child.first_line(10)) == "ready"


@pytest.mark.parametrize(
    ("code", "ended_by"),
    [(SLEEPER, signal.SIGTERM), (STUBBORN, signal.SIGKILL)],
    ids=["obedient", "stubborn"],
)
def test_no_child_outlives_the_block(tmp_path, monkeypatch, code, ended_by):
    """However the block ends, and whatever a child thinks of SIGTERM, it is gone afterwards."""
    monkeypatch.setattr(processes, "_GRACE_SECONDS", 0.3)
    children = Children(tmp_path, program=CODE)
    child = children.start("sleeper", code, environment=os.environ)
    asyncio.run(child.first_line(10))
    with pytest.raises(ZeroDivisionError), children:
        raise ZeroDivisionError

    assert not is_alive(child.process.pid)
    assert child.exit_code == -ended_by


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
def test_a_child_ends_when_its_parent_is_killed(tmp_path):
    """Even SIGKILL of the parent leaves no child behind."""
    program = textwrap.dedent(f"""
        import asyncio, os, sys, time
        from pathlib import Path
        from pop_stream.demo.processes import Children
        with Children(Path({str(tmp_path)!r}), program=['-c']) as children:
            child = children.start("sleeper", {SLEEPER!r}, environment=os.environ)
            asyncio.run(child.first_line(10))
            print(child.process.pid, flush=True)
            time.sleep(60)
        """)
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    with parent:
        pid = int(parent.stdout.readline())
        assert is_alive(pid)
        parent.send_signal(signal.SIGKILL)

    wait_for(lambda: not is_alive(pid))


def test_a_failed_child_is_reported_with_its_log(tmp_path):
    """A child that ends with an error is named, with its exit code and its last words."""
    with Children(tmp_path, program=CODE) as children:
        code = "import sys; print('no such luck', file=sys.stderr); sys.exit(7)"
        child = children.start("worker", code, environment=os.environ)
        wait_for(lambda: child.exit_code is not None)
        with pytest.raises(WorkFailedError) as caught:
            children.check()

    assert "the worker ended (exit code 7)" in str(caught.value)
    assert "no such luck" in str(caught.value)


def test_a_child_that_did_its_work_is_no_failure(tmp_path):
    """Exit code 0 is fine."""
    with Children(tmp_path, program=CODE) as children:
        child = children.start("players", "pass", environment=os.environ)

        assert asyncio.run(child.ended(10)) == 0
        children.check()


def test_a_child_that_never_gets_ready_is_a_failure(tmp_path):
    """A child that ends without a line on stdout is reported at once, not after the timeout."""
    with Children(tmp_path, program=CODE) as children:
        child = children.start("partner", "pass", environment=os.environ)
        with pytest.raises(WorkFailedError, match="did not get ready"):
            asyncio.run(child.first_line(60))


def test_a_child_gets_exactly_its_environment(tmp_path):
    """What is set here and not given to the child is not there."""
    code = "import os; print(sorted(n for n in os.environ if n.startswith('POP')), flush=True)"
    with Children(tmp_path, program=CODE) as children:
        given = {**os.environ, "POP_STREAM_GROUP": "x"}
        child = children.start("worker", code, environment=given)

        assert asyncio.run(child.first_line(10)) == "['POP_STREAM_GROUP']"
