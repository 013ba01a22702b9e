"""Who is measured: the outbox, and two queues, each of them set to sync every commit.

A play is written twice: when it begins, and when it is over. The queues have no word for that, so
they are used as a player would have to: what the outbox makes by itself (an id, a number, times)
stands in the message.
"""

import json
import sqlite3
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import litequeue
import persistqueue
from persistqueue.serializers import pickle

from bench.player.plays import ZONE, Facts, Message, fields_of, messages, rows
from pop_stream.player import Outbox
from pop_stream.player.outbox.facts import note_number
from pop_stream.player.outbox.row import COLUMNS
from pop_stream.player.outbox.schema import connect

_FULL: Final = 2
#: No writing of a few plays takes longer.
_PATIENCE_SECONDS: Final = 60.0


class Store(Protocol):
    """An open outbox or queue."""

    def play(self, screen: int) -> None:
        """Write a play down, its start and its end; both are on the disk then."""
        ...

    def connections(self) -> Sequence[sqlite3.Connection]:
        """Those that write."""
        ...

    def close(self) -> None:
        """Close it."""
        ...


class System(Protocol):
    """A kind of them."""

    name: str
    #: The distribution, for its version; and the module, for what importing it takes.
    package: str
    module: str
    #: What stands behind the name in the table.
    what: str

    def open(self, path: Path) -> Store:
        """Open one, and make it where there is none."""
        ...

    def fill(self, path: Path, plays: int) -> None:
        """Put plays that wait into a new one, all at once."""
        ...


def require_durable(store: Store) -> None:
    """Raises RuntimeError for one whose commits a power cut may take back."""
    for connection in store.connections():
        (level,) = connection.execute("PRAGMA synchronous").fetchone()
        (journal,) = connection.execute("PRAGMA journal_mode").fetchone()
        if (level, journal) != (_FULL, "wal"):
            raise RuntimeError(f"synchronous is {level} and the journal {journal}: not comparable")


class OutboxSystem:
    """Ours."""

    name = "outbox"
    package = "pop-stream"
    module = "pop_stream.player"
    what = (
        "`Outbox.start` and `end` of `pop_stream.player`: an open row becomes a ready one, with a "
        "checksum, a number, and all headers"
    )

    def open(self, path: Path) -> "OutboxStore":
        """With a wait that outlasts any disk: `start` and `end` return when it has them."""
        return OutboxStore(Outbox(path, zone=ZONE, wait_seconds=60))

    def fill(self, path: Path, plays: int) -> None:
        """As the outbox itself would have written them."""
        connection = connect(path)
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(
            f"INSERT INTO plays({', '.join(COLUMNS)}) "  # noqa: S608 - our own names
            f"VALUES ({', '.join('?' * len(COLUMNS))})",
            ([getattr(row, name) for name in COLUMNS] for row in rows(plays)),
        )
        highest = "SELECT key, max(seq) FROM plays GROUP BY key"
        for key, seq in connection.execute(highest).fetchall():
            note_number(connection, key, seq)
        connection.execute("COMMIT")
        connection.close()


class _Nothing:
    """A change that changes nothing."""

    def apply(self, connection: sqlite3.Connection) -> None:
        """Does nothing."""


class OutboxStore:
    """An open outbox."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    def play(self, screen: int) -> None:
        """Raises RuntimeError when a play is not on the disk."""
        play = self._outbox.start(fields_of(screen))
        if not play.is_on_disk:
            raise RuntimeError("a play was begun that is not on the disk")
        play.end()

    def connections(self) -> Sequence[sqlite3.Connection]:
        """The writer's, which is at rest: two threads may not use one at a time."""
        # It notes that it lives as soon as it has begun: behind the first writing, at the latest.
        for _ in range(2):
            ticket = self._outbox._writer.submit(_Nothing())  # noqa: SLF001
            if ticket is None or not ticket.done.wait(_PATIENCE_SECONDS):
                raise RuntimeError("the outbox writes nothing")
        file = self._outbox._recording._disk._file  # noqa: SLF001 - to see how durable it is
        return [file.connection] if file else []

    def close(self) -> None:
        """Close it."""
        self._outbox.close()


