"""Who uses an outbox just now, as the kernel tells: it is not tried.

Who tries a lock keeps others from taking it meanwhile, and a player would not start.
"""

import os
from pathlib import Path
from typing import Final

_LOCKS: Final = Path("/proc/locks")


def recorder_of(outbox: Path) -> int | None:
    """The process that writes plays down; None: there is none, or the kernel does not tell."""
    return _holder(outbox.with_name(f"{outbox.name}.recording"))


def sender_of(outbox: Path) -> int | None:
    """The process that sends them; None as in `recorder_of`."""
    return _holder(outbox.with_name(f"{outbox.name}.sending"))


def _holder(lock: Path) -> int | None:
    try:
        told, found = lock.read_text("ascii", "replace").strip(), lock.stat()
        held = [line.split() for line in _LOCKS.read_text("ascii").splitlines()]
    except OSError:
        return None
    device = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}"
    for words in held:
        if len(words) < 6 or words[1] != "FLOCK" or not words[5].endswith(f":{found.st_ino}"):
            continue
        # In a container the device may have another number.
        if words[5].startswith(f"{device}:") or words[4] == told:
            return int(words[4])
    return None
