"""An outbox on its disk: opened, mended, and made room in, for the one process that records.

What can be done about a failure is done here; what cannot is said.
"""

import logging
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from enum import Enum, auto
from pathlib import Path
from typing import Final

from pop_stream.errors import PopStreamError
from pop_stream.player.outbox import opening, patrol, room
from pop_stream.player.outbox.file import OutboxFile, is_busy, is_damage, is_full
from pop_stream.player.outbox.interrupted import close_interrupted
from pop_stream.player.outbox.limits import Limits, note_limits
from pop_stream.player.outbox.locks import FileLock, recording_lock
from pop_stream.player.outbox.marks import Marks, MarksFile
from pop_stream.player.outbox.room import Reserve

log = logging.getLogger(__name__)

#: In one writing: a file that is damaged again at once is on a disk that is no good.
_MENDED_MOST: Final = 3
_LOOKED_AT_ONCE: Final = 200


class Why(Enum):
    """Why changes could not be written."""

    #: There is no room, whatever was done to make some.
    FULL = auto()
    #: The disk takes nothing.
    FAILED = auto()
    #: One of them is of a kind that cannot be written; the others can.
    ODD = auto()


class Disk:
    """The file of an outbox, and what stands beside it."""

    def __init__(self, path: Path, *, boot: bytes, limits: Limits) -> None:
        """Nothing is opened yet."""
        self._path = path
        self._boot = boot
        self._limits = limits
        #: What is on the disk, for certain.
        self.marks = Marks()
        #: Counts what has taken the place of another file.
        self.generation = 0
        #: The last row that was looked at again.
        self._patrolled = 0
        self._mended = 0
        self._is_filling = False
        #: How the file was when no room could be made.
        self._exhausted: tuple[int, int] | None = None
        self._lock: FileLock | None = None
        self._marks_file: MarksFile | None = None
        self._file: OutboxFile | None = None
        self._reserve = Reserve(path)

    def open(self) -> bool:
        """Open it, mended where it is damaged. Gives whether the disk lets that be.

        Raises OutboxBusyError when another process records into it, and UsageError when the file
        is none of ours.
        """
        if self._file is not None:
            return True
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._take_lock()
            self._read_marks()
            opened = opening.open_outbox(self._path, self.marks, self._boot)
            self._file = opened.file
            self.generation += 1
            self.marks = replace(self.marks, highest=dict(opened.numbers))
            self._close_interrupted()
            self._reserve.keep()
        except PopStreamError:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is: it is tried again
            log.error(  # noqa: TRY400 - the message says it all, and comes every few seconds
                "outbox.not_opened", extra={"path": str(self._path), "error": str(error)}
            )
            self._shut()
        return self._file is not None

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Write, alone; what was written is on the disk when the block has ended.

        Raises OSError and sqlite3.Error; then nothing was written, and `help` may.
        """
        if self._file is None:
            raise OSError("the outbox is not open")
        file, before = self._file, self._file.generation
        try:
            with file.transaction() as connection:
                yield connection
        finally:
            # Another process may have put another file there.
            self.generation += file.generation - before

    def help(self, error: Exception) -> Why | None:
        """Do what lets it be tried again. Gives why it need not; None: it may work now."""
        if is_full(error):
            # First the log goes into the file: that may take as much as the reserve.
            given = self._reserve.give()
            self._empty_log()
            return None if self.make_room() or given else Why.FULL
        if is_busy(error):
            return None
        if is_damage(error):
            return None if self.mend(str(error)) else Why.FAILED
        if isinstance(error, (PopStreamError, OSError, MemoryError, sqlite3.OperationalError)):
            return Why.FAILED
        return Why.ODD

    def has_room_for(self, size: int) -> bool:
        """Whether so much may be written, after all that can be done for it."""
        if room.is_smaller(self._path, self._limits.hard - size) and self._reserve.keep():
            return True
        while self._file is not None:
            connection = self._file.connection
            is_within = room.used_bytes(connection) + size <= self._limits.hard
            # What is free in the file takes nothing of the disk.
            if is_within and (
                room.free_bytes(connection) >= room.RESERVE_BYTES or self._reserve.keep()
            ):
                return True
            if not self.make_room():
                break
        return False

    def make_room(self) -> bool:
        """Make some. Gives whether there was any to be made."""
        if self._file is None:
            return False
        connection = self._file.connection
        found = connection.execute("PRAGMA data_version").fetchone()[0], room.used_bytes(connection)
        if found == self._exhausted:
            return False  # nothing has changed since: to look costs time, with every play
        try:
            with self.transaction() as connection:
                made = room.make_room(connection, lambda: secrets.token_bytes(16))
        except (sqlite3.Error, OSError) as error:
            if is_damage(error):
                return self.mend(str(error))
            made = False
        # Also what has failed has made it longer.
        self._empty_log()
        self._exhausted = None if made else found
        return made

    def _empty_log(self) -> None:
        if self._file is not None:
            self._file.empty_log()

    def mend(self, why: str) -> bool:
        """Put a sound file in the place of the damaged one. Gives whether that was possible."""
        self._mended += 1
        if self._file is None or self._mended > _MENDED_MOST:
            self._shut()
            return False
        try:
            opening.mend(self._file, self.marks, self._boot, why)
        except Exception as worse:  # noqa: BLE001 - whatever it is: it is opened anew later
            log.error("outbox.not_mended", extra={"error": str(worse)})  # noqa: TRY400
            self._reserve.give()
            self._shut()
            return False
        self.generation += 1
        self._patrolled = 0
        return True

    def patrol(self) -> None:
        """Look at some rows again, and mend what is damaged."""
        if self._file is None:
            return
        try:
            looked = patrol.look(self._file.connection, self._patrolled, _LOOKED_AT_ONCE)
        except (sqlite3.Error, UnicodeDecodeError, MemoryError) as error:
            # A damaged length asks for more memory than there is.
            if is_damage(error) or isinstance(error, (sqlite3.DataError, MemoryError)):
                self.mend(str(error))
            return
        self._patrolled = looked.last
        if looked.damaged:
            self.mend(f"{looked.damaged} of its rows are not what was written")

    def keep_reserve(self) -> None:
        """Have some room that nobody takes, unless there is hardly any."""
        if self._file is not None:
            used = room.used_bytes(self._file.connection)
            if used < self._limits.hard:
                self._reserve.keep()
            if (used >= self._limits.soft) is not self._is_filling:
                self._is_filling = not self._is_filling
                what = "outbox.filling" if self._is_filling else "outbox.has_room_again"
                log.warning(what, extra={"bytes": used, "hard": self._limits.hard})

    def give_reserve(self) -> None:
        """Give that room back."""
        self._reserve.give()

    def note(self, marks: Marks) -> None:
        """Note beside the file what is on the disk."""
        self.marks = marks
        self._mended = 0
        if self._marks_file is not None:
            try:
                self._marks_file.write(marks)
            except OSError as error:
                log.warning("outbox.marks_not_written", extra={"error": str(error)})

    def close(self) -> None:
        """Give everything back. Twice is no harm."""
        self._shut()
        for each in (self._marks_file, self._lock):
            if each is not None:
                each.close()
        self._marks_file = self._lock = None

    def _shut(self) -> None:
        if self._file is not None:
            self._file.close()
        self._file = None

    def _take_lock(self) -> None:
        if self._lock is None:
            lock = recording_lock(self._path)
            try:
                lock.take("records plays")
            except BaseException:
                lock.close()
                raise
            self._lock = lock

    def _read_marks(self) -> None:
        if self._marks_file is None:
            try:
                self._marks_file = MarksFile(self._path)
            except OSError as error:
                # One can do without.
                log.warning("outbox.marks_not_opened", extra={"error": str(error)})
                return
            self.marks = self.marks.united(self._marks_file.read())

    def _close_interrupted(self) -> None:
        try:
            self._begin()
        except sqlite3.Error as error:
            if not is_damage(error) or not self.mend(str(error)):
                raise
            self._begin()

    def _begin(self) -> None:
        with self.transaction() as connection:
            close_interrupted(connection, except_boot=self._boot)
            note_limits(connection, self._limits)
