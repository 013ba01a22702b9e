"""What is written to an outbox: the start of a play, its end, and that the player lives."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import orjson

from pop_stream.player.outbox import losses
from pop_stream.player.outbox.facts import HEARTBEAT, note_fact, note_number
from pop_stream.player.outbox.losses import Loss
from pop_stream.player.outbox.room import insert
from pop_stream.player.outbox.row import Row, State, seal_of
from pop_stream.pop.loss import HEADER

INTERRUPTED: Final = "pop-interrupted"
_CLOSE: Final = (
    "UPDATE plays SET state = ?, seal = ?, ended = ?, lasted = ?, clock = ?, body = ?, extra = ? "
    "WHERE id = ? AND pop_id = ? AND state = 0"
)
#: By the index: few are open at one moment.
_AMONG_OPEN: Final = "FROM plays WHERE state < 3 AND state = 0 AND pop_id = ?"


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
        if self.number:
            # A commit that failed may have come to the disk all the same, and be salvaged.
            connection.execute(f"DELETE {_AMONG_OPEN}", (self.row.pop_id,))
        self.number = self.number or self.next_number(key)
        told = self.take_losses(connection, key)
        headers = self.headers | ({HEADER: losses.as_header(told)} if told else {})
        row = replace(self.row, id=0, seq=self.number,
                      extra=orjson.dumps(headers) if headers else None)  # fmt: skip
        # To make a row takes as long as to seal one: here as few as can be.
        seal = seal_of(row)
        self.row = replace(row, seal=seal, id=insert(connection, row, seal=seal))
        note_number(connection, key, self.number)


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
        if self.started.is_lost or self._closes(connection):
            return
        found = self._found(connection)
        if found is not None:
            # A salvage has given it another id.
            self.started.row = replace(self.started.row, id=found)
        else:
            self.started.apply(connection)
        self._closes(connection)

    def _closes(self, connection: sqlite3.Connection) -> bool:
        after = self._closed(self.started.row)
        done = connection.execute(
            _CLOSE,
            (after.state, seal_of(after), after.ended, after.lasted, after.clock, after.body,
             after.extra, after.id, after.pop_id),
        )  # fmt: skip
        return done.rowcount > 0 or _was_closed(connection, after)

    def _found(self, connection: sqlite3.Connection) -> int | None:
        found = connection.execute(
            f"SELECT id {_AMONG_OPEN}", (self.started.row.pop_id,)
        ).fetchone()
        return None if found is None else int(found[0])

    def _closed(self, row: Row) -> Row:
        """The row as it is now, but for its seal."""
        extra = row.extra
        if self.is_interrupted:
            extra = orjson.dumps((orjson.loads(extra) if extra else {}) | {INTERRUPTED: "true"})
        return replace(row, state=State.READY, ended=self.ended, lasted=self.lasted,
                       clock=self.clock, body=self.body, extra=extra)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Lived:
    """The note that this process lives."""

    wall_ms: int

    def apply(self, connection: sqlite3.Connection) -> None:
        """Write it."""
        note_fact(connection, HEARTBEAT, self.wall_ms)


def _was_closed(connection: sqlite3.Connection, row: Row) -> bool:
    """Whether the play is there under this id in another state."""
    found = connection.execute(
        "SELECT 1 FROM plays WHERE id = ? AND pop_id = ? AND state != ?",
        (row.id, row.pop_id, State.OPEN),
    )
    return found.fetchone() is not None
