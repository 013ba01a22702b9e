"""Simulated players: send plays to Kafka, each until the broker has confirmed it."""

import asyncio
import hashlib
import time
from asyncio import Future
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from aiokafka.errors import KafkaError, UnknownTopicOrPartitionError
from aiokafka.structs import RecordMetadata

from pop_stream.errors import TopicsMissingError, WorkFailedError
from pop_stream.player.ledger import Confirmed, PlayerLedger
from pop_stream.player.plays import Play

_TICK_SECONDS = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """How events are sent."""

    topic: str
    #: 0: as fast as the broker takes them.
    events_per_second: float
    #: How long events may wait without a single confirmation before this gives up.
    patience_seconds: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """How the sending ended."""

    #: Plays taken. All were confirmed.
    events: int
    #: Sends repeated, under the same id, because their confirmation had not come.
    repeats: int
    seconds: float


@dataclass(frozen=True, slots=True)
class _Event:
    """A play with its identity, which it keeps however often it is sent."""

    play: Play
    pop_id: str


class Producer(Protocol):
    """What is used of `aiokafka.AIOKafkaProducer`."""

    async def send(
        self, topic: str, value: bytes, *, key: bytes, headers: list[tuple[str, bytes]]
    ) -> Future[RecordMetadata]:
        """Take a record; the future ends with the broker's confirmation."""
        ...


class SimulatedPlayers:
    """Send plays with one producer, and note each in the ledger once it is confirmed.

    An event whose confirmation fails is sent again under its old id: none is lost, and a second
    copy that Kafka may hold can be told by its id. The producer must ask for `acks=all`.
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
        self._producer = producer
        self._sending = sending
        self._make_pop_id = make_pop_id
        self._make_boot_id = make_boot_id
        self._ledger = ledger
        self._boot_ids: dict[bytes, bytes] = {}
        self._again: deque[_Event] = deque()
        self._events = 0
        self._confirmed = 0
        self._repeats = 0
        self._waiting_since = 0.0
        self._error: BaseException | None = None
        self._ledger_error: OSError | None = None
        self._flush_soon: asyncio.TimerHandle | None = None
        self._news = asyncio.Event()
        self._stopped = False

    @property
    def confirmed(self) -> int:
        """How many events the broker has confirmed so far."""
        return self._confirmed

    def stop(self) -> None:
        """Take no further play; what was taken is still sent and waited for."""
        self._stopped = True
        self._news.set()

    async def send(self, plays: Iterable[Play]) -> Sent:
        """Send all plays and return when each is confirmed.

        Raises TopicsMissingError, and WorkFailedError when patience ends or the ledger cannot be
        written.
        """
        begun_at = time.monotonic()
        try:
            for play in plays:
                await self._pace(begun_at)
                if self._stopped:
                    break
                await self._take(_Event(play, self._make_pop_id()))
            while self._confirmed < self._events:
                await self._wait(_TICK_SECONDS)
                await self._send_again()
        finally:
            self._flush()
        self._check()
        seconds = time.monotonic() - begun_at
        return Sent(events=self._events, repeats=self._repeats, seconds=seconds)

    async def _pace(self, begun_at: float) -> None:
        rate = self._sending.events_per_second
        while rate > 0 and not self._stopped:
            ahead = begun_at + self._events / rate - time.monotonic()
            if ahead <= 0.001:
                break
            await self._wait(ahead)

    async def _wait(self, seconds: float) -> None:
        """Wait until something is confirmed, fails or stops, or the time is over."""
        self._news.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), seconds)
        self._check()

    async def _take(self, event: _Event) -> None:
        if self._confirmed == self._events:
            self._waiting_since = time.monotonic()
        self._events += 1
        await self._send(event)
        await self._send_again()

    async def _send_again(self) -> None:
        self._check()
        for _ in range(len(self._again)):
            self._repeats += 1
            await self._send(self._again.popleft())

    async def _send(self, event: _Event) -> None:
        play = event.play
        headers = [
            ("pop-id", event.pop_id.encode()),
            ("pop-seq", str(play.seq).encode()),
            ("pop-boot", self._boot_id(play.key)),
        ]
        try:
            confirmation = await self._producer.send(
                self._sending.topic, play.body, key=play.key, headers=headers
            )
        except UnknownTopicOrPartitionError as error:
            raise missing_topic(self._sending.topic) from error
        except KafkaError as error:
            self._failed(event, error)
        else:
            confirmation.add_done_callback(partial(self._finished, event))

    def _finished(self, event: _Event, confirmation: Future[RecordMetadata]) -> None:
        if confirmation.cancelled():
            return
        error = confirmation.exception()
        if error is not None:
            self._failed(event, error)
            return
        self._confirmed += 1
        self._waiting_since = time.monotonic()
        self._note(event, confirmation.result())
        self._news.set()

    def _failed(self, event: _Event, error: BaseException) -> None:
        self._error = error
        self._again.append(event)

    def _note(self, event: _Event, place: RecordMetadata) -> None:
        if self._ledger is None:
            return
        confirmed = Confirmed(
            id=event.pop_id,
            topic=place.topic,
            partition=place.partition,
            offset=place.offset,
            sha256=hashlib.sha256(event.play.body).hexdigest(),
            key=event.play.key.decode(),
        )
        self._ledger.write(confirmed)
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
        waiting = self._events - self._confirmed
        patience = self._sending.patience_seconds
        if waiting and time.monotonic() - self._waiting_since > patience:
            raise WorkFailedError(
                f"Kafka confirmed nothing for {patience:.0f} s while {waiting} events waited"
                f" ({self._confirmed} were confirmed before)"
                + (f"; the last error: {type(self._error).__name__}" if self._error else "")
            )


def missing_topic(topic: str) -> TopicsMissingError:
    """Make the error for a topic that does not exist."""
    return TopicsMissingError(f"there is no topic {topic}: run `pop-stream topics ensure`")
