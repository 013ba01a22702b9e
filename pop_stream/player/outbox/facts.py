"""What an outbox knows beside its plays: the last number of each screen, and single facts.

Each has a seal, as plays do: a number that a disk has turned into another would be given again.
"""

import sqlite3
from collections.abc import Mapping
from typing import Final

from pop_stream.player.outbox.schema import DamagedError, seal_of_values

#: When the player lived last, in epoch milliseconds.
HEARTBEAT: Final = "heartbeat"
#: How large the player lets it become, in bytes: what it says, and what it keeps.
SOFT_LIMIT: Final = "soft limit"
HARD_LIMIT: Final = "hard limit"
#: The file comes from a salvage, and what is missing in it was not declared yet.
MENDED: Final = "mended"

_NUMBERED: Final = (
    "INSERT INTO screens VALUES (?, ?, ?) ON CONFLICT(key) DO UPDATE "
    "SET seq = excluded.seq, seal = excluded.seal WHERE excluded.seq > seq"
)


def note_number(connection: sqlite3.Connection, key: str, seq: int) -> None:
    """Note the number of a screen's play, unless a higher one is known."""
    connection.execute(_NUMBERED, (key, seq, seal_of_values(key, seq)))


def numbers(connection: sqlite3.Connection) -> dict[str, int]:
    """The highest number of each screen. Raises DamagedError and sqlite3.Error."""
    found = connection.execute("SELECT key, seq, seal FROM screens").fetchall()
    return {key: seq for key, seq, seal in found if _is_sound(seal, key, seq)}


def note_fact(connection: sqlite3.Connection, name: str, value: int) -> None:
    """Note a fact, in the place of what was known."""
    connection.execute(
        "INSERT OR REPLACE INTO facts VALUES (?, ?, ?)", (name, value, seal_of_values(name, value))
    )


def forget_fact(connection: sqlite3.Connection, name: str) -> None:
    """Know it no more."""
    connection.execute("DELETE FROM facts WHERE name = ?", (name,))


def facts(connection: sqlite3.Connection) -> Mapping[str, int]:
    """All facts. Raises DamagedError and sqlite3.Error."""
    found = connection.execute("SELECT name, value, seal FROM facts").fetchall()
    return {name: value for name, value, seal in found if _is_sound(seal, name, value)}


def _is_sound(seal: object, *values: object) -> bool:
    if seal != seal_of_values(*values):
        raise DamagedError("a fact of the outbox is not what was written")
    return True
