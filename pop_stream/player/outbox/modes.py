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
    try:
        return stat.S_IMODE(outbox.stat().st_mode) & 0o666 | OWNERS_ALONE
    except OSError:
        return OWNERS_ALONE


def private(path: str, flags: int) -> int:
    """An opener of files that are their owner's alone, where they are new."""
    return os.open(path, flags, OWNERS_ALONE)
