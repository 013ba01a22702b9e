"""The file of an outbox: its tables, and how it is opened."""

import os
import sqlite3
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Final

from pop_stream.player.outbox.modes import OWNERS_ALONE

VERSION: Final = 1
#: "POPS": an outbox, and no other SQLite file.
APPLICATION_ID: Final = 0x504F_5053
PAGE_BYTES: Final = 4096

_DECLARED: Final = frozenset(
    statement.strip()
    for statement in """
CREATE TABLE plays(
  id INTEGER PRIMARY KEY, state INTEGER NOT NULL, seal INTEGER NOT NULL,
  pop_id BLOB NOT NULL, boot BLOB NOT NULL, key TEXT NOT NULL, seq INTEGER NOT NULL,
  started INTEGER NOT NULL, ended INTEGER, lasted INTEGER,
  offset INTEGER NOT NULL, zone TEXT NOT NULL, clock TEXT NOT NULL,
  body BLOB NOT NULL, extra BLOB, acked INTEGER, number INTEGER NOT NULL
);
CREATE INDEX unfinished ON plays(state, id) WHERE state < 3;
CREATE INDEX aside ON plays(id) WHERE state = 4;
CREATE INDEX packs ON plays(state, number) WHERE number > 1;
CREATE TABLE screens(
  key TEXT PRIMARY KEY, seq INTEGER NOT NULL, seal INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE losses(
  id INTEGER PRIMARY KEY, key TEXT NOT NULL, boot BLOB NOT NULL, reason TEXT NOT NULL,
  first INTEGER NOT NULL, last INTEGER NOT NULL, plays INTEGER, since INTEGER, until INTEGER,
  seal INTEGER NOT NULL
);
CREATE TABLE settled(
  key TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL, seal INTEGER NOT NULL,
  PRIMARY KEY(key, first)
) WITHOUT ROWID;
CREATE TABLE facts(
  name TEXT PRIMARY KEY, value INTEGER NOT NULL, seal INTEGER NOT NULL
) WITHOUT ROWID;
""".split(";")  # noqa: SIM905 - to be read as SQL
    if statement.strip()
)


class ForeignFileError(Exception):
    """A database that is no outbox."""


class NewerFileError(ForeignFileError):
    """An outbox of a newer form than this pop-stream knows."""


class DamagedError(sqlite3.DatabaseError):
    """What SQLite has read is not what was written."""


def connect(
    path: Path,
    *,
    page_bytes: int = PAGE_BYTES,
    is_draft: bool = False,
    mode: int = OWNERS_ALONE,
) -> sqlite3.Connection:
    """Open an outbox, and make it where there is none.

    A commit returns once the disk has it (`synchronous=FULL`): power goes away at a pump. Not so of
    a draft: it is on the disk when its maker has synced the file. `mode` is that of a new file, and
    SQLite's files beside it get the same.

    Raises ForeignFileError for a file of a newer pop-stream or of another program, and
    sqlite3.Error.
    """
    _make_file(path, mode)
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        connection.execute(f"PRAGMA page_size = {page_bytes:d}")
        connection.execute("PRAGMA busy_timeout = 10000")
        connection.execute("PRAGMA cell_size_check = ON")
        check(connection, path)
        # A file that comes from a salvage has no log yet.
        connection.execute(f"PRAGMA journal_mode = {'OFF' if is_draft else 'WAL'}").fetchall()
        connection.execute(f"PRAGMA synchronous = {'OFF' if is_draft else 'FULL'}")
        # A log that has grown in a long transaction is cut to this; the disk may be small.
        connection.execute("PRAGMA journal_size_limit = 4194304")
        if not _statements(connection):
            _make(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _make_file(path: Path, mode: int) -> None:
    """Make an empty file where there is none, before SQLite does, which asks only the umask."""
    # Never one that is there: to close it would take away this process's locks on it. What keeps it
    # from being made SQLite tells, too.
    with suppress(OSError):
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        try:
            os.fchmod(file, mode)
        finally:
            os.close(file)


def seal_of_values(*values: object) -> int:
    """The checksum of what stands beside the plays: numbers of screens, losses and such."""
    return zlib.crc32(repr(values).encode("utf-8", "backslashreplace"))


def check(connection: sqlite3.Connection, path: Path) -> None:
    """Raises DamagedError and ForeignFileError, unless it is an outbox, or empty."""
    version, found = _number(connection, "user_version"), _statements(connection)
    is_marked = _number(connection, "application_id") == APPLICATION_ID
    if found == _DECLARED:
        if not is_marked or version != VERSION:
            raise DamagedError("the head of the file is damaged")
    elif is_marked and version > VERSION:
        raise NewerFileError(
            f"{path} was written by a newer pop-stream (version {version} of its form; this one "
            f"knows {VERSION}): install that again; nothing was changed"
        )
    elif is_marked:
        # One letter of it, and a column is another; SQLite takes whatever it can read.
        raise DamagedError("its schema is damaged")
    elif version or found or _number(connection, "schema_version"):
        raise ForeignFileError(f"{path} is no outbox: it is a database of another program")


def _make(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    # Not executescript(), which commits by itself. Tables come before the index.
    for statement in sorted(_DECLARED, reverse=True):
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID:d}")
    connection.execute(f"PRAGMA user_version = {VERSION:d}")
    connection.execute("COMMIT")


def _statements(connection: sqlite3.Connection) -> frozenset[str]:
    found = connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    return frozenset(sql for (sql,) in found)


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    (found,) = connection.execute(f"PRAGMA {pragma}").fetchone()
    return int(found)
