"""How large an outbox may become; its file tells others what its player has set."""

import sqlite3
from dataclasses import dataclass

from pop_stream.player.outbox.facts import HARD_LIMIT, SOFT_LIMIT, facts, note_fact


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How large an outbox may become, in bytes. The log beside it takes up to 8 MiB more."""

    #: From here on it says so.
    soft: int = 512 * 1024 * 1024
    #: Nothing is written beyond.
    hard: int = 1024 * 1024 * 1024


def note_limits(connection: sqlite3.Connection, limits: Limits) -> None:
    """Note what the player has set."""
    note_fact(connection, SOFT_LIMIT, limits.soft)
    note_fact(connection, HARD_LIMIT, limits.hard)


def noted_limits(connection: sqlite3.Connection) -> Limits:
    """What the last player has set; else what all have that set none.

    Raises DamagedError and sqlite3.Error.
    """
    known, usual = facts(connection), Limits()
    return Limits(
        soft=known.get(SOFT_LIMIT, usual.soft),
        hard=known.get(HARD_LIMIT, usual.hard),
    )
