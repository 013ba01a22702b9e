"""The outbox's file, for the processes that share it: one writes at a time, none an old file."""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, TypeAlias

from pop_stream.player.outbox.locks import turn_lock
from pop_stream.player.outbox.salvage import finish
from pop_stream.player.outbox.schema import (
    PAGE_BYTES,
    DamagedError,
    ForeignFileError,
    NewerFileError,
    connect,
)

#: The primary codes of SQLite that say the file itself is at fault. What we write breaks no rule of
#: the schema, and is not too big: not the writing is at fault then.
_DAMAGED: Final = frozenset(
    (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FORMAT,
     sqlite3.SQLITE_CONSTRAINT)
)  # fmt: skip
_BUSY: Final = frozenset((sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED))
#: What SQLite says of a damaged schema, or a damaged text, under its code for all else.
_SAID: Final = ("no such table", "no such column", "decode to UTF-8", "unsupported file format")

_Identity: TypeAlias = tuple[int, int]


def is_damage(error: Exception) -> bool:
    """Whether it says that the file is gone or not what was written, or that the disk fails."""
    if isinstance(error, OSError):
        return error.errno in (errno.EIO, errno.ENOENT)
    if isinstance(error, NewerFileError):
        return False
    if isinstance(error, (UnicodeDecodeError, DamagedError, ForeignFileError)):
        return True  # the first is what SQLite would have said of a text
    text = str(error)
    return _primary(error) in _DAMAGED or any(each in text for each in _SAID)


def is_full(error: Exception) -> bool:
    """Whether there is no room for what was to be written."""
    return _primary(error) == sqlite3.SQLITE_FULL or (
        isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    )


def is_busy(error: Exception) -> bool:
    """Whether somebody else has the file for so long that SQLite has waited enough."""
    return _primary(error) in _BUSY


def _primary(error: Exception) -> int:
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


class OutboxFile:
    """A connection to an outbox, for one thread.

    Damage is mended by setting the file aside and putting another in its place: so before each
    transaction it is seen whether the file is still the same one.
    """

    def __init__(self, path: Path, *, page_bytes: int = PAGE_BYTES) -> None:
        """Open it, and make it where there is none.

        Raises ForeignFileError, sqlite3.Error (`is_damage` tells which kind) and OSError.
        """
        self.path = path
        self._page_bytes = page_bytes
        self._turn = turn_lock(path)
        #: Counts the files that this was a connection to.
        self.generation = 0
        try:
            with self._turn:
                self._open()
        except BaseException:
            self._turn.close()
            raise

    def _open(self) -> None:
        self.generation += 1
        # Another process may have died while it mended the file.
        finish(self.path)
        self.connection = connect(self.path, page_bytes=self._page_bytes)
        self._identity = identity_of(self.path)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Write, alone; what was written is on the disk when the block has ended.

        Raises sqlite3.Error and OSError, and then nothing was written.
        """
        with self._turn:
            self._follow()
            self.connection.execute("BEGIN IMMEDIATE")
            try:
                yield self.connection
                self.connection.execute("COMMIT")
            except BaseException:
                # SQLite rolls back by itself when the disk is full or fails.
                if self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")
                raise

    @contextmanager
    def replacing(self) -> Iterator[bool]:
        """Put another file in its place, alone; it is opened at the end of the block.

        Gives False when somebody has just done so. The old file is closed at the end only: SQLite
        would tidy it up before it was read, and leaves one alone that stands elsewhere.
        """
        with self._turn:
            yield identity_of(self.path) in (None, self._identity)
            self.connection.close()
            self._open()

    def _follow(self) -> None:
        found = identity_of(self.path)
        if found is None:
            raise FileNotFoundError(errno.ENOENT, "the outbox is gone", str(self.path))
        if found != self._identity:
            self.connection.close()
            self._open()

    def empty_log(self) -> None:
        """Bring the log into the file, if that can be, so that it begins anew."""
        with suppress(sqlite3.Error):
            self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Close it. Twice is no harm."""
        self.connection.close()
        self._turn.close()


def identity_of(path: Path) -> _Identity | None:
    """Tells one file from another that takes its place; None: there is none."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino
