"""A player's program that is killed: says on stdout what its outbox has confirmed.

    python outbox_player.py OUTBOX [STEP COUNT]

At that step, for the COUNTth time, it kills itself as `kill -9` does.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from pop_stream.player import Outbox
from pop_stream.player.outbox import opening, recording, salvage
from pop_stream.player.outbox.file import OutboxFile
from pop_stream.player.outbox.marks import MarksFile

#: Where it can die: the object, its method, and whether the method is done before it dies.
STEPS: dict[str, tuple[object, str, bool]] = {
    "before a transaction": (OutboxFile, "_follow", False),
    "in a transaction": (recording, "_with", False),
    "after a commit": (recording, "_with", True),
    "before the marks": (MarksFile, "write", False),
    "after the marks": (MarksFile, "write", True),
    "before a salvage": (salvage, "_build", False),
    "after its rows": (salvage, "_take", True),
    "after its new file": (salvage, "_build", True),
    "after the new file's name": (salvage, "_swap", False),
    "between the renames": (Path, "rename", True),
    "after the swap": (salvage, "_swap", True),
    "before the account": (opening, "_declare", False),
    "after the account": (opening, "_declare", True),
}


def die_at(step: str, count: int) -> None:
    """Let this process end at that step, for the countth time."""
    place, name, is_done = STEPS[step]
    before: Callable[..., object] = getattr(place, name)
    left = [count]

    def dying(*args: object, **named: object) -> object:
        left[0] -= 1
        if left[0] == 0 and not is_done:
            os.kill(os.getpid(), signal.SIGKILL)
        given = before(*args, **named)
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return given

    setattr(place, name, dying)


def say(*words: str) -> None:
    """Tell the test; it may be the last thing that this process does."""
    os.write(1, (" ".join(words) + "\n").encode())


def main() -> None:
    """Play on two screens, for ever."""
    if len(sys.argv) > 2:
        die_at(sys.argv[2], int(sys.argv[3]))
    outbox = Outbox(sys.argv[1], zone="America/Chicago", wait_seconds=60.0, heartbeat_seconds=0.05)
    say("open")
    for n in range(100_000):
        play = outbox.start(
            {"filename": "a.webm", "assetId": "1", "siteId": "1", "screenId": str(n % 2)}
        )
        say("start", play.pop_id)
        play.end()
        say("end", play.pop_id)


if __name__ == "__main__":
    main()
