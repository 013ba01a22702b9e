"""Plays that were cut off: the power went, or the player died, while they were shown."""

import sqlite3
from dataclasses import replace
from typing import Final

import orjson

from pop_stream.player.outbox.changes import INTERRUPTED
from pop_stream.player.outbox.event import with_end
from pop_stream.player.outbox.row import COLUMNS, State, row_from, seal_of

_HEARTBEAT: Final = "heartbeat"


def note_heartbeat(connection: sqlite3.Connection, wall_ms: int) -> None:
    """Note that the player lives."""
    connection.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (_HEARTBEAT, wall_ms))


def close_interrupted(connection: sqlite3.Connection, *, except_boot: bytes) -> int:
    """Close all plays that earlier starts of the player left open; gives how many.

    They end with the last note that the player lived, and say that they were interrupted.
    """
    found = connection.execute("SELECT value FROM facts WHERE name = ?", (_HEARTBEAT,)).fetchone()
    lived_until = found[0] if found else 0
    columns = ", ".join(COLUMNS)
    rows = connection.execute(
        f"SELECT {columns} FROM plays WHERE state = ? AND boot != ?",  # noqa: S608 - our own names
        (State.OPEN, except_boot),
    ).fetchall()
    for values in rows:
        row = row_from(values)
        ended = max(row.started, lived_until)
        extra = (orjson.loads(row.extra) if row.extra else {}) | {INTERRUPTED: "true"}
        after = replace(row, state=State.READY, ended=ended, extra=orjson.dumps(extra),
                        body=with_end(row.body, ended, row.zone))  # fmt: skip
        connection.execute(
            "UPDATE plays SET state = ?, seal = ?, ended = ?, extra = ?, body = ? WHERE id = ?",
            (after.state, seal_of(after), after.ended, after.extra, after.body, after.id),
        )
    return len(rows)
