"""The neighbours of the stream's parts, small enough to be seen through: GSTV, Kafka, the end."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar, cast

from aiokafka.errors import KafkaError
from aiokafka.structs import ConsumerRecord

from pop_stream.gstv.client import GstvClient
from pop_stream.kafka.stored_records import StoredRecord
from pop_stream.pop.outcome import NoAnswer, Outcome, Trouble
from pop_stream.stream.abort import Abort
from pop_stream.stream.handoff import Outgoing
from pop_stream.stream.ledger import Ledger, Limits, Place, Run
from pop_stream.stream.record import KafkaRecord

T = TypeVar("T")

EVENTS, RETRY, FAILURE, NOTIFICATIONS = "events", "retry", "failure", "notifications"
RECEIPTS = "receipts"
DEADLINE_SECONDS = 20.0


async def until(condition: Callable[[], object]) -> None:
    """Let the loop turn until it is so; TimeoutError when it takes too long."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not condition():  # noqa: ASYNC110 - what is looked at has no events
            await asyncio.sleep(0.002)


async def turns(count: int = 20) -> None:
    """Let the loop turn a few times: whatever can happen without waiting has happened then."""
    for _ in range(count):
        await asyncio.sleep(0)


def record(
    offset: int,
    value: bytes | None,
    *,
    key: bytes | None = b"s-1/2",
    headers: Sequence[tuple[str, bytes]] = (),
    timestamp: int = 1_795_168_800_000,
) -> KafkaRecord:
    """A record as the transport fetches it."""
    return StoredRecord(offset, timestamp, key, value, list(headers))


def consumer_record(topic: str, offset: int, value: bytes | None, **more: Any) -> Any:
    """A record as aiokafka hands it out, from partition 0."""
    made = record(offset, value, **more)
    sizes = (len(made.key or b""), len(value or b""))
    headers = tuple(made.headers)
    return ConsumerRecord(
        topic, 0, offset, made.timestamp, 1, made.key, value, None, *sizes, headers
    )


class Aborted(asyncio.CancelledError):
    """The process would be gone: what it was doing goes on no more, and nobody hears of it."""


class NotedAbort(Abort):
    """Notes why the process would have ended, and lets it live."""

    def __init__(self) -> None:
        super().__init__()
        self.reasons: list[str] = []

        self.stacks: list[str | None] = []

    def __call__(
        self, why: str, error: BaseException | None = None, *, stack: str | None = None
    ) -> NoReturn:
        self.reasons.append(why)
        self.stacks.append(stack)
        raise Aborted(why) from error


@dataclass(frozen=True)
class Post:
    """One POST that was asked for."""

    token: Any
    body: bytes
    pop_id: str
    attempt: int
    traceparent: str | None = None


class FakeGstv:
    """Stands in for the client: notes each POST, and lets the test say what becomes of it."""

    def __init__(self, max_in_flight: int = 64) -> None:
        self.posts: list[Post] = []
        self.open: list[Post] = []
        self.most_in_flight = 0
        self.worked = 0
        self.worked_seconds = 0.0
        self.oldest_started_at: float | None = None
        self.closed = False
        self._max_in_flight = max_in_flight
        self._on_outcome: Callable[[Any, Outcome], None]

    def make(self, on_outcome: Callable[[T, Outcome], None]) -> GstvClient[T]:
        """What the forwarder and the notifier take for their client."""
        self._on_outcome = on_outcome
        return cast(GstvClient[T], self)

    @property
    def room(self) -> int:
        return 0 if self.closed else self._max_in_flight - len(self.open)

    @property
    def in_flight(self) -> int:
        return len(self.open)

    def post(
        self, token: Any, body: bytes, pop_id: str, attempt: int, traceparent: str | None = None
    ) -> float:
        if self.room <= 0:
            raise RuntimeError("the client is full or closed")
        post = Post(token, body, pop_id, attempt, traceparent)
        self.posts.append(post)
        self.open.append(post)
        self.most_in_flight = max(self.most_in_flight, len(self.open))
        return time.monotonic()

    def answer(self, outcome: Outcome, index: int = 0) -> Post:
        """End an open POST, the oldest if nothing else is said."""
        post = self.open.pop(index)
        self.worked += 1
        self.worked_seconds += 0.01
        self._on_outcome(post.token, outcome)
        return post

    def answer_all(self, outcome: Outcome) -> None:
        """End all POSTs that are open now."""
        for _ in range(len(self.open)):
            self.answer(outcome)

    async def aclose(self) -> None:
        """End all as the real one does: told from the loop, while it waits for connections."""
        self.closed = True
        for post in self.open:
            outcome = NoAnswer(Trouble.CLOSED, sent=True)
            asyncio.get_running_loop().call_soon(self._on_outcome, post.token, outcome)
        self.open = []
        await turns(3)


