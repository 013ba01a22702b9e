"""The last way out, tried in processes of their own."""

import subprocess
import sys

import pytest

from pop_stream.stream.abort import Abort

PROLOGUE = """
import logging, sys, threading, time
from pop_stream.stream.abort import Abort
logging.basicConfig(format="%(message)s|%(why)s|%(stack)s")
abort = Abort({code})
"""


def end_of(script: str, *, code: int = 1) -> tuple[int, str]:
    """Run a script that has an `abort`; its exit code and its stderr."""
    run = subprocess.run(
        [sys.executable, "-c", PROLOGUE.format(code=code) + script],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return run.returncode, run.stderr


def test_it_says_why_and_ends_the_process() -> None:
    """The log has the reason and where the loop stood; the exit code is the one agreed on."""
    code, said = end_of('abort("no progress", stack="line 7"); print("alive", file=sys.stderr)')

    assert code == 1
    assert said == "worker.aborted|no progress|line 7\n"


def test_no_handler_and_no_thread_keeps_the_process_alive() -> None:
    """Neither an except clause nor a thread that never ends stands in the way."""
    code, said = end_of(
        """
threading.Thread(target=time.sleep, args=(600,)).start()
try:
    abort("over")
except BaseException:
    print("caught", file=sys.stderr)
finally:
    print("finally", file=sys.stderr)
""",
        code=7,
    )

    assert code == 7
    assert said == "worker.aborted|over|None\n"


def test_it_ends_from_any_thread() -> None:
    """The watchdog's thread ends the process while the main thread is busy."""
    code, said = end_of("threading.Thread(target=abort, args=('stuck',)).start()\nwhile True: pass")

    assert code == 1
    assert said == "worker.aborted|stuck|None\n"


def test_a_log_that_is_stuck_does_not_keep_it_alive() -> None:
    """Somebody holds the log's lock, or its pipe is full: the process ends without a word."""
    code, said = end_of("logging.getLogger().handlers[0].acquire()\nabort('x')")

    assert code == 1
    assert said == ""


def test_an_unexpected_error_is_told_with_its_trace() -> None:
    """The block's error is named with its place, for people; the process does not go on."""
    code, said = end_of(
        """
with abort.on_error("agent forward"):
    [][1]
print("alive", file=sys.stderr)
"""
    )

    assert code == 1
    assert said.startswith("worker.aborted|unexpected IndexError in agent forward|None\nTraceback")
    assert "alive" not in said


def test_what_no_longer_matters_is_passed_over() -> None:
    """An error of an event that belongs to another worker by now ends nothing."""
    with Abort().on_error("hand-off", unless=lambda: True):
        raise ValueError("late")


def test_a_block_without_an_error_is_left_alone() -> None:
    """Nothing happens where nothing happened."""
    with Abort().on_error("agent forward", unless=lambda: False):
        pass


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_being_told_to_end_is_no_error(error: type[BaseException]) -> None:
    """Cancellations and exits pass through."""
    with pytest.raises(error), Abort().on_error("hand-off"):
        raise error
