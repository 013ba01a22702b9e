"""Outboxes for tests: with plays in them, and damaged in ways that disks are."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from pop_stream.player import Outbox
from pop_stream.player.outbox.row import COLUMNS, Row, State, row_from, seal_of

EVENT = {"filename": "a.webm", "assetId": "5942", "siteId": "1202", "screenId": "3"}
_REWRITE = f"INSERT OR REPLACE INTO plays VALUES ({', '.join('?' * len(COLUMNS))})"  # noqa: S608


def recorded(path: Path, plays: int, *, screen: str = "3", **headers: str) -> list[str]:
    """Record plays of a screen that are over; gives their pop-ids."""
    ids = []
    with Outbox(path, zone="America/Chicago") as outbox:
        for _ in range(plays):
            play = outbox.start(EVENT | {"screenId": screen}, headers)
            play.end()
            ids.append(play.pop_id)
    return ids


def rows_of(path: Path) -> list[Row]:
    """All that stands in an outbox."""
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute(f"SELECT {', '.join(COLUMNS)} FROM plays ORDER BY id")  # noqa: S608
        return [row_from(values) for values in found]


def states_of(path: Path) -> list[State]:
    """The states of all rows."""
    return [row.state for row in rows_of(path)]


def rewrite(path: Path, row: Row) -> None:
    """Put a row in the place of the one with its id, with the seal that it must have."""
    values = [getattr(row, name) for name in COLUMNS]
    values[COLUMNS.index("seal")] = seal_of(row)
    change(path, _REWRITE, values)


def change(path: Path, statement: str, values: Sequence[Any] = ()) -> None:
    """What a failing disk, or somebody's hand, does to a file."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(statement, values)
