"""What tests do with processes. Everything that waits gives up after a deadline."""

import os
import subprocess
import time
from collections.abc import Callable

DEADLINE_SECONDS = 60.0


def until(condition: Callable[[], bool]) -> None:
    """Look again and again until it is so; an AssertionError when it takes too long."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.02)


def exists(pid: int) -> bool:
    """Whether there is such a process, other than as a zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = subprocess.run(
        ["/bin/ps", "-o", "state=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return state.stdout.strip()[:1] not in ("", "Z")
