"""Declared losses: plays that could not be kept, told of instead of passed over.

A loss waits in the outbox until the next play of its screen, and goes to Kafka as a header of that.
"""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Final

import orjson

from pop_stream.player.outbox.marks import Marks
from pop_stream.player.outbox.packing import unpacked
from pop_stream.player.outbox.row import COLUMNS, row_from

HEADER: Final = "pop-lost"
#: In one header; more wait for the next play.
AT_ONCE: Final = 4


class Reason(StrEnum):
    """Why plays are missing."""

    #: There was no room to write them down.
    FULL = "outbox-full"
    #: The disk, or the file system, took no writing.
    FAILED = "write-failed"
    #: The file was damaged, and these could not be read any more.
    DAMAGED = "outbox-damaged"
    #: The end of the file is missing, or all of it.
    CUT_OFF = "outbox-cut-off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """Numbers of one screen, from `first` to `last`, both included.

    After a damage it says what is not here any more: some may have been delivered before.
    """

    key: str
    boot: bytes
    reason: Reason
    first: int
    last: int
    #: When they were played, in epoch milliseconds; None where that is not known any more.
    since: int | None = None
    until: int | None = None

    @property
    def plays(self) -> int:
        """How many they are."""
        return self.last - self.first + 1

    def joined(self, later: "Loss") -> "Loss":
        """With one that follows it."""
        return replace(self, last=later.last, until=later.until)

    def as_object(self) -> dict[str, object]:
        """For a program."""
        return asdict(self) | {"boot": self.boot.hex(), "plays": self.plays}


def as_header(losses: Sequence[Loss]) -> str:
    """The value of the header: a list of JSON objects."""
    told = [each.as_object() for each in losses]
    for each in told:
        del each["key"]
    return orjson.dumps(told).decode()


def note(connection: sqlite3.Connection, losses: Sequence[Loss]) -> None:
    """Write losses down; they wait for the next play of their screens."""
    connection.executemany(
        "INSERT INTO losses(key, boot, reason, first, last, plays, since, until) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [(x.key, x.boot, x.reason, x.first, x.last, x.plays, x.since, x.until) for x in losses],
    )


def waiting(connection: sqlite3.Connection) -> list[Loss]:
    """All that nobody has been told of yet."""
    found = connection.execute(
        "SELECT key, boot, reason, first, last, since, until FROM losses ORDER BY id"
    )
    return [_loss(values) for values in found]


def forget(connection: sqlite3.Connection, told: Sequence[Loss]) -> None:
    """Take out what is told by the play that is being written."""
    connection.executemany(
        "DELETE FROM losses WHERE key = ? AND boot = ? AND first = ?",
        [(each.key, each.boot, each.first) for each in told],
    )


def _loss(values: tuple[object, ...]) -> Loss:
    names = ("key", "boot", "reason", "first", "last", "since", "until")
    told = dict(zip(names, values, strict=True))
    return Loss(**(told | {"reason": Reason(str(told["reason"]))}))  # type: ignore[arg-type]


def cut_off(numbers: Mapping[str, int], marks: Marks, boot: bytes) -> list[Loss]:
    """What the marks know of and the outbox does not: `numbers` are its highest, by screen."""
    return [
        Loss(key=key, boot=boot, reason=Reason.CUT_OFF, first=numbers.get(key, 0) + 1, last=last)
        for key, last in marks.highest.items()
        if last > numbers.get(key, 0)
    ]


def holes(connection: sqlite3.Connection, marks: Marks, boot: bytes) -> Iterator[Loss]:
    """The numbers that are missing among the rows, up to the highest of each screen."""
    connection.execute("CREATE TEMP TABLE present(key TEXT, seq INTEGER)")
    connection.execute("INSERT INTO present SELECT key, seq FROM plays WHERE number = 1")
    columns = ", ".join(COLUMNS)
    for values in connection.execute(f"SELECT {columns} FROM plays WHERE number > 1"):  # noqa: S608
        inside = [(each.key, each.seq) for each in unpacked(row_from(values))]
        connection.executemany("INSERT INTO present VALUES (?, ?)", inside)
    before: dict[str, int] = {}
    try:
        for key, seq in connection.execute("SELECT key, seq FROM present ORDER BY key, seq"):
            last = before.get(key, marks.kept_from.get(key, 1) - 1)
            if seq > last + 1:
                yield Loss(key=key, boot=boot, reason=Reason.DAMAGED, first=last + 1, last=seq - 1)
            before[key] = max(seq, last)
    finally:
        connection.execute("DROP TABLE present")
