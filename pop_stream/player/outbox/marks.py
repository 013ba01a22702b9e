"""What is known of an outbox beside it: what tells that its end, or all of it, is missing.

A file that is cut off, or gone, does not show what it held. These marks are in a file of their
own, written after each commit and never synced: after a power cut they may be older than the
outbox, which is then the one to believe.
"""

import os
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import orjson

from pop_stream.player.outbox.modes import mode_beside
from pop_stream.player.outbox.settled import Spans, joined

#: Two places in turn: a write that is torn leaves the one before.
_SLOTS: Final = 2
_SLOT_BYTES: Final = 32 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """What was known at one moment."""

    #: The highest number that a play of each screen got.
    highest: dict[str, int] = field(default_factory=dict)
    #: Numbers whose plays are kept no more, by screen.
    settled: Spans = field(default_factory=dict)
    #: When the player lived last, in epoch milliseconds.
    lived: int = 0

    def united(self, other: "Marks") -> "Marks":
        """What either knows."""
        highest = {key: max(self.highest.get(key, 0), other.highest.get(key, 0))
                   for key in self.highest.keys() | other.highest.keys()}  # fmt: skip
        spans = {key: joined([*self.settled.get(key, ()), *other.settled.get(key, ())])
                 for key in self.settled.keys() | other.settled.keys()}  # fmt: skip
        return Marks(highest=highest, settled=spans, lived=max(self.lived, other.lived))


class MarksFile:
    """The file. It is read once, at the start."""

    def __init__(self, outbox: Path) -> None:
        """Raises OSError when it can be neither opened nor made."""
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        self._file = os.open(_marks_of(outbox), flags, mode_beside(outbox))
        self._turn = 0

    def read(self) -> Marks:
        """The newest marks that are whole; none, when there are none that can be read."""
        turn, newest = _newest(self._file)
        self._turn = max(self._turn, turn)
        return newest

    def write(self, marks: Marks) -> None:
        """Note them. Raises OSError; the marks before stay."""
        turn = self._turn + 1
        framed = _framed(turn, marks)
        if len(framed) > _SLOT_BYTES:
            # So many screens have so many spans at no terminal; the numbers matter most.
            framed = _framed(turn, Marks(highest=marks.highest, lived=marks.lived))
        if len(framed) <= _SLOT_BYTES:
            os.pwrite(self._file, framed, turn % _SLOTS * _SLOT_BYTES)
            self._turn = turn

    def close(self) -> None:
        """Close the file. Twice is no harm."""
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)


def read_marks(outbox: Path) -> Marks:
    """The newest marks of an outbox, for who only reads; none, when there are none to be read."""
    try:
        file = os.open(_marks_of(outbox), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return Marks()
    try:
        return _newest(file)[1]
    finally:
        os.close(file)


def _marks_of(outbox: Path) -> Path:
    return outbox.with_name(f"{outbox.name}.marks")


def _newest(file: int) -> tuple[int, Marks]:
    """The marks of the last writing that is whole, with its turn."""
    return max((_read(file, slot) for slot in range(_SLOTS)), key=lambda told: told[0])


def _read(file: int, slot: int) -> tuple[int, Marks]:
    try:
        return _parsed(os.pread(file, _SLOT_BYTES, slot * _SLOT_BYTES))
    except (OSError, ValueError, KeyError, TypeError):
        return 0, Marks()


def _framed(turn: int, marks: Marks) -> bytes:
    told = orjson.dumps({"turn": turn, "highest": marks.highest, "settled": marks.settled,
                         "lived": marks.lived})  # fmt: skip
    return b"%08x%s\n" % (zlib.crc32(told), told)


def _parsed(slot: bytes) -> tuple[int, Marks]:
    line = slot.partition(b"\n")[0]
    if int(line[:8], 16) != zlib.crc32(line[8:]):
        raise ValueError("torn or damaged")
    told: dict[str, Any] = orjson.loads(line[8:])
    settled = {key: [(first, last) for first, last in spans]
               for key, spans in told["settled"].items()}  # fmt: skip
    return told["turn"], Marks(highest=told["highest"], settled=settled, lived=told["lived"])
