"""Which plays are being sent: taken from the outbox, and given back with what became of them."""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import orjson

from pop_stream.player.outbox.file import OutboxFile
from pop_stream.player.outbox.packing import packed, unpacked
from pop_stream.player.outbox.room import insert, moved
from pop_stream.player.outbox.row import COLUMNS, Row, State, seal_of, sound_row
from pop_stream.player.outbox.schema import DamagedError
from pop_stream.player.sending.pace import fresh_share
from pop_stream.player.sending.record import ASIDE_REASON

_COLUMNS: Final = ", ".join(COLUMNS)
#: By the index of what is unfinished: behind ten million delivered plays, too.
_WAITING: Final = (
    f"SELECT {_COLUMNS} FROM plays INDEXED BY unfinished "  # noqa: S608 - our own names
    f"WHERE state < 3 AND state = {State.READY:d}"
)
_OLDEST: Final = f"{_WAITING} ORDER BY id LIMIT ?"
_FRESHEST: Final = f"{_WAITING} AND id > ? ORDER BY id DESC LIMIT ?"
#: Where no more than this wait, they are soon gone: each screen's are sent in their order then.
_LONG_BACKLOG: Final = 1000
_IS_LONG: Final = (
    f"SELECT 1 FROM plays INDEXED BY unfinished WHERE state < 3 AND state = {State.READY:d} "  # noqa: S608
    f"LIMIT 1 OFFSET {_LONG_BACKLOG:d}"
)
#: With its pop-id: another file may have come, with another play under this number.
_THIS: Final = "WHERE id = ? AND pop_id = ? AND state ="
_LEASE: Final = (
    f"UPDATE plays SET {moved(State.READY, State.LEASED)} "  # noqa: S608
    f"{_THIS} {State.READY:d} AND seal = ?"
)
_RELEASE: Final = f"UPDATE plays SET {moved(State.LEASED, State.READY)} {_THIS} {State.LEASED:d}"  # noqa: S608
_RESET: Final = (
    f"UPDATE plays SET {moved(State.LEASED, State.READY)} "  # noqa: S608
    f"WHERE state < 3 AND state = {State.LEASED:d}"
)
#: From both: whoever mended the file has made what was leased ready again.
_CONFIRM: Final = tuple(
    f"UPDATE plays SET {moved(before, State.ACKED)}, acked = ? {_THIS} {before:d}"  # noqa: S608
    for before in (State.LEASED, State.READY)
)
_TAKE_OUT: Final = "DELETE FROM plays WHERE id = ? AND pop_id = ? AND state IN (1, 2)"
_COUNT_READY: Final = (
    "SELECT count(*) FROM plays INDEXED BY unfinished WHERE state < 3 AND state > 0 AND id <= ?"
)
_COUNT_ASIDE: Final = "SELECT count(*) FROM plays INDEXED BY aside WHERE state = 4"
_TRIES: Final = 5
_REASON_LETTERS: Final = 512
#: Of the events, in one lot; one that is larger comes alone.
_LOT_BYTES: Final = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Waiting:
    """What an outbox holds that is not delivered."""

    #: Rows that wait to be sent, or are being sent.
    ready: int
    aside: int


class _ChangedMeanwhileError(Exception):
    """Rows are not any more what they were when they were read."""


