"""Outboxes for tests: filled as the recorder would have, but at once."""

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from pop_stream.player.outbox.facts import note_number
from pop_stream.player.outbox.row import COLUMNS, Row, State, row_from, seal_of
from pop_stream.player.outbox.schema import connect

_ROWS = f"SELECT {', '.join(COLUMNS)} FROM plays ORDER BY id"  # noqa: S608 - our own names
_INSERT = f"INSERT INTO plays VALUES ({', '.join('?' * len(COLUMNS))})"  # noqa: S608

BOOT = bytes(range(16))
BEGAN_MS = 1_790_000_000_000


def pop_id_of(number: int) -> bytes:
    """The id of the n-th play of a test."""
    return b"\x01\xa0" + number.to_bytes(14, "big")


def row(number: int = 1, *, screens: int = 1, **fields: Any) -> Row:
    """The n-th play, which waits to be sent; `fields` of it are others. Its seal fits."""
    screen = (number - 1) % screens + 1
    event = {"filename": "a.webm", "assetId": str(number), "siteId": "7", "screenId": str(screen)}
    started = BEGAN_MS + number * 15_000
    made = Row(
        id=number, state=State.READY, seal=0, pop_id=pop_id_of(number), boot=BOOT,
        key=f"7/{screen}", seq=(number - 1) // screens + 1, started=started,
        ended=started + 15_000, lasted=15_000, offset=-360, zone="America/Chicago",
        clock="synced", body=orjson.dumps(event), extra=None,
    )  # fmt: skip
    return sealed(replace(made, **fields))


def sealed(row: Row) -> Row:
    """The same with a seal that fits."""
    return replace(row, seal=seal_of(row))


def fill(path: Path, plays: Iterable[Row]) -> Path:
    """Put rows into an outbox, which is made where there is none; the id 0 is the next one."""
    with closing(connect(path)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        values = (
            [each.id or None, *(getattr(each, name) for name in COLUMNS[1:])] for each in plays
        )
        connection.executemany(_INSERT, values)
        found = connection.execute("SELECT key, max(seq) FROM plays WHERE number = 1 GROUP BY key")
        for key, seq in found.fetchall():
            note_number(connection, key, seq)
        connection.execute("COMMIT")
    return path


def waiting(path: Path, plays: int, *, screens: int = 1) -> Path:
    """An outbox in which so many plays wait."""
    return fill(path, (row(n + 1, screens=screens) for n in range(plays)))


def query(path: Path, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Ask the file itself; what the statement changes is changed."""
    with closing(sqlite3.connect(path)) as connection, connection:
        return connection.execute(statement, values).fetchall()


def states(path: Path) -> dict[State, int]:
    """How many rows there are, by their states."""
    found = query(path, "SELECT state, count(*) FROM plays GROUP BY state")
    return {State(state): count for state, count in found}


def rows(path: Path) -> list[Row]:
    """All that stands in it, sound or not."""
    return [row_from(values) for values in query(path, _ROWS)]


def all_sound(path: Path) -> bool:
    """Whether each row is what was written."""
    return all(each.is_sound for each in rows(path))


def damage(path: Path, number: int) -> None:
    """Turn a bit in the event of a row, as a failing disk does."""
    (body,) = query(path, "SELECT body FROM plays WHERE id = ?", (number,))[0]
    flipped = body[:-3] + bytes([body[-3] ^ 1]) + body[-2:]
    query(path, "UPDATE plays SET body = ? WHERE id = ?", (flipped, number))
