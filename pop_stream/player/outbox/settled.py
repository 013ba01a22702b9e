"""Numbers whose plays are kept no more, since the broker has them or was told that they are lost.

Without this, a salvage would take every play that was ever delivered for one that is missing.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from pop_stream.player.outbox.schema import DamagedError, seal_of_values

#: First and last number, both included.
Span: TypeAlias = tuple[int, int]
#: Of each screen, by its key; in their order, and none touches another.
Spans: TypeAlias = Mapping[str, Sequence[Span]]


def joined(spans: Iterable[Span]) -> list[Span]:
    """The same numbers in as few spans as can be."""
    whole: list[Span] = []
    for first, last in sorted(spans):
        if whole and first <= whole[-1][1] + 1:
            whole[-1] = (whole[-1][0], max(whole[-1][1], last))
        else:
            whole.append((first, last))
    return whole


def settled(connection: sqlite3.Connection) -> dict[str, list[Span]]:
    """All that is settled. Raises DamagedError and sqlite3.Error."""
    found: dict[str, list[Span]] = {}
    for key, first, last, seal in connection.execute(
        "SELECT key, first, last, seal FROM settled ORDER BY key, first"
    ):
        if seal != seal_of_values(key, first, last):
            raise DamagedError("what is settled is not what was written")
        found.setdefault(key, []).append((first, last))
    return found


def settle(connection: sqlite3.Connection, more: Spans) -> None:
    """Add numbers of some screens."""
    known = settled(connection)
    for key, spans in more.items():
        whole = joined([*known.get(key, ()), *spans])
        connection.execute("DELETE FROM settled WHERE key = ?", (key,))
        connection.executemany(
            "INSERT INTO settled VALUES (?, ?, ?, ?)",
            [(key, *span, seal_of_values(key, *span)) for span in whole],
        )
