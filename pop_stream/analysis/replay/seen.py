"""Which events were met already, by id and value: kept in a temporary file, for there may be many.

A player that uses one id for two plays has made two events, however wrong that is.
"""

import sqlite3
from hashlib import blake2b
from typing import Final, Self

from pop_stream.analysis.event_view import EventView

_TABLE: Final = """
PRAGMA cache_size = -49152;
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TABLE seen (id BLOB PRIMARY KEY) WITHOUT ROWID;
BEGIN;
"""


class Seen:
    """A set of events that only grows. Use it as a context manager."""

    def __init__(self) -> None:
        self._kept = sqlite3.connect("", isolation_level=None)
        self._kept.executescript(_TABLE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._kept.close()

    def is_new(self, event: EventView) -> bool:
        """Note an event; whether it was not met before."""
        mark = blake2b(event.pop_id.encode() + (event.value or b"\0"), digest_size=16).digest()
        added = self._kept.execute("INSERT OR IGNORE INTO seen VALUES (?)", (mark,))
        return added.rowcount == 1
