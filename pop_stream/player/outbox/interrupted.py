"""Plays that were cut off: the power went, or the player died, while they were shown."""

import sqlite3
from dataclasses import replace
from typing import Final

import orjson

from pop_stream.player.outbox.changes import INTERRUPTED
from pop_stream.player.outbox.event import with_end
from pop_stream.player.outbox.facts import HEARTBEAT, facts
from pop_stream.player.outbox.row import COLUMNS, State, seal_of, sound_row
from pop_stream.player.outbox.schema import DamagedError

_OPEN: Final = (
    f"SELECT {', '.join(COLUMNS)} FROM plays "  # noqa: S608 - our own names
    "WHERE state < 3 AND state = ? AND boot != ?"
)


def close_interrupted(connection: sqlite3.Connection, *, except_boot: bytes) -> int:
    """Close all plays that earlier starts of the player left open; gives how many.

    They end with the last note that the player lived, and say that they were interrupted. Raises
    DamagedError for one that is not what was written: a new seal would hide that.
    """
    lived_until = facts(connection).get(HEARTBEAT, 0)
    rows = connection.execute(_OPEN, (State.OPEN, except_boot)).fetchall()
    for values in rows:
        row = sound_row(values)
        if row is None:
            raise DamagedError("an open play is not what was written")
        ended = max(row.started, lived_until)
        extra = (orjson.loads(row.extra) if row.extra else {}) | {INTERRUPTED: "true"}
        after = replace(row, state=State.READY, ended=ended, extra=orjson.dumps(extra),
                        body=with_end(row.body, ended, row.zone))  # fmt: skip
        connection.execute(
            "UPDATE plays SET state = ?, seal = ?, ended = ?, extra = ?, body = ? WHERE id = ?",
            (after.state, seal_of(after), after.ended, after.extra, after.body, after.id),
        )
    return len(rows)
