"""Outboxes for tests: plays written down, files damaged, and the account of what became of each."""

import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pop_stream.player import Clock, Outbox
from pop_stream.player.outbox import losses
from pop_stream.player.outbox.clock import Sync
from pop_stream.player.outbox.facts import numbers
from pop_stream.player.outbox.packing import unpacked
from pop_stream.player.outbox.room import moved
from pop_stream.player.outbox.row import COLUMNS, Row, State, row_from

EVENT = {"filename": "spot.webm", "assetId": "5942", "siteId": "1", "screenState": "Full"}
ZONE = "America/Chicago"
_PLAYS = f"SELECT {', '.join(COLUMNS)} FROM plays ORDER BY id"  # noqa: S608 - our own names
_WAITING = _PLAYS.replace("ORDER", "WHERE state = ? ORDER") + " LIMIT ?"
#: Screen and number of a play.
Number = tuple[str, int]


class HandClock:
    """A clock that a test sets."""

    def __init__(self, wall_ms: int = 1_790_000_000_000) -> None:
        self.wall_ms = wall_ms
        self.steady_ms = 0

    def pass_by(self, seconds: float) -> None:
        """Let time go by, on both clocks."""
        self.wall_ms += round(seconds * 1000)
        self.steady_ms += round(seconds * 1000)

    @property
    def clock(self) -> Clock:
        """The clock, for an outbox."""
        return Clock(
            wall_ms=lambda: self.wall_ms, steady_ms=lambda: self.steady_ms, sync=lambda: Sync.SYNCED
        )


@dataclass(frozen=True)
class Account:
    """What an outbox knows of plays."""

    rows: list[Row]
    #: Declared lost, and told by no play yet.
    waiting: set[Number]
    #: Of which a play that is there says that they are lost.
    told: set[Number]
    numbers: dict[str, int]

    @property
    def stored(self) -> set[Number]:
        """The plays that are there."""
        return {(row.key, row.seq) for row in self.rows}

    @property
    def lost(self) -> set[Number]:
        """The plays that are declared lost."""
        return self.waiting | self.told

    def row(self, key: str, seq: int) -> Row:
        """A play of this number; there must be one."""
        (found,) = [row for row in self.rows if (row.key, row.seq) == (key, seq)]
        return found

    def require(self, produced: Iterable[Number]) -> None:
        """What was produced is stored or declared lost, each but once; all rows are sound."""
        missing = set(produced) - self.stored - self.lost
        assert not missing, f"neither stored nor declared: {sorted(missing)}"
        assert all(row.is_sound for row in self.rows)
        assert len({row.pop_id for row in self.rows}) == len(self.rows)


def outbox_at(path: Path, **options: object) -> Outbox:
    """An outbox whose heartbeat comes only at its start."""
    return Outbox(path, **({"zone": ZONE, "heartbeat_seconds": 1000.0} | options))


def event_of(screen: str, **more: object) -> dict[str, object]:
    """An event of a screen of site 1."""
    return EVENT | {"screenId": screen} | more


def record(outbox: Outbox, number: int, *, screens: int = 2, open_one: int = -1) -> None:
    """Write plays down, in turn on some screens; one of them is left open."""
    for n in range(number):
        play = outbox.start(event_of(str(n % screens)))
        if n != open_one:
            play.end()


def numbers_of_plays(number: int, *, screens: int = 2) -> set[Number]:
    """What `record` produces in a new outbox."""
    return {(f"1/{n % screens}", n // screens + 1) for n in range(number)}


def account_of(path: Path) -> Account:
    """Read the file of an outbox that nobody records into."""
    connection = sqlite3.connect(path)
    try:
        return account_in(connection)
    finally:
        connection.close()


def account_in(connection: sqlite3.Connection) -> Account:
    """As `account_of`, by a connection to it."""
    found = connection.execute(_PLAYS).fetchall()
    rows = [play for values in found for play in _plays_of(row_from(values))]
    told = {(row.key, n) for row in rows for span in losses.told_by(row.extra) for n in _in(*span)}
    waiting = {
        (loss.key, n) for loss in losses.waiting(connection) for n in _in(loss.first, loss.last)
    }
    return Account(rows, waiting, told, numbers(connection))


def mended_account(path: Path, **options: object) -> Account:
    """Open an outbox and close it, as a player that starts; then read it."""
    outbox_at(path, **options).close()
    return account_of(path)


def copy_of(outbox: Path, folder: Path) -> Path:
    """The files of an outbox as they stand now, as if the power were cut, in a new folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for file in outbox.parent.iterdir():
        # The others are locks, or made anew by SQLite.
        if not file.name.endswith(("-shm", ".recording", ".sending", ".turn")):
            shutil.copyfile(file, folder / file.name)
    return folder / outbox.name


def log_of(outbox: Path) -> Path:
    """The write-ahead log of an outbox."""
    return outbox.with_name(f"{outbox.name}-wal")


def set_state(outbox: Path, state: State, ids: Iterable[int], *, acked: int | None = None) -> None:
    """Bring plays to another state, as the sender does."""
    connection = sqlite3.connect(outbox, isolation_level=None)
    try:
        for id_ in ids:
            found = connection.execute("SELECT state FROM plays WHERE id = ?", (id_,)).fetchone()
            move = moved(State(found[0]), state)
            connection.execute(
                f"UPDATE plays SET {move}, acked = ? WHERE id = ?",  # noqa: S608
                (acked, id_),
            )
    finally:
        connection.close()


def ack_oldest(outbox: Path, rows: int) -> set[Number]:
    """Confirm the oldest rows that wait, as the sender does; gives the plays in them."""
    connection = sqlite3.connect(outbox)
    found = connection.execute(_WAITING, (State.READY, rows)).fetchall()
    connection.close()
    oldest = [row_from(values) for values in found]
    set_state(outbox, State.ACKED, [row.id for row in oldest], acked=1)
    return {(play.key, play.seq) for row in oldest for play in unpacked(row)}


def _plays_of(row: Row) -> Iterator[Row]:
    assert row.is_sound, row
    yield from unpacked(row)


def _in(first: int, last: int) -> range:
    return range(first, last + 1)
