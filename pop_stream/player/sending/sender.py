"""Sends what waits in an outbox: a play counts as delivered only when the broker has said so."""

import asyncio
import logging
import random
import sqlite3
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol, TypeVar

from pop_stream.errors import PopStreamError, WorkFailedError
from pop_stream.player.outbox.file import is_full
from pop_stream.player.sending.lot import Answer, Fate, Lot, Settled, lot_of
from pop_stream.player.sending.pace import LotSize, Rate, Reconnects
from pop_stream.player.sending.record import Record
from pop_stream.player.sending.store import Store

log = logging.getLogger(__name__)

T = TypeVar("T")

#: A disk that takes nothing is tried again so often, unless plays are sent for ever.
_DISK_TRIES: Final = 5


class Kafka(Protocol):
    """What is used of `Broker`."""

    trouble: PopStreamError | None

    async def send(self, records: Sequence[Record]) -> list[Answer]:
        """Send records; gives what became of each."""
        ...

    async def disconnect(self) -> None:
        """Give up what is under way."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Conduct:
    """How plays are sent."""

    #: Go on for ever: what is recorded later is sent, too, and Kafka is waited for.
    follow: bool = False
    #: Plays a second; None: as many as Kafka takes.
    rate: float | None = None
    #: Draws evenly from [0, 1).
    chance: Callable[[], float] = random.random
    #: How often is looked for new plays.
    idle_seconds: float = 0.5
    #: A disk that takes nothing is tried again after so long.
    disk_seconds: float = 2.0


@dataclass(slots=True)
class Sent:
    """What was done so far."""

    #: Plays that the broker has confirmed.
    plays: int = 0
    #: Rows of the outbox that are done with.
    rows: int = 0
    #: Rows of which something was set aside.
    aside: int = 0


class Sender:
    """Sends from one outbox to one Kafka."""

    def __init__(self, store: Store, kafka: Kafka, conduct: Conduct) -> None:
        self.sent = Sent()
        self._store = store
        self._kafka = kafka
        self._conduct = conduct
        self._rate = Rate(conduct.rate)
        self._size = LotSize()
        self._reconnects = Reconnects()
        self._stopped = asyncio.Event()
        #: One at a time has the outbox; and the disk keeps nobody waiting but this.
        self._thread = ThreadPoolExecutor(1, "pop-stream-outbox")
        self._until: int | None = None

    def stop(self) -> None:
        """Take nothing more; what is under way is waited for."""
        self._stopped.set()

    async def run(self) -> None:
        """Send what waits; with `follow`, until it is stopped.

        Raises KafkaUnreachableError and WorkFailedError, without `follow`.
        """
        if not self._conduct.follow:
            self._until = await self._on_disk(self._store.newest)
        try:
            while not self._stopped.is_set():
                rows = self.sent.rows
                trouble = await self._send_what_waits()
                if trouble is not None:
                    await self._bear(trouble)
                elif self.sent.rows == rows and not await self._prune():
                    if not self._conduct.follow:
                        return
                    await self._pause(self._conduct.idle_seconds)
        finally:
            await self._kafka.disconnect()
            self._thread.shutdown()

    async def _send_what_waits(self) -> PopStreamError | None:
        """Send until nothing waits any more; gives what is wrong with Kafka, if that ends it.

        While one lot is under way, the one before is written down and the next one is read.
        """
        answered: list[tuple[Lot, list[Answer]]] = []
        lot, following = await self._next_lot(), None
        while lot is not None:
            sending = asyncio.create_task(self._kafka.send(lot.records))
            try:
                await self._write_down(answered)
                following = await self._next_lot() if self._is_time() else None
            finally:
                answers = await sending
            answered = [(lot, answers)]
            if Fate.UNKNOWN in answers:
                self._size = self._size.failed()
                await self._write_down(answered)
                if following is not None:
                    await self._on_disk(partial(self._store.release, following.rows))
                return self._kafka.trouble or WorkFailedError("Kafka has not confirmed a play")
            self._size = self._size.confirmed()
            self._reconnects = Reconnects()
            if following is None:
                # Before it is waited for whatever: a play that is confirmed should be known to be.
                await self._write_down(answered)
                following = await self._next_lot()
            lot = following
        return None

    def _is_time(self) -> bool:
        return self._rate.ready_in(time.monotonic(), self._size.plays) <= 0

    async def _next_lot(self) -> Lot | None:
        """The next plays to be sent, when it is time for them; None when there are none."""
        while (seconds := self._rate.ready_in(time.monotonic(), self._size.plays)) > 0:
            if self._stopped.is_set():
                return None
            await self._pause(seconds)
        if self._stopped.is_set():
            return None
        plays = self._rate.room(time.monotonic(), self._size.plays)
        rows = await self._on_disk(partial(self._store.take, plays, self._until))
        if not rows:
            return None
        self._rate.take(sum(row.number for row in rows))
        return lot_of(rows)

    async def _write_down(self, answered: list[tuple[Lot, list[Answer]]]) -> None:
        for lot, answers in answered:
            settled = lot.settled(answers)
            await self._on_disk(partial(self._settle, settled))
            self.sent.plays += answers.count(Fate.CONFIRMED)
            self.sent.rows += len(settled.acked) + len(settled.aside)
            self.sent.aside += len(settled.aside)
        answered.clear()

    async def _prune(self) -> bool:
        """Take out some of what is old; gives whether there is more to do."""
        now = time.time_ns() // 1_000_000
        return await self._on_disk(partial(self._store.prune, now))

    def _settle(self, settled: Settled) -> None:
        now = time.time_ns() // 1_000_000
        if settled.acked:
            self._store.acked(settled.acked, now)
        if settled.again:
            self._store.release(settled.again)
        for each in settled.aside:
            log.error("outbox.play_refused", extra={"row": each.row.id, "why": each.why})
            self._store.aside(each.row, each.plays, each.why, now)

    async def _on_disk(self, work: Callable[[], T]) -> T:
        """Do it in the outbox's thread, until the disk takes it.

        What the broker has confirmed must be known before anything else is sent.
        """
        tries = 0
        while True:
            try:
                return await asyncio.get_running_loop().run_in_executor(self._thread, work)
            except (sqlite3.Error, OSError) as error:
                tries += 1
                if self._stopped.is_set() or (not self._conduct.follow and tries >= _DISK_TRIES):
                    raise WorkFailedError(f"the outbox cannot be written: {error}") from error
                log.warning("outbox.not_written", extra={"error": str(error)})
                if is_full(error):
                    self._size = self._size.failed()
                await self._pause(self._conduct.disk_seconds)

    async def _bear(self, trouble: PopStreamError) -> None:
        if not self._conduct.follow:
            raise trouble
        seconds = self._reconnects.wait(self._conduct.chance())
        self._reconnects = self._reconnects.failed()
        log.warning("outbox.kafka_away", extra={"why": str(trouble), "wait_seconds": seconds})
        await self._pause(seconds)

    async def _pause(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopped.wait(), seconds)
