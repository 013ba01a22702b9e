"""The plays of an outbox that Kafka has not confirmed, as they were at one moment."""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from pop_stream.player.carrying.form import Contents
from pop_stream.player.outbox.packing import unpacked
from pop_stream.player.outbox.row import COLUMNS, Row, State, sound_row
from pop_stream.player.sending.record import Record, record_of
from pop_stream.pop.moments import utc

#: What was being sent first: it is the oldest.
STATES: Final = (State.LEASED, State.READY)
_ROWS: Final = (
    f"SELECT {', '.join(COLUMNS)} FROM plays INDEXED BY unfinished "  # noqa: S608 - our own names
    "WHERE state < 3 AND state = ? ORDER BY id"
)
_NAMED_MOST: Final = 100


def waiting_rows(connection: sqlite3.Connection) -> Iterator[Row]:
    """Every sound row that waits, packs as they are. To be asked in a transaction."""
    for state in STATES:
        for values in connection.execute(_ROWS, (state,)):
            row = sound_row(values)
            if row is not None:
                yield row


@dataclass(slots=True)
class Survey:
    """What waits, counted before any of it is written."""

    plays: int = 0
    #: Rows that are not what was written, or of which no record can be made.
    damaged: int = 0
    begins: int | None = None
    ends: int | None = None
    screens: set[str] = field(default_factory=set)
    boots: set[bytes] = field(default_factory=set)

    def contents(self) -> Contents:
        """For the first line."""
        return Contents(
            plays=self.plays,
            screens=sorted(self.screens)[:_NAMED_MOST],
            screen_count=len(self.screens),
            boots=sorted(each.hex() for each in self.boots)[:_NAMED_MOST],
            boot_count=len(self.boots),
            begins=None if self.begins is None else utc(self.begins),
            ends=None if self.ends is None else utc(self.ends),
        )


def survey_of(connection: sqlite3.Connection) -> Survey:
    """Count what waits. To be asked in a transaction."""
    survey = Survey()
    total = 0
    for state in STATES:
        (number,) = connection.execute(
            "SELECT count(*) FROM plays INDEXED BY unfinished WHERE state < 3 AND state = ?",
            (state,),
        ).fetchone()
        total += number
    rows = 0
    for row in waiting_rows(connection):
        plays = plays_of(row)
        rows += plays is not None
        for play, _ in plays or ():
            survey.plays += 1
            survey.screens.add(play.key)
            survey.boots.add(play.boot)
            survey.begins = min(play.started, survey.begins or play.started)
            survey.ends = max(play.ended or play.started, survey.ends or play.started)
    survey.damaged = total - rows
    return survey


def plays_of(row: Row) -> list[tuple[Row, Record]] | None:
    """The plays of a row with their records; None: that cannot be told of one of them."""
    try:
        return [(play, record_of(play)) for play in unpacked(row)]
    except (ValueError, TypeError):
        return None
