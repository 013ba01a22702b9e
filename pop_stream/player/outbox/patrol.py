"""Looks at every row again now and then: a disk may fail where nobody reads."""

import sqlite3
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from pop_stream.player.outbox.row import COLUMNS, State, sound_row

_ROWS: Final = f"SELECT {', '.join(COLUMNS)} FROM plays WHERE id >= ? ORDER BY id LIMIT ?"  # noqa: S608
_INDEXED: Final = (
    "SELECT id FROM plays INDEXED BY unfinished "
    "WHERE state < 3 AND state = ? AND id BETWEEN ? AND ?"
)
#: SQLite gives ids from 1; a disk makes others of them.
_FIRST: Final = -(1 << 63)
_LAST: Final = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look at some rows gave."""

    #: The next look begins behind it; 0: this was the end.
    last: int
    rows: int
    #: Rows that are not what was written, or that the index hides, or that only the index has.
    damaged: int


def look(connection: sqlite3.Connection, after: int, most: int) -> Looked:
    """Look at the rows behind an id; behind 0 stand all.

    Raises sqlite3.Error, which may tell of damage as well.
    """
    connection.execute("BEGIN")
    try:
        return _look(connection, after, most)
    finally:
        if connection.in_transaction:
            connection.execute("COMMIT")


def _look(connection: sqlite3.Connection, after: int, most: int) -> Looked:
    first = after + 1 if after > 0 else _FIRST
    rows = connection.execute(_ROWS, (first, most)).fetchall()
    is_end = len(rows) < most
    sound = [row for values in rows if (row := sound_row(values)) is not None]
    damaged = len(rows) - len(sound) + sum(values[0] < 1 for values in rows)
    damaged += sum(values[0] >= later[0] for values, later in pairwise(rows))
    last = _LAST if is_end else rows[-1][0]
    for state in (State.OPEN, State.READY, State.LEASED):
        # A page whose rows are gone looks like one that never had any: the index knows of them.
        listed = {id_ for (id_,) in connection.execute(_INDEXED, (state, first, last))}
        damaged += len(listed ^ {row.id for row in sound if row.state is state})
    return Looked(0 if is_end else last, len(rows), damaged)
