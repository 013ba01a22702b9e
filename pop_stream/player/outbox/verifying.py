"""Says what is wrong with an outbox, each thing by name. Reads only, also while it is used."""

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pop_stream.player.outbox import facts, losses, missing
from pop_stream.player.outbox.holders import recorder_of
from pop_stream.player.outbox.log_check import log_is_damaged
from pop_stream.player.outbox.losses import Loss
from pop_stream.player.outbox.marks import Marks, read_marks
from pop_stream.player.outbox.patrol import look
from pop_stream.player.outbox.reading import reading
from pop_stream.player.outbox.row import State
from pop_stream.player.outbox.schema import ForeignFileError

_AT_ONCE: Final = 1000
#: Of its own findings SQLite tells so many.
_SQLITE_MOST: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that was found."""

    #: log, file, row, pack, hole, marks; open and lost are notes.
    kind: str
    text: str
    #: False: to be known, and nothing is wrong.
    is_bad: bool = True


Told = Callable[[int, int], None]


def findings(path: Path, *, told: Told = lambda _done, _total: None) -> Iterator[Finding]:
    """Everything that can be found. `told` is called with the rows looked at, of how many."""
    marks = read_marks(path)
    if said := log_damage(path):
        yield Finding(kind="log", text=said)
    if not path.exists():
        yield Finding(kind="file", text="it is gone, and its marks tell of plays in it")
        return
    try:
        with reading(path) as connection:
            yield from _tried(_sqlites_own(connection))
            yield from _tried(_rows(connection, told))
            yield from _tried(marks_damage(connection, marks))
            yield from _tried(_holes(connection))
            yield from _tried(_notes(path, connection))
    except (sqlite3.Error, ForeignFileError, UnicodeDecodeError) as error:
        yield Finding(kind="file", text=f"it cannot be read: {error}")


def _tried(some: Iterator[Finding]) -> Iterator[Finding]:
    """What one look finds, up to where the file cannot be read."""
    try:
        yield from some
    except (sqlite3.Error, UnicodeDecodeError) as error:
        yield Finding(kind="file", text=f"it cannot be read: {error}")


def log_damage(path: Path) -> str:
    """What is wrong with the log; empty: nothing."""
    try:
        if not log_is_damaged(path):
            return ""
    except OSError as error:
        return f"its log cannot be read ({error.strerror})"
    # It may have been read in the middle of a writing: once more, when nobody writes.
    try:
        turn = os.open(path.with_name(f"{path.name}.turn"), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return _LOG_DAMAGED
    try:
        fcntl.flock(turn, fcntl.LOCK_SH)
        return _LOG_DAMAGED if log_is_damaged(path) else ""
    finally:
        os.close(turn)


_LOG_DAMAGED: Final = "commits stand in its log behind a place that cannot be read"


def marks_damage(connection: sqlite3.Connection, marks: Marks) -> Iterator[Finding]:
    """Plays that the marks know of, and the file does not: its end is missing.

    The marks must have been read before the connection began to read.
    """
    for loss in missing.cut_off(facts.numbers(connection), marks, b""):
        text = f"its end is missing, and with it {_numbers(loss)} of screen {loss.key}"
        yield Finding(kind="marks", text=text)


def _sqlites_own(connection: sqlite3.Connection) -> Iterator[Finding]:
    for (said,) in connection.execute(f"PRAGMA integrity_check({_SQLITE_MOST:d})"):
        if said != "ok":
            yield Finding(kind="file", text=f"SQLite says: {said}")


def _rows(connection: sqlite3.Connection, told: Told) -> Iterator[Finding]:
    (total,) = connection.execute("SELECT count(*) FROM plays").fetchone()
    done, after = 0, 0
    while True:
        looked = look(connection, after, _AT_ONCE)
        if looked.damaged:
            named = list(_one_by_one(connection, after, looked.rows))
            # The index may know of rows behind the last one that is there.
            yield from named or [
                Finding(kind="row", text=f"rows behind number {after} are gone, of which its index "
                                         "knows")
            ]  # fmt: skip
        done += looked.rows
        told(done, total)
        if not looked.last:
            return
        after = looked.last


def _one_by_one(connection: sqlite3.Connection, after: int, rows: int) -> Iterator[Finding]:
    for _ in range(rows):
        (number,) = connection.execute("SELECT min(id) FROM plays WHERE id > ?",
                                       (after,)).fetchone()  # fmt: skip
        if number is None:
            return
        if look(connection, after, 1).damaged:
            text = f"row {number} is not what was written, or the index hides it"
            yield Finding(kind="row", text=text)
        after = number


def _holes(connection: sqlite3.Connection) -> Iterator[Finding]:
    """Numbers of which nothing is known: neither there, nor delivered, nor declared lost."""
    connection.execute("BEGIN")
    try:
        highest, holes = missing.account(connection, b"")
        behind = missing.cut_off(highest, Marks(highest=facts.numbers(connection)), b"")
    except ValueError as error:
        yield Finding(kind="pack", text=str(error))
        return
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    for each in (*holes, *behind):
        text = f"missing, and not declared lost: {_numbers(each)} of screen {each.key}"
        yield Finding(kind="hole", text=text)


def _notes(path: Path, connection: sqlite3.Connection) -> Iterator[Finding]:
    (plays,) = connection.execute(
        "SELECT count(*) FROM plays INDEXED BY unfinished WHERE state < 3 AND state = ?",
        (State.OPEN,),
    ).fetchone()
    if plays:
        now = "are being shown" if recorder_of(path) else (
            "were cut off: the player's next start ends them, as interrupted"
        )  # fmt: skip
        yield Finding(kind="open", text=f"plays without an end: {plays:,}; they {now}",
                      is_bad=False)  # fmt: skip
    for loss in losses.waiting(connection):
        text = (f"declared lost ({loss.reason}): {_numbers(loss)} of screen {loss.key}; the "
                "screen's next play tells of it")  # fmt: skip
        yield Finding(kind="lost", text=text, is_bad=False)


def _numbers(loss: Loss) -> str:
    return f"play {loss.first}" if loss.plays == 1 else f"plays {loss.first} to {loss.last}"
