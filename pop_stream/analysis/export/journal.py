"""The journal of an export: what was asked for, and what of it stands on the disk.

Lines of JSON, each on the disk before the next step. A last line that is torn was never written:
what it would have told is done again, and comes out the same.
"""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import orjson

from pop_stream.analysis.durable import make_folder, sync
from pop_stream.analysis.export.order import Beginning
from pop_stream.errors import UsageError

#: Holds what is of use only until the export is done.
WORK_FOLDER = ".export"
_JOURNAL = "journal.ndjson"


class Part(NamedTuple):
    """A part that stands on the disk."""

    number: int
    topic: str
    partition: int
    #: Up to, and without, which offset the partition is read with it.
    reached: int
    #: How many events it holds of each day; of all under an empty name when days are not asked for.
    rows: Mapping[str, int]


class Joined(NamedTuple):
    """A file that is done."""

    path: str
    day: str
    rows: int
    bytes: int
    sha256: str


class Journal:
    """The journal in a folder; `open_journal` opens it."""

    def __init__(self, file: BinaryIO) -> None:
        """Read it from an open file, and cut what is torn."""
        self._file = file
        self.beginning: Beginning | None = None
        self.parts: list[Part] = []
        self.joined: dict[str, Joined] = {}
        whole = 0
        for line in file:
            if not line.endswith(b"\n"):
                break
            self._take(line)
            whole += len(line)
        file.truncate(whole)
        file.seek(whole)

    def _take(self, line: bytes) -> None:
        match orjson.loads(line):
            case {"begin": beginning}:
                self.beginning = Beginning.read(beginning)
            case {"part": part}:
                self.parts.append(Part(*part))
            case {"joined": joined}:
                self.joined[joined[0]] = Joined(*joined)

    def begin(self, beginning: Beginning) -> None:
        """Note what is fixed. Raises OSError, as all that follow."""
        self._note({"begin": beginning.as_object()})
        self.beginning = beginning

    def note_part(self, part: Part) -> None:
        """Note that a part stands on the disk."""
        self._note({"part": part})
        self.parts.append(part)

    def note_joined(self, joined: Joined) -> None:
        """Note that a file is done."""
        self._note({"joined": joined})
        self.joined[joined.path] = joined

    def _note(self, told: dict[str, Any]) -> None:
        # Of tuples orjson takes those without names only.
        self._file.write(orjson.dumps(told, default=tuple, option=orjson.OPT_APPEND_NEWLINE))
        self._file.flush()
        os.fsync(self._file.fileno())


@contextmanager
def open_journal(folder: Path) -> Iterator[Journal]:
    """Open a folder's journal, or begin one. Raises UsageError when another process has it."""
    work = folder / WORK_FOLDER
    make_folder(work)
    with (work / _JOURNAL).open("a+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UsageError(f"another export is writing to {folder} right now") from error
        sync(work)
        file.seek(0)
        try:
            journal = Journal(file)
        except (ValueError, TypeError, KeyError) as error:
            raise UsageError(f"{file.name}: this is no journal of an export; remove it") from error
        yield journal
