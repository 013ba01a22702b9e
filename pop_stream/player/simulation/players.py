"""Simulated players: send plays to Kafka, each until the broker has confirmed it."""

import asyncio
import hashlib
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

from aiokafka.errors import TopicAuthorizationFailedError

from pop_stream.errors import WorkFailedError, no_right_to_write
from pop_stream.player.ledger import Confirmed, PlayerLedger
from pop_stream.player.simulation.batches import LINGER_SECONDS, Batches, Event, Producer
from pop_stream.player.simulation.outage import Outage
from pop_stream.player.simulation.plays import Play

_TICK_SECONDS = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """How events are sent."""

    topic: str
    #: 0: as fast as the broker takes them.
    events_per_second: float
    #: Outages of the way to Kafka; only with a rate, which says what is played meanwhile.
    outage: Outage | None = None
    #: How long events may wait without a single confirmation before this gives up.
    patience_seconds: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """How the sending ended."""

    #: Plays taken. All were confirmed.
    events: int
    #: Sends repeated, under the same id, because their confirmation had not come.
    repeats: int
    #: Plays of an outage: they were sent when it was over.
    late: int
    seconds: float


class SimulatedPlayers:
    """Send plays with one producer, and note each in the ledger once it is confirmed.

    An event whose confirmation fails is sent again under its old id: none is lost, and a second
    copy that Kafka may hold can be told by its id. In an outage nothing is sent; what was played
    meanwhile follows after it, oldest first, as fast as Kafka takes it.
    """

    def __init__(
        self,
        producer: Producer,
        sending: Sending,
        *,
        make_pop_id: Callable[[], str],
        make_boot_id: Callable[[], str],
        ledger: PlayerLedger | None,
    ) -> None:
        self._sending = sending
        self._make_pop_id = make_pop_id
        self._make_boot_id = make_boot_id
        self._ledger = ledger
        self._batches = Batches(producer, sending.topic, self)
        self._boot_ids: dict[bytes, bytes] = {}
        self._again: deque[Event] = deque()
        self._events = 0
        self._late = 0
        self._confirmed = 0
        self._repeats = 0
        self._begun_at = 0.0
        #: How long after the begin the play that is being taken was over.
        self._played_after: float | None = None
        self._waiting_since = 0.0
        self._error: BaseException | None = None
        self._ledger_error: OSError | None = None
        self._flush_soon: asyncio.TimerHandle | None = None
        self._news = asyncio.Event()
        self._stopped = False

    @property
    def confirmed_events(self) -> int:
        """How many events the broker has confirmed so far."""
        return self._confirmed

    @property
    def age_seconds(self) -> float:
        """How long ago the play that is being taken was over: in an outage it was kept."""
        if self._played_after is None:
            return 0.0
        return max(0.0, time.monotonic() - self._begun_at - self._played_after)

    def stop(self) -> None:
        """Take no further play; what was taken is still sent and waited for."""
        self._stopped = True
        self._news.set()

    async def send(self, plays: Iterable[Play]) -> Sent:
        """Send all plays and return when each is confirmed.

        Raises TopicsMissingError, and WorkFailedError when patience ends or the ledger cannot be
        written.
        """
        self._begun_at = time.monotonic()
        try:
            for play in plays:
                await self._pace()
                if self._stopped:
                    break
                await self._take(play)
            while self._confirmed < self._events:
                await self._batches.flush()
                await self._wait(_TICK_SECONDS)
                await self._send_again()
        finally:
            self._flush()
        self._check()
        return Sent(
            events=self._events,
            repeats=self._repeats,
            late=self._late,
            seconds=time.monotonic() - self._begun_at,
        )

    def confirmed(self, event: Event, partition: int, offset: int) -> None:
        """Count an event, and note it."""
        self._confirmed += 1
        self._waiting_since = time.monotonic()
        if self._ledger is not None:
            self._note(self._ledger, event, partition, offset)
        self._news.set()

    def failed(self, events: Iterable[Event], error: BaseException) -> None:
        """Have events sent again, in their order."""
        self._error = error
        self._again.extend(events)

    async def _pace(self) -> None:
        """Wait until the next play is over and there is contact."""
        await self._flush_batches()
        rate = self._sending.events_per_second
        if rate <= 0:
            return
        played = due = self._events / rate
        if self._sending.outage is not None:
            due = self._sending.outage.contact_at(played)
            self._late += due > played
            self._played_after = played
        while not self._stopped:
            ahead = self._begun_at + due - time.monotonic()
            if ahead <= 0.001:
                break
            await self._wait(min(ahead, LINGER_SECONDS))
            await self._flush_batches()

    async def _flush_batches(self) -> None:
        if self._batches.are_due:
            await self._batches.flush()
            self._check()

    async def _wait(self, seconds: float) -> None:
        """Wait until something is confirmed, fails or stops, or the time is over."""
        self._news.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), seconds)
        self._check()

    async def _take(self, play: Play) -> None:
        if self._confirmed == self._events:
            self._waiting_since = time.monotonic()
        self._events += 1
        await self._batches.put(Event(play, self._make_pop_id(), self._boot_id(play.key)))
        if self._again:
            await self._send_again()

    async def _send_again(self) -> None:
        self._check()
        for _ in range(len(self._again)):
            self._repeats += 1
            await self._batches.put(self._again.popleft())

    def _note(self, ledger: PlayerLedger, event: Event, partition: int, offset: int) -> None:
        confirmed = Confirmed(
            id=event.pop_id,
            topic=self._sending.topic,
            partition=partition,
            offset=offset,
            sha256=hashlib.sha256(event.play.body).hexdigest(),
            key=event.play.key.decode(),
        )
        ledger.write(confirmed)
        if self._flush_soon is None:
            loop = asyncio.get_running_loop()
            self._flush_soon = loop.call_later(_TICK_SECONDS, self._flush)

    def _flush(self) -> None:
        if self._flush_soon is not None:
            self._flush_soon.cancel()
            self._flush_soon = None
        if self._ledger is not None:
            try:
                self._ledger.flush()
            except OSError as error:
                self._ledger_error = error

    def _boot_id(self, key: bytes) -> bytes:
        if key not in self._boot_ids:
            self._boot_ids[key] = self._make_boot_id().encode()
        return self._boot_ids[key]

    def _check(self) -> None:
        if self._ledger_error is not None:
            # What the broker confirms from here on would stand nowhere.
            why = self._ledger_error.strerror
            raise WorkFailedError(f"the ledger cannot be written ({why})") from self._ledger_error
        if isinstance(self._error, TopicAuthorizationFailedError):
            raise no_right_to_write(self._sending.topic) from self._error
        waiting = self._events - self._confirmed
        patience = self._sending.patience_seconds
        if waiting and time.monotonic() - self._waiting_since > patience:
            raise WorkFailedError(
                f"Kafka confirmed nothing for {patience:.0f} s while {waiting} events waited"
                f" ({self._confirmed} were confirmed before)"
                + (f"; the last error: {type(self._error).__name__}" if self._error else "")
            )
