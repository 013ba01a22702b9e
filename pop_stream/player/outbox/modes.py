"""Who can read an outbox, and what is made beside it."""

import os
import stat
from pathlib import Path
from typing import Final

#: Its owner alone: it tells which ads a screen has shown.
OWNERS_ALONE: Final = 0o600


def mode_beside(outbox: Path) -> int:
    """What a new file of an outbox gets: the outbox's own mode, where there is one.

    So whoever was let in once is not shut out by the next file.
    """
    mode = mode_of(outbox)
    return OWNERS_ALONE if mode is None else mode & 0o666 | OWNERS_ALONE


def mode_of(outbox: Path) -> int | None:
    """Who can do what with it; None: it is not there."""
    try:
        return stat.S_IMODE(outbox.stat().st_mode)
    except OSError:
        return None


def private(path: str, flags: int) -> int:
    """An opener of files that are their owner's alone, where they are new."""
    return os.open(path, flags, OWNERS_ALONE)
