"""Looks at every row again now and then: a disk may fail where nobody reads."""

import sqlite3
from dataclasses import dataclass
from typing import Final

from pop_stream.player.outbox.row import COLUMNS, State, sound_row

_ROWS: Final = f"SELECT {', '.join(COLUMNS)} FROM plays WHERE id > ? ORDER BY id LIMIT ?"  # noqa: S608
_INDEXED: Final = (
    "SELECT count(*) FROM plays INDEXED BY unfinished "
    "WHERE state < 3 AND state = ? AND id BETWEEN ? AND ?"
)


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look at some rows gave."""

    #: The next look begins behind it; 0: this was the end.
    last: int
    rows: int
    #: Rows that are not what was written, or that the index hides.
    damaged: int


def look(connection: sqlite3.Connection, after: int, most: int) -> Looked:
    """Look at the rows behind an id. Raises sqlite3.Error, which may tell of damage as well."""
    rows = connection.execute(_ROWS, (after, most)).fetchall()
    if not rows:
        return Looked(0, 0, 0)
    sound = [row for values in rows if (row := sound_row(values)) is not None]
    damaged = len(rows) - len(sound)
    first, last = rows[0][0], rows[-1][0]
    for state in (State.OPEN, State.READY, State.LEASED):
        (listed,) = connection.execute(_INDEXED, (state, first, last)).fetchone()
        damaged += abs(listed - sum(row.state is state for row in sound))
    return Looked(last if len(rows) == most else 0, len(rows), damaged)
