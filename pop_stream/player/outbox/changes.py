"""What is written to an outbox: the start of a play, and its end."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import orjson

from pop_stream.player.outbox import losses
from pop_stream.player.outbox.losses import Loss
from pop_stream.player.outbox.room import insert
from pop_stream.player.outbox.row import Row, State, seal_of

INTERRUPTED: Final = "pop-interrupted"
_NUMBERED: Final = (
    "INSERT INTO screens VALUES (?, ?) ON CONFLICT(key) DO UPDATE SET seq = max(seq, excluded.seq)"
)
_CLOSE: Final = (
    "UPDATE plays SET state = ?, seal = ?, ended = ?, lasted = ?, clock = ?, body = ?, extra = ? "
    "WHERE id = ? AND pop_id = ? AND state = 0"
)


@dataclass(slots=True)
class Started:
    """A play that has begun. Holds what the writer has made of it."""

    #: Without number, id and seal, which it gets when it is written.
    row: Row
    headers: dict[str, str]
    #: Gives the next number of a screen.
    next_number: Callable[[str], int]
    #: Takes what the play has to tell of plays before it that are lost.
    take_losses: Callable[[sqlite3.Connection, str], list[Loss]]
    #: Whether it stands in the file.
    is_written: bool = False
    #: Whether it is known that it never will.
    is_lost: bool = False
    #: Its number, once it has one: it keeps that, even when it cannot be written.
    number: int = 0

    def apply(self, connection: sqlite3.Connection) -> None:
        """Insert it."""
        key = self.row.key
        self.number = self.number or self.next_number(key)
        told = self.take_losses(connection, key)
        headers = self.headers | ({losses.HEADER: losses.as_header(told)} if told else {})
        row = replace(self.row, id=0, seq=self.number,
                      extra=orjson.dumps(headers) if headers else None)  # fmt: skip
        row = replace(row, seal=seal_of(row))
        self.row = replace(row, id=insert(connection, row))
        connection.execute(_NUMBERED, (key, self.number))


@dataclass(slots=True)
class Ended:
    """A play that is over."""

    started: Started
    ended: int
    #: None: not known, since it was cut off.
    lasted: int | None
    clock: str
    body: bytes
    is_interrupted: bool = False

    def apply(self, connection: sqlite3.Connection) -> None:
        """Close it, and let it be sent; where the file has it no more, write it anew."""
        if self.started.is_lost:
            return
        before = self.started.row
        after = self._closed(before)
        done = connection.execute(
            _CLOSE,
            (after.state, after.seal, after.ended, after.lasted, after.clock, after.body,
             after.extra, after.id, after.pop_id),
        )  # fmt: skip
        if not done.rowcount and not _has(connection, after):
            self.started.apply(connection)
            self.apply(connection)

    def _closed(self, row: Row) -> Row:
        extra = row.extra
        if self.is_interrupted:
            extra = orjson.dumps((orjson.loads(extra) if extra else {}) | {INTERRUPTED: "true"})
        after = replace(row, state=State.READY, ended=self.ended, lasted=self.lasted,
                        clock=self.clock, body=self.body, extra=extra)  # fmt: skip
        return replace(after, seal=seal_of(after))


def _has(connection: sqlite3.Connection, row: Row) -> bool:
    """Whether the play is there under this id in another state: it was closed already."""
    found = connection.execute(
        "SELECT 1 FROM plays WHERE id = ? AND pop_id = ? AND state != ?",
        (row.id, row.pop_id, State.OPEN),
    )
    return found.fetchone() is not None
