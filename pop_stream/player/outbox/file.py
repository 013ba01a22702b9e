"""The outbox's file, for the processes that share it: one writes at a time, none an old file."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pop_stream.player.outbox.locks import turn_lock
from pop_stream.player.outbox.schema import PAGE_BYTES, connect

#: The primary codes of SQLite that say the file itself is at fault.
_DAMAGED: Final = frozenset(
    (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FORMAT)
)
_FULL: Final = frozenset((sqlite3.SQLITE_FULL,))


#: What SQLite says of a damaged schema, or a damaged text, under its code for all else.
_SAID: Final = ("no such table", "no such column", "decode to UTF-8", "unsupported file format")


def is_damage(error: Exception) -> bool:
    """Whether it says that the file is not what was written, or that the disk fails."""
    if isinstance(error, UnicodeDecodeError):
        return True  # in what SQLite would have said of it
    text = str(error)
    return _primary(error) in _DAMAGED or any(each in text for each in _SAID)


def is_full(error: Exception) -> bool:
    """Whether there is no room for what was to be written."""
    return _primary(error) in _FULL


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
        with self._turn:
            self._open()

    def _open(self) -> None:
        self.generation += 1
        self.connection = connect(self.path, page_bytes=self._page_bytes)
        self._identity = _identity(self.path)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Write, alone; what was written is on the disk when the block has ended.

        Raises sqlite3.Error, and then nothing was written.
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

        Gives False when somebody has just done so.
        """
        with self._turn:
            is_ours = self.path.exists() and _identity(self.path) == self._identity
            self.connection.close()
            yield is_ours
            self._open()

    def _follow(self) -> None:
        if _identity(self.path) != self._identity:
            self.connection.close()
            self._open()

    def close(self) -> None:
        """Close it."""
        self.connection.close()
        self._turn.close()


def _identity(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_dev, found.st_ino
