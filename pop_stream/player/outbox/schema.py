"""The file of an outbox: its tables, and how it is opened."""

import sqlite3
from pathlib import Path
from typing import Final

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
CREATE TABLE screens(key TEXT PRIMARY KEY, seq INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE losses(
  id INTEGER PRIMARY KEY, key TEXT NOT NULL, boot BLOB NOT NULL, reason TEXT NOT NULL,
  first INTEGER NOT NULL, last INTEGER NOT NULL, plays INTEGER, since INTEGER, until INTEGER
);
CREATE TABLE facts(name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
""".split(";")  # noqa: SIM905 - to be read as SQL
    if statement.strip()
)


class ForeignFileError(Exception):
    """A database that is no outbox, or one of a newer form."""


def connect(path: Path, *, page_bytes: int = PAGE_BYTES) -> sqlite3.Connection:
    """Open an outbox, and make it where there is none.

    A commit returns once the disk has it (`synchronous=FULL`): power goes away at a pump. Raises
    ForeignFileError for a file of a newer pop-stream or of another program, and sqlite3.Error.
    """
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        _set_up(connection, path, page_bytes)
    except BaseException:
        connection.close()
        raise
    return connection


def _set_up(connection: sqlite3.Connection, path: Path, page_bytes: int) -> None:
    connection.execute(f"PRAGMA page_size = {page_bytes:d}")
    connection.execute("PRAGMA busy_timeout = 10000")
    connection.execute("PRAGMA cell_size_check = ON")
    version = _number(connection, "user_version")
    if version == 0 and not _number(connection, "schema_version"):
        connection.execute("PRAGMA journal_mode = WAL")
        _make(connection)
    elif _number(connection, "application_id") != APPLICATION_ID:
        raise ForeignFileError(f"{path} is no outbox: it is a database of another program")
    elif version > VERSION:
        raise ForeignFileError(
            f"{path} was written by a newer pop-stream (version {version} of its form; this one "
            f"knows {VERSION}): install that again; nothing was changed"
        )
    elif _statements(connection) != _DECLARED:
        # One letter of it, and a column is another; SQLite takes whatever it can read.
        raise sqlite3.DatabaseError("no such table as an outbox has: its schema is damaged")
    connection.execute("PRAGMA synchronous = FULL")
    # A log that has grown in a long transaction is cut to this; the disk may be small.
    connection.execute("PRAGMA journal_size_limit = 4194304")


def _make(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    # Not executescript(), which commits by itself.
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
