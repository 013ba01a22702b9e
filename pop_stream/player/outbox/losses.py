"""Declared losses: plays that could not be kept, told of instead of passed over.

A loss waits in the outbox until the next play of its screen, and goes to Kafka as a header of that.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Final

import orjson

from pop_stream.player.outbox.schema import DamagedError, seal_of_values
from pop_stream.player.outbox.settled import Span
from pop_stream.pop.loss import HEADER, Reason

#: In one header; more wait for the next play.
AT_ONCE: Final = 4
_COLUMNS: Final = "key, boot, reason, first, last, plays, since, until, seal"


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

    def is_followed_by(self, later: "Loss") -> bool:
        """Whether the two are one."""
        return (self.key, self.boot, self.reason, self.last + 1) == (
            later.key, later.boot, later.reason, later.first,
        )  # fmt: skip

    def as_object(self) -> dict[str, object]:
        """For a program."""
        return asdict(self) | {"boot": self.boot.hex(), "plays": self.plays}


def as_header(losses: Sequence[Loss]) -> str:
    """The value of the header: a list of JSON objects."""
    told = [each.as_object() for each in losses]
    for each in told:
        del each["key"]
    return orjson.dumps(told).decode()


def told_by(extra: bytes | None) -> list[Span]:
    """The numbers of which a play's headers say that they are lost."""
    if not extra or HEADER.encode() not in extra:
        return []
    told = orjson.loads(orjson.loads(extra).get(HEADER, "[]"))
    return [(each["first"], each["last"]) for each in told]


def note(connection: sqlite3.Connection, losses: Sequence[Loss]) -> None:
    """Write losses down; they wait for the next play of their screens."""
    connection.executemany(
        f"INSERT INTO losses({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
        [(*_values(each), seal_of_values(*_values(each))) for each in losses],
    )


def waiting(connection: sqlite3.Connection) -> list[Loss]:
    """All that nobody has been told of yet. Raises DamagedError and sqlite3.Error."""
    found = connection.execute(f"SELECT {_COLUMNS} FROM losses ORDER BY id")  # noqa: S608
    return [_loss(values) for values in found]


def forget(connection: sqlite3.Connection, told: Sequence[Loss]) -> None:
    """Take losses out, by where they begin."""
    connection.executemany(
        "DELETE FROM losses WHERE key = ? AND boot = ? AND first = ?",
        [(each.key, each.boot, each.first) for each in told],
    )


def _values(loss: Loss) -> tuple[object, ...]:
    return (loss.key, loss.boot, str(loss.reason), loss.first, loss.last, loss.plays, loss.since,
            loss.until)  # fmt: skip


def _loss(values: tuple[object, ...]) -> Loss:
    if values[-1] != seal_of_values(*values[:-1]):
        raise DamagedError("a declared loss is not what was written")
    told = dict(zip(_COLUMNS.split(", "), values, strict=True))
    del told["plays"], told["seal"]
    return Loss(**(told | {"reason": Reason(str(told["reason"]))}))  # type: ignore[arg-type]
