"""What receipts say was sent back, beside what topics tell of it: in a temporary file.

There may be many: as with `Parking`, a bounded part of it is in memory.
"""

import sqlite3
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, Self
from uuid import UUID

from pop_stream.analysis.audit.receipts import Receipt
from pop_stream.analysis.audit.whereabouts import Known, Outcome, of_sent, together
from pop_stream.analysis.event_view import EventView

#: So many missing events of a receipt are named.
_MOST_NAMED: Final = 10
_TABLES: Final = """
PRAGMA cache_size = -49152;
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TABLE sent (id BLOB, partition INTEGER, offset INTEGER, receipt INTEGER, since INTEGER,
                   PRIMARY KEY (id, partition, offset, receipt)) WITHOUT ROWID;
CREATE TABLE told (id BLOB, waits INTEGER, parked INTEGER, passed INTEGER, is_kept INTEGER,
                   settled INTEGER, redriven INTEGER,
                   PRIMARY KEY (id, waits, parked, passed, is_kept, settled, redriven))
             WITHOUT ROWID;
BEGIN;
"""
_SEND: Final = "INSERT INTO sent VALUES (?, ?, ?, ?, ?)"
_SENT: Final = "SELECT max(since) FROM sent WHERE id = ? AND partition = ? AND offset = ?"
_TELL: Final = """
INSERT OR IGNORE INTO told SELECT id, ?, ?, ?, ?, ?, ? FROM sent WHERE id = ? LIMIT 1
"""
_ALL_SENT: Final = "SELECT receipt, id, partition, offset FROM sent"
_TOLD: Final = """
SELECT waits, parked, passed, is_kept, settled, redriven FROM told WHERE id = ?
"""


class Sending(NamedTuple):
    """One event that was sent back, and from where on the failure topic."""

    pop_id: str
    partition: int
    offset: int


@dataclass(frozen=True, slots=True)
class ReceiptAccount:
    """Where the events are now that a receipt says were sent back."""

    receipt: Receipt
    #: Each event has one; PARKED: another record of it waits on the failure topic.
    counts: Counter[Outcome] = field(default_factory=Counter)
    #: The first of those that are missing.
    missing: list[Sending] = field(default_factory=list)

    def add(self, sending: Sending, outcome: Outcome) -> None:
        """Count one."""
        self.counts[outcome] += 1
        if outcome is Outcome.MISSING and len(self.missing) < _MOST_NAMED:
            self.missing.append(sending)


class Sendings:
    """What was sent back by receipts. Use it as a context manager."""

    def __init__(self, receipts: Sequence[Receipt]) -> None:
        self._receipts = receipts
        # Without a name: a file that goes with the connection, and is made only when it must be.
        self._kept = sqlite3.connect("", isolation_level=None)
        self._kept.executescript(_TABLES)
        for number, receipt in enumerate(receipts):
            self._kept.executemany(
                _SEND,
                ((_key(each.pop_id), each.partition, each.offset, number, receipt.since_ms)
                 for each in receipt.events()),
            )  # fmt: skip

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._kept.close()

    def since(self, event: EventView) -> int | None:
        """When a record of the failure topic was sent back, or later, in epoch milliseconds.

        None: no receipt says that it was.
        """
        if not self._receipts:
            return None
        found = self._kept.execute(_SENT, (_key(event.pop_id), event.partition, event.offset))
        since: int | None = found.fetchone()[0]
        return since

    def note(self, pop_id: str, known: Known) -> None:
        """Note what a record of the retry or the failure topic tells of an event."""
        if self._receipts:
            self._kept.execute(_TELL, (*known, _key(pop_id)))

    def accounts(self, settled: Collection[str], retry_kept_since: float) -> list[ReceiptAccount]:
        """Where all of them are, once everything is noted.

        `settled` are ids; all records of the retry topic that were stored since
        `retry_kept_since`, in epoch milliseconds, are there.
        """
        accounts = [ReceiptAccount(receipt) for receipt in self._receipts]
        for number, key, partition, offset in self._kept.execute(_ALL_SENT):
            sending = Sending(str(UUID(bytes=key)), partition, offset)
            outcome = of_sent(
                together(Known(*told) for told in self._kept.execute(_TOLD, (key,))),
                settled=sending.pop_id in settled,
                is_kept=self._receipts[number].since_ms >= retry_kept_since,
            )
            accounts[number].add(sending, outcome)
        return accounts


def _key(pop_id: str) -> bytes:
    return bytes.fromhex(pop_id.replace("-", ""))
