"""The thread that writes to an outbox: what came meanwhile goes to the disk together."""

import logging
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol

log = logging.getLogger(__name__)

#: More at once would keep the first waiting for the last.
_TOGETHER: Final = 512
#: How long the first waits for as many others as there were last, at most.
_GATHER_SECONDS: Final = 0.005
#: What waits to be written, at most; a disk that takes nothing must not fill the memory.
QUEUED_MOST: Final = 20_000


class Change(Protocol):
    """Something to be written."""

    def apply(self, connection: sqlite3.Connection) -> None:
        """Write it, in a transaction; may be asked again when that fails. Raises sqlite3.Error."""
        ...


class Done:
    """Said once, by one thread to another. An Event would cost six times as much."""

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lock.acquire()

    def set(self) -> None:
        """Say it."""
        self._lock.release()

    def wait(self, seconds: float) -> bool:
        """Wait for it; gives whether it was said."""
        if not self._lock.acquire(timeout=seconds):
            return False
        self._lock.release()
        return True


@dataclass(eq=False, slots=True)
class Ticket:
    """A change on its way to the disk."""

    change: Change
    done: Done


class Writer(threading.Thread):
    """Writes changes in their order, many in one commit. What failed is asked of `write`."""

    def __init__(
        self, write: Callable[[Sequence[Change]], None], *, beat: Callable[[], None],
        beat_seconds: float,
    ) -> None:  # fmt: skip
        """`write` brings changes to the disk, and raises nothing; `beat` is called now and then."""
        super().__init__(name="pop-stream-outbox", daemon=True)
        self._write = write
        self._beat = beat
        self._beat_seconds = beat_seconds
        self._queue: queue.SimpleQueue[Ticket | None] = queue.SimpleQueue()
        #: Nothing comes behind the end.
        self._door = threading.Lock()
        self._is_closed = False
        self._ended = threading.Event()
        #: How many were written together last.
        self._together = 0

    def submit(self, change: Change, *, most: int | None = QUEUED_MOST) -> Ticket | None:
        """Take a change; None when `most` wait already, or when nothing is written any more."""
        if not self.is_alive():
            return None  # it has ended, or this is a fork, which has no threads
        ticket = Ticket(change, Done())
        with self._door:
            if self._is_closed or (most is not None and self._queue.qsize() >= most):
                return None
            self._queue.put(ticket)
        return ticket

    def run(self) -> None:
        """Write until `end`."""
        next_beat = time.monotonic()
        while not self._ended.is_set():
            tickets = self._take(next_beat - time.monotonic())
            if tickets:
                self._do(partial(self._write, [each.change for each in tickets]))
                for each in tickets:
                    each.done.set()
            if time.monotonic() >= next_beat:
                self._do(self._beat)
                next_beat = time.monotonic() + self._beat_seconds

    def _take(self, seconds: float) -> list[Ticket]:
        taken: list[Ticket] = []
        with suppress(queue.Empty):
            ticket = self._queue.get(timeout=max(seconds, 0.0))
            deadline = time.monotonic() + _GATHER_SECONDS
            while True:
                if ticket is None:
                    self._ended.set()
                    break
                taken.append(ticket)
                if len(taken) == _TOGETHER:
                    break
                # Those that were written together are told together, and come again together: the
                # first of them must not be written alone while the others queue up.
                left = deadline - time.monotonic() if len(taken) < self._together else 0.0
                ticket = self._queue.get(timeout=max(left, 0.0))
        self._together = len(taken)
        return taken

    def _do(self, work: Callable[[], None]) -> None:
        # The last line of defence: a thread that has ended writes nothing ever again.
        try:
            work()
        except Exception:
            log.exception("outbox.writer_failed")

    def end(self, timeout_seconds: float) -> bool:
        """Write what waits, and end. Gives whether it ended in time."""
        with self._door:
            self._is_closed = True
            self._queue.put(None)
        self.join(timeout_seconds)
        return not self.is_alive()
