"""Mends a damaged outbox: what can be read goes into a new file, the old one is set aside.

Nothing is deleted. The new file takes the old one's place only when it is whole on the disk; a
power cut in between leaves either, and the next start goes on from there.
"""

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Final

from pop_stream.player.outbox.log_check import log_of
from pop_stream.player.outbox.pages import Pages, page_size_of
from pop_stream.player.outbox.row import COLUMNS, Row, State, seal_of
from pop_stream.player.outbox.schema import PAGE_BYTES, connect

_INSERT: Final = (
    f"INSERT INTO plays({', '.join(COLUMNS)}) "  # noqa: S608 - our own names
    f"VALUES ({', '.join('?' * len(COLUMNS))})"
)
#: Set in a new file when nothing is missing in it.
_WHOLE: Final = "whole"


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What was found in a damaged outbox."""

    rows: int
    #: Where the old file stands now.
    aside: Path


def salvage(path: Path) -> Salvaged:
    """Put a sound outbox in the place of a damaged one, with all rows that can be read.

    To be called by whoever has the turn. Raises OSError and sqlite3.Error when the disk takes no
    new file; the old one stands where it stood then.
    """
    new = _new(path)
    _remove(new)
    rows = _build(path, new)
    return Salvaged(rows, _swap(path, new))


def finish(path: Path) -> Path | None:
    """Go on with a swap that was cut short; gives where the old file stands, if there was one."""
    new = _new(path)
    if not new.exists():
        return None
    if _is_whole(new):
        return _swap(path, new)
    _remove(new)
    return None


def _build(path: Path, new: Path) -> int:
    connection = connect(new)
    try:
        connection.execute("BEGIN IMMEDIATE")
        with _bytes_of(path) as main, _bytes_of(log_of(path)) as log:
            rows = _take(connection, Pages(main, log, page_size_of(main, log, PAGE_BYTES)).rows())
        _number_screens(connection)
        connection.execute("INSERT OR REPLACE INTO facts VALUES (?, 1)", (_WHOLE,))
        connection.execute("COMMIT")
        # All of it in one file: the other is renamed alone.
        connection.execute("PRAGMA journal_mode = DELETE")
    finally:
        connection.close()
    return rows


def _take(connection: sqlite3.Connection, rows: Iterable[Row]) -> int:
    """Of each play its furthest state; nothing is under way any more."""
    # On the disk, as the rows are: there may be millions, and a terminal is small.
    connection.execute("CREATE UNIQUE INDEX once ON plays(pop_id, boot)")
    taken = 0
    for row in _unleased(rows):
        before = connection.execute(
            "SELECT id, state FROM plays WHERE pop_id = ? AND boot = ?", (row.pop_id, row.boot)
        ).fetchone()
        if before is not None:
            if before[1] >= row.state:
                continue
            connection.execute("DELETE FROM plays WHERE id = ?", (before[0],))
        # The same id for two plays: one stood on a page that is free again.
        free = connection.execute("SELECT 1 FROM plays WHERE id = ?", (row.id,)).fetchone() is None
        values = [getattr(row, name) for name in COLUMNS]
        connection.execute(_INSERT, values if free else [None, *values[1:]])
        taken += before is None
    connection.execute("DROP INDEX once")
    return taken


def _unleased(rows: Iterable[Row]) -> Iterator[Row]:
    for row in rows:
        if row.state is State.LEASED:
            ready = replace(row, state=State.READY)
            yield replace(ready, seal=seal_of(ready))
        else:
            yield row


def _number_screens(connection: sqlite3.Connection) -> None:
    connection.execute(
        "INSERT INTO screens SELECT key, max(seq) FROM plays WHERE number = 1 GROUP BY key"
    )


def _is_whole(new: Path) -> bool:
    try:
        connection = sqlite3.connect(new)
        try:
            found = connection.execute("SELECT value FROM facts WHERE name = ?", (_WHOLE,))
            return found.fetchone() is not None
        finally:
            connection.close()
    except sqlite3.Error:
        return False


def _swap(path: Path, new: Path) -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    aside = next(
        place
        for n in range(1_000_000)
        if not (place := path.with_name(f"{path.name}.damaged-{stamp}-{n}")).exists()
    )
    # The log first: without its database it is harmless, beside another one it is not.
    for old, kept in ((log_of(path), log_of(aside)), (path, aside)):
        if old.exists():
            old.rename(kept)
    path.with_name(f"{path.name}-shm").unlink(missing_ok=True)
    new.rename(path)
    sync_folder(path.parent)
    return aside


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk. Raises OSError."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _new(path: Path) -> Path:
    return path.with_name(f"{path.name}.salvaging")


@contextmanager
def _bytes_of(path: Path) -> Iterator[bytes | mmap]:
    if not path.exists() or not path.stat().st_size:
        yield b""
        return
    with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as mapped:
        yield mapped


def _remove(new: Path) -> None:
    for each in (new, log_of(new), new.with_name(f"{new.name}-journal"),
                 new.with_name(f"{new.name}-shm")):  # fmt: skip
        each.unlink(missing_ok=True)