class LitequeueSystem:
    """https://pypi.org/project/litequeue."""

    name = "litequeue"
    package = "litequeue"
    module = "litequeue"
    what = (
        "`LiteQueue.put` at the start and again at the end, for it changes no message; a lock "
        "around it; it sets `synchronous = NORMAL`, and the bench then sets FULL on its connection"
    )

    def open(self, path: Path) -> "LitequeueStore":
        """Set to sync each commit."""
        queue = litequeue.LiteQueue(path)
        queue.conn.execute("PRAGMA synchronous = FULL")
        return LitequeueStore(queue)

    def fill(self, path: Path, plays: int) -> None:
        """By one statement instead of many calls."""
        queue = litequeue.LiteQueue(path)
        queue.conn.execute("BEGIN")
        queue.conn.executemany(
            f"INSERT INTO {queue.table} VALUES (?, ?, 0, ?, NULL, NULL)",  # noqa: S608
            ((json.dumps(each), each["popId"], time.time_ns()) for each in messages(plays)),
        )
        queue.conn.execute("COMMIT")
        queue.close()


class LitequeueStore:
    """An open LiteQueue."""

    def __init__(self, queue: Any) -> None:
        self._queue = queue
        # One connection for all threads: their transactions must not mix.
        self._lock = threading.Lock()
        self._facts = Facts()

    def play(self, screen: int) -> None:
        """Two messages."""
        message = self._facts.begun(screen)
        self._put(message)
        self._put(self._facts.ended(message))

    def _put(self, message: Message) -> None:
        text = json.dumps(message)
        with self._lock:
            self._queue.put(text)

    def connections(self) -> Sequence[sqlite3.Connection]:
        """Its only one."""
        return [self._queue.conn]

    def close(self) -> None:
        """Close it."""
        self._queue.close()


class PersistQueueSystem:
    """https://pypi.org/project/persist-queue."""

    name = "persist-queue"
    package = "persist-queue"
    module = "persistqueue"
    what = (
        "`SQLiteAckQueue.put` at the start and `update` at the end, `multithreading=True`; it "
        "leaves `synchronous` to SQLite's default, and the bench sets FULL on its two connections"
    )

    def open(self, path: Path) -> "PersistQueueStore":
        """Set to sync each commit."""
        queue = persistqueue.SQLiteAckQueue(str(path), multithreading=True)
        store = PersistQueueStore(queue)
        for each in store.connections():
            each.execute("PRAGMA synchronous = FULL")
        return store

    def fill(self, path: Path, plays: int) -> None:
        """By one statement instead of many calls."""
        queue = persistqueue.SQLiteAckQueue(str(path), multithreading=True)
        with PersistQueueStore(queue).connections()[0] as connection:
            connection.executemany(
                queue._sql_insert,  # noqa: SLF001
                ((pickle.dumps(each), time.time()) for each in messages(plays)),
            )
        queue.close()


class PersistQueueStore:
    """An open SQLiteAckQueue."""

    def __init__(self, queue: Any) -> None:
        self._queue = queue
        self._facts = Facts()

    def play(self, screen: int) -> None:
        """A message that is changed at the end."""
        message = self._facts.begun(screen)
        number = self._queue.put(message)
        self._queue.update(self._facts.ended(message), id=number)

    def connections(self) -> Sequence[sqlite3.Connection]:
        """The one that writes, and the one that reads."""
        return [self._queue._putter, self._queue._getter]  # noqa: SLF001

    def close(self) -> None:
        """Close it."""
        self._queue.close()


SYSTEMS: Final[Sequence[System]] = (OutboxSystem(), LitequeueSystem(), PersistQueueSystem())