class FakeKafka:
    """Stands in for the producer: confirms at once, or when told, or refuses as often as told."""

    def __init__(self) -> None:
        self.confirmed: list[Outgoing] = []
        self.tries = 0
        self.errors: list[Exception] = []
        #: What becomes of the writes that are under way.
        self.ending: Exception | None = None
        self.answers = asyncio.Event()
        self.answers.set()

    async def confirm(
        self,
        topic: str,
        *,
        key: bytes | None,
        value: bytes | None,
        headers: list[tuple[str, bytes]],
    ) -> None:
        await self._answer()
        self.confirmed.append(Outgoing(topic=topic, key=key, value=value, headers=headers))

    async def confirm_together(self, topic: str, records: Sequence[Outgoing]) -> None:
        """Confirm records together: one write, one answer."""
        assert {one.topic for one in records} == {topic}
        await self._answer()
        self.confirmed.extend(records)

    async def _answer(self) -> None:
        self.tries += 1
        if self.errors:
            raise self.errors.pop(0)
        await self.answers.wait()
        if self.ending is not None:
            raise self.ending

    def refuse(self, times: int) -> None:
        """Refuse the next writes."""
        self.errors = [KafkaError() for _ in range(times)]

    def on(self, topic: str) -> list[Outgoing]:
        """The records confirmed on a topic."""
        return [outgoing for outgoing in self.confirmed if outgoing.topic == topic]


class CountingLoop:
    """A loop that counts the timers it was asked for."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.timers = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)

    def call_later(self, *args: Any) -> asyncio.TimerHandle:
        self.timers += 1
        return self._loop.call_later(*args)


class SteppingClock:
    """A clock that shows what it is told to show; the last time stays."""

    def __init__(self, *times: float) -> None:
        self.then(*times)

    def then(self, *times: float) -> None:
        self._times = list(times)

    def monotonic(self) -> float:
        return self._times.pop(0) if len(self._times) > 1 else self._times[0]


class Arrivals:
    """A ledger that owns partition 0 of each topic, and the records that arrive there."""

    def __init__(self) -> None:
        self.ledger: Ledger[KafkaRecord] = Ledger(
            {topic: Limits() for topic in (EVENTS, RETRY, FAILURE)}
        )
        self._next = dict.fromkeys((EVENTS, RETRY, FAILURE), 0)
        self.assign()

    def assign(self) -> None:
        """Own the partitions, from now on or anew."""
        self.ledger.open({Place(topic, 0) for topic in self._next})

    def run(
        self,
        topic: str,
        *values: bytes | None,
        headers: Sequence[tuple[str, bytes]] = (),
        key: bytes | None = b"s-1/2",
    ) -> Run[KafkaRecord]:
        """The run of some values that arrive together."""
        first = self._next[topic]
        self._next[topic] += len(values)
        records = [
            record(first + n, value, headers=headers, key=key) for n, value in enumerate(values)
        ]
        run = self.ledger.take(topic, 0, records)
        assert run is not None
        return run

    def commit(self, topic: str) -> int | None:
        """The offset that may be committed now; None when nothing has moved."""
        commit = self.ledger.commits().get(Place(topic, 0))
        first = 0  # where the arrivals begin, and what stands committed before anything is done
        return commit.offset if commit is not None and commit.offset > first else None


def header(outgoing: Outgoing, name: str) -> str | None:
    """The value of a header that is there once at most."""
    values = [value.decode() for each, value in outgoing.headers if each == name]
    assert len(values) <= 1
    return values[0] if values else None