class Leases:
    """The plays of one outbox that one process sends.

    Each method is one short transaction, for plays are written down meanwhile. All raise
    sqlite3.Error and OSError: a DamagedError where a row is not what was written.
    """

    def __init__(self, file: OutboxFile) -> None:
        self._file = file
        #: Rows that were taken and not given back, by their number.
        self._taken: dict[int, Row] = {}
        #: Plays taken in all.
        self._plays = 0
        self._generation = file.generation

    @property
    def taken(self) -> int:
        """Rows that are being sent."""
        return len(self._taken)

    def reset(self) -> int:
        """Give back what an earlier sender had taken when it died; gives how many rows that was."""
        with self._file.transaction() as connection:
            return connection.execute(_RESET).rowcount

    def newest(self) -> int:
        """The number of the row that was begun last; those after it came later."""
        found = self._file.connection.execute("SELECT max(id) FROM plays").fetchone()
        return int(found[0] or 0)

    def take(self, plays: int, until: int | None = None) -> list[Row]:
        """Take about so many plays: the oldest, and in a long backlog a fresh one for four of them.

        Gives none when none wait, or only such as were begun after the row `until`; or when the
        file was mended while others are being sent, which must be given back first.
        """
        for _ in range(_TRIES):
            rows = self._read(plays)
            if not rows and self._is_another_file():
                continue
            if not rows or (until is not None and rows[0].id > until):
                return []
            try:
                if not self._lease(rows):
                    return []
            except _ChangedMeanwhileError:
                continue
            self._taken |= {row.id: row for row in rows}
            self._plays += sum(row.number for row in rows)
            return rows
        return []

    def acked(self, rows: Iterable[Row], at_ms: int) -> int:
        """The broker has confirmed them; gives how many of them the file still had.

        One that it has not, since it was mended meanwhile and they got other numbers, is sent
        again under its old pop-id.
        """
        rows = list(rows)
        with self._file.transaction() as connection:
            found = _confirm(connection, rows, at_ms)
        self._forget(rows)
        return found

    def release(self, rows: Iterable[Row]) -> None:
        """They were not sent, or nobody knows whether they were: they wait again."""
        rows = list(rows)
        with self._file.transaction() as connection:
            connection.executemany(_RELEASE, [(row.id, row.pop_id) for row in rows])
        self._forget(rows)

    def aside(self, row: Row, refused: Sequence[Row], why: str, at_ms: int) -> None:
        """Set plays of a row aside that the broker refuses for what they are.

        The others of the row, if it is a pack, are confirmed.
        """
        ids = {each.pop_id for each in refused}
        new = [_set_aside(each, why) for each in refused] or [_set_aside(row, why)]
        if refused and (others := [each for each in unpacked(row) if each.pop_id not in ids]):
            new.insert(0, _pack_of_confirmed(others, row, at_ms))
        new[0] = replace(new[0], id=row.id)
        with self._file.transaction() as connection:
            if connection.execute(_TAKE_OUT, (row.id, row.pop_id)).rowcount:
                for each in new:
                    insert(connection, each)
        self._forget([row])

    def waiting(self, until: int | None = None) -> Waiting:
        """Count what is set aside, and what waits and was begun no later than the row `until`.

        Without a turn: of millions that takes a while.
        """
        last = (1 << 62) if until is None else until
        (ready,) = self._file.connection.execute(_COUNT_READY, (last,)).fetchone()
        (aside,) = self._file.connection.execute(_COUNT_ASIDE).fetchone()
        return Waiting(ready, aside)

    def _read(self, plays: int) -> list[Row]:
        """What would be taken. Without a transaction: the seals take longer than all the rest."""
        connection = self._file.connection
        is_long = connection.execute(_IS_LONG).fetchone() is not None
        fresh = fresh_share(self._plays, plays) if is_long else 0
        oldest = connection.execute(_OLDEST, (plays - fresh,))
        rows = _sound(oldest, plays - fresh)
        if fresh:
            after = rows[-1].id if rows else 0
            rows += reversed(_sound(connection.execute(_FRESHEST, (after, fresh)), fresh))
        return rows

    def _is_another_file(self) -> bool:
        before = self._file.generation
        with self._file.transaction():
            return self._file.generation != before

    def _lease(self, rows: Sequence[Row]) -> bool:
        with self._file.transaction() as connection:
            if self._file.generation != self._generation:
                if self._taken:
                    # It has them as ready: they would be sent twice.
                    return False
                self._generation = self._file.generation
            done = connection.executemany(
                _LEASE, [(row.id, row.pop_id, row.seal) for row in rows]
            ).rowcount
            if done != len(rows):
                raise _ChangedMeanwhileError
        return True

    def _forget(self, rows: Iterable[Row]) -> None:
        for row in rows:
            self._taken.pop(row.id, None)


def _sound(found: Iterable[Any], plays: int) -> list[Row]:
    """The first of them, for so many plays; fewer where they are large."""
    rows: list[Row] = []
    size = 0
    for values in found:
        row = sound_row(values)
        if row is None:
            raise DamagedError(f"row {values[0]} is not what was written")
        rows.append(row)
        plays -= row.number
        size += len(row.body)
        if plays <= 0 or size >= _LOT_BYTES:
            break
    return rows


def _confirm(connection: sqlite3.Connection, rows: Sequence[Row], at_ms: int) -> int:
    found = 0
    for statement in _CONFIRM:
        if found < len(rows):
            values = [(at_ms, row.id, row.pop_id) for row in rows]
            found += connection.executemany(statement, values).rowcount
    return found


def _pack_of_confirmed(rows: Sequence[Row], pack: Row, at_ms: int) -> Row:
    others = packed(rows, pop_id=pack.pop_id)
    others = replace(others, state=State.ACKED, acked=at_ms)
    return replace(others, seal=seal_of(others))


def _set_aside(row: Row, why: str) -> Row:
    told = orjson.loads(row.extra) if row.extra else {}
    if not isinstance(told, dict):
        told = {"further": told}
    extra = orjson.dumps(told | {ASIDE_REASON: why[:_REASON_LETTERS]})
    aside = replace(row, id=0, state=State.ASIDE, extra=extra)
    return replace(aside, seal=seal_of(aside))
