"""How it stands with each parked event: whether it waits still, and if not, why.

An event that is sent back and fails again is parked anew: its later record counts. It is kept in a
temporary file, with a bounded part in memory, for there may be millions.
"""

import sqlite3
from collections.abc import Iterable
from enum import StrEnum
from typing import Final, Self

from pop_stream.analysis.event_view import EventView
from pop_stream.pop.hole import GONE
from pop_stream.pop.identity import parse_pop_id
from pop_stream.pop.redrive import Passed, RedriveSchedule, has_passed
from pop_stream.pop.settlement import is_settled
from pop_stream.pop.trail import TRIMMED, reason_of, redrives_of


class State(StrEnum):
    """How it stands with one record of the failure topic."""

    #: Nobody has done anything about it yet.
    WAITING = "waiting"
    #: A person has settled its event.
    SETTLED = "settled"
    #: It was sent back to the retry topic, and has not come back since.
    SENT_BACK = "sent back"
    #: Its event was parked again later: that record counts.
    PARKED_AGAIN = "parked again"
    #: It waits for somebody, and cannot be sent: it tells of events that are gone, or holds only a
    #: part of one.
    NO_EVENT = "no whole event"


#: The states in which somebody still has to do something.
OPEN: Final = frozenset((State.WAITING, State.NO_EVENT))


_CACHE_KIB: Final = 48 * 1024
_TABLES: Final = f"""
PRAGMA cache_size = -{_CACHE_KIB};
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TABLE parked (id BLOB PRIMARY KEY, stored INTEGER, partition INTEGER, offset INTEGER,
                     redrives INTEGER, passed INTEGER) WITHOUT ROWID;
CREATE TABLE back (id BLOB PRIMARY KEY, stored INTEGER, redrives INTEGER) WITHOUT ROWID;
CREATE TABLE mark (id BLOB PRIMARY KEY, settled INTEGER) WITHOUT ROWID;
BEGIN;
"""
_PARK: Final = """
INSERT INTO parked VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET
    stored = excluded.stored, partition = excluded.partition, offset = excluded.offset,
    redrives = excluded.redrives, passed = excluded.passed
WHERE CASE WHEN excluded.partition = partition THEN excluded.offset > offset
           ELSE excluded.stored > stored END
"""
_SEND_BACK: Final = """
INSERT INTO back VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET
    stored = excluded.stored, redrives = excluded.redrives WHERE excluded.stored >= stored
"""
_MARK: Final = "INSERT OR REPLACE INTO mark VALUES (?, ?)"
#: Sent back later, and once more often: else it is the way by which it came here. A step passes
#: over what is settled; of an event that had a mark, its commit says nothing.
_LOOK: Final = """
SELECT parked.partition, parked.offset, mark.settled,
       (parked.passed AND mark.id IS NULL)
       OR (back.redrives > parked.redrives AND back.stored >= parked.stored)
FROM parked LEFT JOIN mark USING (id) LEFT JOIN back USING (id) WHERE id = ?
"""
_SETTLED: Final = "SELECT settled FROM mark WHERE id = ?"


class Parking:
    """The parked events of one failure topic, as far as it was read. Use as a context manager."""

    def __init__(self, schedule: RedriveSchedule, passed: Passed | None = None) -> None:
        """`passed` is of the steps of the schedule."""
        self._schedule = schedule
        self._passed = dict(passed or {})
        # Without a name: a file that goes with the connection, and is made only when it must be.
        # One transaction that never ends: what is written goes to the disk only when it must.
        self._kept = sqlite3.connect("", isolation_level=None)
        self._kept.executescript(_TABLES)
        #: How many records told of an event that had been sent back and failed again.
        self.came_back = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._kept.close()

    def park(self, events: Iterable[EventView]) -> None:
        """Note records of the failure topic; each partition's in order."""
        rows = []
        for event in events:
            redrives = redrives_of(event.headers)
            self.came_back += redrives > 0
            rows.append((_key(event.pop_id), event.timestamp, event.partition, event.offset,
                         redrives, self._was_passed(event)))  # fmt: skip
        self._kept.executemany(_PARK, rows)

    def sent_back(self, events: Iterable[EventView]) -> None:
        """Note records of the retry topic: those of redrives tell what was sent back."""
        rows = (
            (_key(event.pop_id), event.timestamp, redrives)
            for event in events
            if (redrives := redrives_of(event.headers))
        )
        self._kept.executemany(_SEND_BACK, rows)

    def mark(self, events: Iterable[EventView]) -> None:
        """Note records of the topic of marks."""
        rows = (
            (_key(pop_id), is_settled(event.value))
            for event in events
            if (pop_id := parse_pop_id(event.key))
        )
        self._kept.executemany(_MARK, rows)

    def state_of(self, event: EventView) -> State:
        """How it stands with a record of the failure topic."""
        still = State.WAITING if is_whole(event) else State.NO_EVENT
        found = self._kept.execute(_LOOK, (_key(event.pop_id),)).fetchone()
        if found is None:
            return still
        partition, offset, is_marked, went_back = found
        if (partition, offset) != (event.partition, event.offset):
            return State.PARKED_AGAIN
        if is_marked:
            return State.SETTLED
        return State.SENT_BACK if went_back else still

    def is_settled(self, pop_id: str) -> bool:
        """Whether a person has settled an event."""
        found = self._kept.execute(_SETTLED, (_key(pop_id),)).fetchone()
        return bool(found and found[0])

    def _was_passed(self, event: EventView) -> bool:
        step = self._schedule.step_of(event.headers)
        return has_passed(self._passed, step, event.partition, event.offset)


def is_whole(event: EventView) -> bool:
    """Whether a record of our own topics holds an event, and all of it."""
    return reason_of(event.headers) != GONE and all(name != TRIMMED for name, _ in event.headers)


def _key(pop_id: str) -> bytes:
    return bytes.fromhex(pop_id.replace("-", ""))
