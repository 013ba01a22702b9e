"""What an outbox may take of the disk, and how room is made: never by throwing away what waits."""

import os
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pop_stream.player.outbox.missing import numbers_of
from pop_stream.player.outbox.packing import packed
from pop_stream.player.outbox.row import COLUMNS, Row, State, sound_row, turn
from pop_stream.player.outbox.schema import DamagedError
from pop_stream.player.outbox.settled import Span, settle

_AT_ONCE: Final = 2000
_IN_A_PACK: Final = 500
#: Of events in one pack: a terminal has little memory.
_PACK_BYTES: Final = 8 * 1024 * 1024
_RESERVE_BYTES: Final = 512 * 1024
_INSERT: Final = f"INSERT INTO plays VALUES ({', '.join('?' * len(COLUMNS))})"  # noqa: S608
_PLAYS: Final = f"SELECT {', '.join(COLUMNS)} FROM plays"  # noqa: S608 - our own names


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How large an outbox may become, in bytes. The log beside it takes up to 8 MiB more."""

    #: From here on it says so.
    soft: int = 512 * 1024 * 1024
    #: Nothing is written beyond.
    hard: int = 1024 * 1024 * 1024


def used_bytes(connection: sqlite3.Connection) -> int:
    """How much of the file holds something: what is free in it is written to first."""
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (free,) = connection.execute("PRAGMA freelist_count").fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    return int((pages - free) * size)


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


def insert(connection: sqlite3.Connection, row: Row, *, replaces: Sequence[int] = ()) -> int:
    """Write a row, in the place of others if it replaces any; gives its id.

    One with the id 0 gets the next one.
    """
    connection.executemany("DELETE FROM plays WHERE id = ?", [(each,) for each in replaces])
    values = [getattr(row, name) for name in COLUMNS]
    values[0] = row.id or None
    done = connection.execute(_INSERT, values)
    return int(done.lastrowid or 0)


def moved(before: State, after: State) -> str:
    """The part of an UPDATE that brings a row from one state to another, with its seal."""
    mask = turn(before, after)
    # SQLite has no exclusive or.
    return f"state = {after:d}, seal = (seal | {mask}) - (seal & {mask})"


class Reserve:
    """Room that is kept free, for what must be written when there is no other any more."""

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(f"{path.name}.reserve")

    def keep(self) -> None:
        """Take the room. Where there is none, there is no reserve."""
        with suppress(OSError):
            if self._path.exists() and self._path.stat().st_size == _RESERVE_BYTES:
                return
            with self._path.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, _RESERVE_BYTES)

    def give(self) -> bool:
        """Give the room back. Gives whether there was any."""
        try:
            self._path.unlink()
        except OSError:
            return False
        return True
