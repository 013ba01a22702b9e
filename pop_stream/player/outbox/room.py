"""What an outbox may take of the disk, and how room is made: never by throwing away what waits."""

import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from pop_stream.player.outbox.log_check import log_of
from pop_stream.player.outbox.missing import numbers_of
from pop_stream.player.outbox.modes import mode_beside
from pop_stream.player.outbox.packing import packed
from pop_stream.player.outbox.row import COLUMNS, Row, State, sound_row, turn
from pop_stream.player.outbox.schema import DamagedError
from pop_stream.player.outbox.settled import Span, settle

_AT_ONCE: Final = 2000
_IN_A_PACK: Final = 500
#: Of events in one pack: a terminal has little memory, and the reserve must do for the log of it.
_PACK_BYTES: Final = 1024 * 1024
#: As large as the log becomes: to bring all of that into the file may take as much.
RESERVE_BYTES: Final = 4_500 * 1024
_SEAL: Final = COLUMNS.index("seal")
_INSERT: Final = f"INSERT INTO plays VALUES ({', '.join('?' * len(COLUMNS))})"  # noqa: S608
_PLAYS: Final = f"SELECT {', '.join(COLUMNS)} FROM plays"  # noqa: S608 - our own names


def is_smaller(path: Path, limit: int) -> bool:
    """Whether the outbox is within a limit, as the sizes of its file and its log show already.

    No page is outside of the two. Where they do not show it, SQLite knows how much is free in them;
    but it takes locks for each answer.
    """
    sizes = 0
    for each in (path, log_of(path)):
        with suppress(FileNotFoundError):
            sizes += each.stat().st_size
    return sizes <= limit


def used_bytes(connection: sqlite3.Connection) -> int:
    """How much of the file holds something: what is free in it is written to first."""
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    return int(pages * size) - free_bytes(connection)


def free_bytes(connection: sqlite3.Connection) -> int:
    """How much of the file holds nothing."""
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    return int(free * size)


def make_room(connection: sqlite3.Connection, make_id: Callable[[], bytes]) -> bool:
    """Make some, in the transaction of the caller. Gives whether there was any to be made.

    What the broker has goes first; then the oldest that waits is packed.
    """
    return prune(connection, _AT_ONCE) > 0 or pack(connection, make_id)


def prune(connection: sqlite3.Connection, most: int, *, acked_before: int | None = None) -> int:
    """Delete the oldest that the broker has confirmed; gives how many rows that were.

    `acked_before` is in epoch milliseconds. Raises DamagedError for a row that may be another than
    it says.
    """
    before = (1 << 62) if acked_before is None else acked_before
    done: list[tuple[int]] = []
    numbers: dict[str, list[Span]] = {}
    for values in connection.execute(
        f"{_PLAYS} WHERE state = ? AND coalesce(acked, 0) < ? ORDER BY id LIMIT ?",
        (State.ACKED, before, most),
    ):
        row = _sound(values)
        done.append((row.id,))
        for key, first, last in numbers_of(row):
            numbers.setdefault(key, []).append((first, last))
    settle(connection, numbers)
    connection.executemany("DELETE FROM plays WHERE id = ?", done)
    return len(done)


def pack(connection: sqlite3.Connection, make_id: Callable[[], bytes]) -> bool:
    """Pack the oldest plays that wait. Gives whether there were enough of them."""
    rows: list[Row] = []
    size = 0
    # By the index, whose order is that of the ids; a pack among them is passed over.
    for values in connection.execute(
        f"{_PLAYS} WHERE state < 3 AND state = ? AND number = 1 ORDER BY id LIMIT ?",
        (State.READY, _IN_A_PACK),
    ):
        row = _sound(values)
        size += len(row.body)
        if rows and size > _PACK_BYTES:
            break
        rows.append(row)
    if len(rows) < _IN_A_PACK // 2 and size < _PACK_BYTES:
        return False
    insert(connection, packed(rows, pop_id=make_id()), replaces=[row.id for row in rows])
    return True


def _sound(values: object) -> Row:
    """The row, to be taken out: only what is what was written says that it may be."""
    row = sound_row(values)
    if row is None:
        raise DamagedError("a row is not what was written")
    return row


def insert(
    connection: sqlite3.Connection,
    row: Row,
    *,
    replaces: Sequence[int] = (),
    seal: int | None = None,
) -> int:
    """Write a row, in the place of others if it replaces any; gives its id.

    One with the id 0 gets the next one. `seal`: the one to write instead of the row's own.
    """
    connection.executemany("DELETE FROM plays WHERE id = ?", [(each,) for each in replaces])
    values = [getattr(row, name) for name in COLUMNS]
    values[0] = row.id or None
    if seal is not None:
        values[_SEAL] = seal
    done = connection.execute(_INSERT, values)
    return int(done.lastrowid or 0)


def moved(before: State, after: State) -> str:
    """The part of an UPDATE that brings a row from one state to another, with its seal."""
    mask = turn(before, after)
    # SQLite has no exclusive or.
    return f"state = {after:d}, seal = (seal | {mask}) - (seal & {mask})"


class Reserve:
    """Room that is kept free, for what must be written when there is no other any more.

    An end, a confirmation and a declared loss are such; to confirm what was sent is what makes room
    again. So the disk counts as full when there is no reserve.
    """

    def __init__(self, path: Path) -> None:
        self._outbox = path
        self._path = path.with_name(f"{path.name}.reserve")
        self._is_kept = False

    def keep(self) -> bool:
        """Take the room. Gives whether there is a reserve."""
        if not (self._is_kept and self._path.exists()):
            try:
                self._take()
            except OSError:
                # Whatever part of it there was is more use to others.
                self.give()
            else:
                self._is_kept = True
        return self._is_kept

    def _take(self) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC
        file = os.open(self._path, flags, mode_beside(self._outbox))
        try:
            os.posix_fallocate(file, 0, RESERVE_BYTES)
        finally:
            os.close(file)

    def give(self) -> bool:
        """Give the room back. Gives whether there was any."""
        self._is_kept = False
        try:
            self._path.unlink()
        except OSError:
            return False
        return True
