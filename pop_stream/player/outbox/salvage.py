"""Mends a damaged outbox: what can be read goes into a new file, the old one is set aside.

Nothing is deleted. The new file takes the old one's place only when it is whole on the disk; a
power cut in between leaves either, and whoever opens the outbox next goes on from there.
"""

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from pop_stream.player.outbox import facts, losses
from pop_stream.player.outbox.disk_bytes import bytes_of
from pop_stream.player.outbox.log_check import log_of
from pop_stream.player.outbox.modes import mode_beside
from pop_stream.player.outbox.pages import Pages, page_size_of
from pop_stream.player.outbox.row import COLUMNS, Row, State, seal_of
from pop_stream.player.outbox.schema import PAGE_BYTES, connect
from pop_stream.player.outbox.settled import settle, settled

_INSERT: Final = (
    f"INSERT INTO plays({', '.join(COLUMNS)}) "  # noqa: S608 - our own names
    f"VALUES ({', '.join('?' * len(COLUMNS))})"
)


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What was found in a damaged outbox."""

    rows: int
    #: Where the old file stands now.
    aside: Path


def salvage(path: Path) -> Salvaged:
    """Put a sound outbox in the place of a damaged one, with all rows that can be read.

    It has the fact MENDED. To be called by whoever has the turn. Raises OSError and sqlite3.Error
    when the disk takes no new file; the old one stands where it stood then.
    """
    draft, whole = _draft_of(path), _whole_of(path)
    if whole.exists():
        # One that was cut short has all of it: the old file may be gone from its place.
        return Salvaged(0, _swap(path))
    for each in (draft, draft.with_name(f"{draft.name}-journal")):
        each.unlink(missing_ok=True)
    try:
        rows = _build(path, draft)
        _sync(draft)
    except BaseException:
        # It would take the room that plays need.
        draft.unlink(missing_ok=True)
        raise
    draft.rename(whole)
    _sync(path.parent)
    return Salvaged(rows, _swap(path))


def finish(path: Path) -> None:
    """Go on with a swap that was cut short. To be called by whoever has the turn."""
    if _whole_of(path).exists():
        _swap(path)


def _build(path: Path, draft: Path) -> int:
    mode = mode_beside(path)
    with closing(connect(draft, is_draft=True, mode=mode)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        with bytes_of(path) as main, bytes_of(log_of(path)) as log:
            rows = _take(connection, Pages(main, log, page_size_of(main, log, PAGE_BYTES)).rows())
        _take_the_rest(connection, path)
        facts.note_fact(connection, facts.MENDED, 1)
        connection.execute("COMMIT")
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
        free = (
            row.id > 0
            and connection.execute("SELECT 1 FROM plays WHERE id = ?", (row.id,)).fetchone() is None
        )
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


def _take_the_rest(connection: sqlite3.Connection, path: Path) -> None:
    """What stands beside the plays, as far as SQLite can still read it.

    The marks have the most of it, too.
    """
    # Only to be read: so the old file and its log stay as they are.
    with suppress(sqlite3.Error, ValueError), closing(
        sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    ) as old:  # fmt: skip
        with suppress(sqlite3.Error, ValueError):
            losses.note(connection, losses.waiting(old))
        with suppress(sqlite3.Error, ValueError):
            settle(connection, settled(old))
        with suppress(sqlite3.Error, ValueError):
            for name, value in facts.facts(old).items():
                facts.note_fact(connection, name, value)


def _swap(path: Path) -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    aside = next(
        place
        for n in range(1_000_000)
        if not (place := path.with_name(f"{path.name}.damaged-{stamp}-{n}")).exists()
    )
    # The log first: without its database it is harmless, beside another one it is not.
    for old, kept in ((log_of(path), log_of(aside)), (path, aside)):
        with suppress(FileNotFoundError):
            old.rename(kept)
    path.with_name(f"{path.name}-shm").unlink(missing_ok=True)
    _whole_of(path).rename(path)
    _sync(path.parent)
    return aside


def _sync(path: Path) -> None:
    """Have a file, or the names in a folder, on the disk. Raises OSError."""
    opened = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _draft_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.salvaging")


def _whole_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.salvaged")
