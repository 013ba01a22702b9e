"""Finds out which plays are missing in an outbox that was damaged, or cut off."""

import sqlite3
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Final

from pop_stream.player.outbox import losses
from pop_stream.player.outbox.losses import Loss
from pop_stream.player.outbox.marks import Marks
from pop_stream.player.outbox.packing import unpacked
from pop_stream.player.outbox.row import COLUMNS, Row, row_from
from pop_stream.player.outbox.settled import Span, settled
from pop_stream.pop.loss import Reason

_NOTE: Final = "INSERT INTO accounted VALUES (?, ?, ?)"
_ROWS: Final = f"SELECT {', '.join(COLUMNS)} FROM plays"  # noqa: S608 - our own names


def cut_off(numbers: Mapping[str, int], marks: Marks, boot: bytes) -> list[Loss]:
    """What the marks know of and the outbox does not: `numbers` are its highest, by screen."""
    return [
        Loss(key=key, boot=boot, reason=Reason.CUT_OFF, first=numbers.get(key, 0) + 1, last=last)
        for key, last in marks.highest.items()
        if last > numbers.get(key, 0)
    ]


def account(connection: sqlite3.Connection, boot: bytes) -> tuple[dict[str, int], list[Loss]]:
    """The highest number of each screen, and the numbers below it of which nothing is known.

    Known are those that are there, those that are settled, and those whose loss was declared.
    """
    # A table of its own, as there may be millions.
    connection.execute("CREATE TEMP TABLE accounted(key TEXT, first INTEGER, last INTEGER)")
    try:
        _account_for(connection)
        found = connection.execute("SELECT key, first, last FROM accounted ORDER BY key, first")
        highest: dict[str, int] = {}
        missing: list[Loss] = []
        for key, spans in groupby(found, key=lambda span: span[0]):
            highest[key] = 0
            for _, first, last in spans:
                if first > highest[key] + 1:
                    missing.append(Loss(key=key, boot=boot, reason=Reason.DAMAGED,
                                        first=highest[key] + 1, last=first - 1))  # fmt: skip
                highest[key] = max(last, highest[key])
        return highest, missing
    finally:
        connection.execute("DROP TABLE accounted")


def _account_for(connection: sqlite3.Connection) -> None:
    connection.execute(
        "INSERT INTO accounted SELECT key, seq, seq FROM plays WHERE number = 1 AND extra IS NULL"
    )
    for values in connection.execute(f"{_ROWS} WHERE number > 1 OR extra IS NOT NULL"):
        connection.executemany(_NOTE, numbers_of(row_from(values)))
    connection.executemany(_NOTE, [(x.key, x.first, x.last) for x in losses.waiting(connection)])
    for key, spans in settled(connection).items():
        connection.executemany(_NOTE, [(key, *span) for span in spans])


def numbers_of(row: Row) -> Iterator[tuple[str, int, int]]:
    """What a row accounts for: its plays, and those that they say are lost."""
    for play in unpacked(row):
        spans: list[Span] = [(play.seq, play.seq), *losses.told_by(play.extra)]
        for first, last in spans:
            yield play.key, first, last
