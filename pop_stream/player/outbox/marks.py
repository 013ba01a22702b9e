"""The highest number of each screen, beside the outbox: what tells that its end is missing.

A file that is cut off, or gone, does not show what it held. These marks are in a file of their
own, written after each commit and never synced: after a power cut they may be older than the
outbox, which is then the one to believe.
"""

import os
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson

#: Two places in turn: a write that is torn leaves the one before.
_SLOTS: Final = 2
_SLOT_BYTES: Final = 32 * 1024
#: A terminal has a dozen screens. Of more, marks would be a file of their own size.
_MOST_SCREENS: Final = 512


@dataclass(frozen=True, slots=True)
class Marks:
    """Of each screen, by its key."""

    #: The highest number that a play got.
    highest: Mapping[str, int] = field(default_factory=dict)
    #: Below this, plays were delivered and are kept no more.
    kept_from: Mapping[str, int] = field(default_factory=dict)
    #: Counts the writings.
    turn: int = 0


class MarksFile:
    """The file. It is read once, at the start."""

    def __init__(self, path: Path) -> None:
        """Raises OSError when it can be neither read nor made."""
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        self._turn = 0

    def read(self) -> Marks:
        """The newest marks that are whole; none, when there are none."""
        found = [_parsed(os.pread(self._file, _SLOT_BYTES, n * _SLOT_BYTES)) for n in range(_SLOTS)]
        newest = max((marks for marks in found if marks), key=lambda m: m.turn, default=Marks())
        self._turn = newest.turn
        return newest

    def write(self, highest: Mapping[str, int], kept_from: Mapping[str, int]) -> None:
        """Note them. Raises OSError; the marks before stay."""
        if len(highest) > _MOST_SCREENS:
            return
        self._turn += 1
        told = orjson.dumps({"turn": self._turn, "highest": highest, "keptFrom": kept_from})
        framed = b"%08x%s\n" % (zlib.crc32(told), told)
        if len(framed) <= _SLOT_BYTES:
            os.pwrite(self._file, framed, self._turn % _SLOTS * _SLOT_BYTES)

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)


def _parsed(slot: bytes) -> Marks | None:
    line = slot.partition(b"\n")[0]
    try:
        if int(line[:8], 16) != zlib.crc32(line[8:]):
            return None
        told: dict[str, Any] = orjson.loads(line[8:])
        return Marks(told["highest"], told["keptFrom"], told["turn"])
    except (ValueError, KeyError, TypeError):
        return None
