"""A worker: the real core and the real rules of the transport, on a loop that is stepped."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache, partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final, Literal, NoReturn

from pop_stream.pop.breaker import Breaker
from pop_stream.pop.event import Rules
from pop_stream.pop.notification import NotificationStyle
from pop_stream.pop.outcome import Outcome
from pop_stream.pop.verdict import Policy
from pop_stream.stream.abort import Abort
from pop_stream.stream.claim import Claim
from pop_stream.stream.deliveries import Success
from pop_stream.stream.forwarder import Conduct, Forwarder
from pop_stream.stream.handoff import Handoff, Outgoing
from pop_stream.stream.ledger import Commit, Ledger, Limits, Place, Run
from pop_stream.stream.notifier import Notifier
from pop_stream.stream.receipts import Receipts
from pop_stream.stream.record import KafkaRecord
from pop_stream.stream.transport import Consumer
from pop_stream.stream.work import Work
from pop_stream.watch.tally import Tally
from tests.simulation.broker import (
    CONSUMED,
    EVENTS,
    FAILURE,
    NOTIFICATIONS,
    RECEIPTS,
    RETRY,
    Passing,
    Write,
)
from tests.simulation.clock import VirtualLoop
from tests.simulation.partner import Client

if TYPE_CHECKING:
    from tests.simulation.world import World

POLICY: Final = Policy()
_RULES: Final = Rules()
_STYLE: Final = NotificationStyle()
_DRAIN_SECONDS: Final = 0.012
#: The broker takes a commit; or it does not, or its answer is lost: both are told alike.
COMMIT_ENDS: Final = ("taken", "failed", "unanswered")

_passing: ContextVar[Sequence[Passing]] = ContextVar("passing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """How all workers of a world are made."""

    order: Literal["none", "screen"] = "none"
    max_in_flight: int = 4
    held_events: int = 8
    rate_limit: float | None = None
    receipts: bool = False


class Aborted(Exception):  # noqa: N818 - it is what became of the process
    """The process would be gone."""


class ToldAbort(Abort):
    """Tells the world why the process would have ended."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        super().__init__()
        self._tell = tell

    def __call__(
        self,
        why: str,
        error: BaseException | None = None,
        *,
        stack: str | None = None,  # noqa: ARG002
    ) -> NoReturn:
        self._tell(f"aborted: {why}: {error!r}")
        raise Aborted(why) from error


class WatchedHandoff(Handoff):
    """The hand-off, so watched that each write is known by the event it is made for."""

    def __init__(self, worker: "Worker") -> None:
        super().__init__(worker.confirm, worker.confirm_together, worker.abort)
        self._worker = worker
        self._passings: dict[Claim, Passing] = {}

    def start(self, claim: Claim, outgoing: Outgoing, then: Callable[[Claim], None]) -> None:
        self._begins(claim)
        super().start(claim, outgoing, partial(self._confirmed, then))

    def gather(
        self, claim: Claim, topic: str, make: Callable[[], Outgoing], then: Callable[[Claim], None]
    ) -> None:
        self._begins(claim)
        super().gather(claim, topic, make, partial(self._confirmed, then))

    def _begins(self, claim: Claim) -> None:
        self._passings[claim] = Passing(claim, self._worker.name)
        self._worker.world.witness.handing_off(self._worker, claim)

    async def _write(self, claim: Claim, outgoing: Outgoing, then: Callable[[Claim], None]) -> None:
        _passing.set([self._passings[claim]])
        await super()._write(claim, outgoing, then)

    async def _write_together(self, topic: str, writes: Sequence[Any]) -> None:
        ours = [write.claim for write in writes if write.claim.is_ours]
        _passing.set([self._passings[claim] for claim in ours])
        await super()._write_together(topic, writes)

    def _confirmed(self, then: Callable[[Claim], None], claim: Claim) -> None:
        was_ours, before = claim.is_ours, self._worker.ledger.finished
        then(claim)
        if not was_ours and self._worker.ledger.finished != before:
            self._worker.world.journal.violated("an outcome counted after the revocation")


class WatchedForwarder(Forwarder):
    """The forwarder, so watched that each outcome is known when it is settled, and not before."""

    def __init__(self, worker: "Worker", conduct: Conduct, **neighbours: Any) -> None:
        super().__init__(conduct, make_client=worker.client.make, **neighbours)
        self._worker = worker

    def _enter(self, deliveries: list[Success]) -> None:
        for claim, _ in deliveries:
            self._tell(claim)
        super()._enter(deliveries)

    def _settle(self, claim: Claim, outcome: Outcome) -> None:
        self._tell(claim)
        super()._settle(claim, outcome)

    def _tell(self, claim: Claim) -> None:
        self._worker.world.witness.settling(claim, self, self._worker.client.ended.pop(claim))


class Worker:
    """One process. What it does between two awaits it does at once, as in reality."""

    def __init__(self, world: "World", name: str, build: Build) -> None:
        self.world = world
        self.name = name
        self.generation = -1
        #: Counts the assignments: an event is taken once in each.
        self.opening = 0
        self.is_leaving = False
        self.is_stopping = False
        self.loop = VirtualLoop(self._complain)
        self.abort = ToldAbort(self._complain)
        self.ledger: Ledger[KafkaRecord] = Ledger(_limits(build))
        self.client = Client(self, build.max_in_flight)
        self.loop.call(lambda: self._put_together(build))

    def _put_together(self, build: Build) -> None:
        tally = Tally()
        handoff = WatchedHandoff(self)
        self.receipts = (
            Receipts(self.confirm, topic=RECEIPTS, group="g", tally=tally)
            if build.receipts
            else None
        )
        self.forwarder = WatchedForwarder(
            self,
            Conduct(
                rules=_RULES,
                policy=POLICY,
                retry_topic=RETRY,
                failure_topic=FAILURE,
                breaker=Breaker(),
                rate_limit=build.rate_limit,
                order=build.order,
            ),
            handoff=handoff,
            tally=tally,
            abort=self.abort,
            receipts=self.receipts,
        )
        self.notifier = Notifier(
            _STYLE, topic=NOTIFICATIONS, handoff=handoff, tally=tally, abort=self.abort
        )
        self.work = Work(
            ledger=self.ledger,
            forwarder=self.forwarder,
            notifier=self.notifier,
            handoff=handoff,
            tally=tally,
            drain_seconds=_DRAIN_SECONDS,
        )
        self.consumer = ModelConsumer(self)
        #: aiokafka calls its listeners one after the other.
        self._coordinating = asyncio.Lock()

    def drop(self) -> None:
        """Drop everything, as a kill does."""
        self.loop.kill()
        # What refers to itself in a circle would wait for the collector.
        for part in (self.forwarder, self.notifier, self.work, self.consumer, self.client):
            vars(part).clear()

    def _complain(self, what: str) -> None:
        self.world.journal.violated(f"{self.name} {what}")

    def start(self, begin: Callable[..., Awaitable[Any]], *args: Any) -> None:
        """Start a task of the process."""
        if not self.loop.dead:
            self.loop.create_task(self._guarded(begin, args))

    async def _guarded(self, begin: Callable[..., Awaitable[Any]], args: tuple[Any, ...]) -> None:
        try:
            await begin(*args)
        except Exception as error:  # noqa: BLE001 - Faust would crash
            self._complain(f"crashed: {error!r}")

    async def confirm(
        self,
        topic: str,
        *,
        key: bytes | None,
        value: bytes | None,
        headers: list[tuple[str, bytes]],
    ) -> None:
        """Write a record, as the producer does."""
        (passing,) = [Passing(None, self.name)] if topic == RECEIPTS else _passing.get()
        write = Write(passing, topic, key, value, headers, self.loop.create_future())
        self.world.broker.writes.append(write)
        await write.future

    async def confirm_together(self, _: str, records: Sequence[Outgoing]) -> None:
        """Write records as the producer does; each may end in its own way, and in any order."""
        writes = []
        for passing, one in zip(_passing.get(), records, strict=True):
            future = self.loop.create_future()
            writes.append(Write(passing, one.topic, one.key, one.value, one.headers, future))
        self.world.broker.writes.extend(writes)
        ends = await asyncio.gather(*(each.future for each in writes), return_exceptions=True)
        for end in ends:
            if isinstance(end, BaseException):
                raise end

    async def revoke(self) -> None:
        """Give all partitions up, and join the next generation."""
        async with self._coordinating:
            await self.consumer.revoked()
        self.world.group.joined(self)

    async def assign(self, places: set[Place]) -> None:
        """Begin with these partitions."""
        async with self._coordinating:
            await self.consumer.assigned(places)

    async def stop(self) -> None:
        """End in an orderly way, as on SIGTERM (`PopStreamApp.stop`)."""
        self.work.begin_to_end()
        consumer = self.consumer
        consumer.should_stop = True
        consumer.stop_flow()
        await consumer.wait_empty()
        self.world.left(self)
        await self.work.aclose()
        self.loop.call_soon(self.world.ended, self)


class ModelConsumer:
    """Stands in for Faust's consumer. What our transport overrides is the transport's own code."""

    commit = Consumer.commit
    force_commit = Consumer.force_commit
    getmany = Consumer.getmany
    wait_empty = Consumer.wait_empty
    _share_of = Consumer._share_of
    _is_behind = Consumer._is_behind
    _forget = Consumer._forget

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._broker = worker.world.broker
        self._host = SimpleNamespace(
            ledger=worker.ledger,
            work=worker.work,
            receipts=worker.receipts,
            attempted_topics=(EVENTS, RETRY),
            tally=Tally(),
        )
        self._thread = self
        self.app = SimpleNamespace(should_stop=False)
        self._epoch = 0
        self._committing = asyncio.Lock()
        self._continuity = _NothingIsMissing()
        self.should_stop = False
        self.flow_active = False
        self.is_fetching = False
        #: Where the fetch of each partition goes on; these are our partitions.
        self.positions: dict[Place, int] = {}
        #: Runs on the way to their agent.
        self._runs: deque[Run[KafkaRecord]] = deque()
        self.fetch_most = 1
        #: How long what is fetched is on the way from the consumer's thread.
        self.fetch_seconds = 0.0
        #: How the next commit ends (`COMMIT_ENDS`).
        self.commit_ends = "taken"

    # Faust's part

    def stop_flow(self) -> None:
        """Faust stops fetching, and empties the agents' queues."""
        self.flow_active = False
        self._runs.clear()

    async def revoked(self) -> None:
        """Faust's order of things, with ours around it (`Consumer.on_partitions_revoked`)."""
        self._epoch += 1
        try:
            self.stop_flow()
            if self.positions:
                await self.wait_empty()
        finally:
            self._forget()
            self.positions = {}

    async def assigned(self, places: set[Place]) -> None:
        """The same of `Consumer.on_partitions_assigned`."""
        self.positions = {place: self._broker.offset(place) for place in places}
        committed = await self.committed(places)
        worker = self._worker
        worker.opening += 1
        worker.world.witness.opening(worker, committed)
        self._host.ledger.open(places, committed)
        for place in places:
            if self._host.ledger.is_new(place):
                # As our `Continuity` does: where a new group begins is committed first.
                self._host.ledger.go_on_from(place, 0)
        self._host.work.resume(self._share_of(places))  # type: ignore[arg-type]
        self._runs.clear()
        self.flow_active = True

    async def fetch(self, most: int, seconds: float) -> None:
        """One turn of Faust's fetcher: `most` records of each partition at most."""
        self.fetch_most, self.fetch_seconds = most, seconds
        try:
            if self.flow_active:  # else the real one would wait until it is
                async for _ in self.getmany(1.0):  # type: ignore[misc]
                    pass
        finally:
            self.is_fetching = False

    def _get_active_partitions(self) -> set[Place]:
        return set(self.positions)

    async def _getmany(
        self,
        active_partitions: set[Place],
        timeout: float,  # noqa: ARG002, ASYNC109 - Faust's signature
    ) -> dict[Place, list[KafkaRecord]]:
        batches = {}
        for place in sorted(active_partitions & self.positions.keys()):
            start = self.positions[place]
            records = self._broker.logs[place][start : start + self.fetch_most]
            if records:
                batches[place] = records
                self.positions[place] = start + len(records)
        await asyncio.sleep(self.fetch_seconds)
        return batches

    def _as_message(self, run: Run[KafkaRecord]) -> Run[KafkaRecord]:
        return run

    async def callback(self, run: Run[KafkaRecord]) -> None:
        """Put a run into the queue of its agent, which comes to it later."""
        self._runs.append(run)
        self._worker.loop.call_soon(self._agent)

    def _agent(self) -> None:
        if not self._runs:
            return  # the queue was emptied
        # In the agent's hand: emptying the queue does not reach it any more.
        self._worker.loop.call_soon(self._work_on, self._runs.popleft())

    def _work_on(self, run: Run[KafkaRecord]) -> None:
        worker = self._worker
        worker.world.witness.taken(worker, run)
        work, topic = worker.work, run.place.topic
        with worker.abort.on_error(f"agent {topic}"):
            if topic == EVENTS:
                work.deliver(run)
            elif topic == RETRY:
                work.deliver_when_due(run)
            else:
                work.notify(run)

    # The consumer thread's part

    def partition_count(self, topic: str) -> int:
        return self._broker.partitions[topic]

    async def commit_all(self, commits: Mapping[Place, Commit]) -> bool:
        """Commit; the way there and back are awaits, so a crash may come on either."""
        how, self.commit_ends = self.commit_ends, "taken"
        await asyncio.sleep(0)
        worker = self._worker
        taken = how != "failed" and worker.world.commit_arrived(worker, commits)
        await asyncio.sleep(0)
        return taken and how != "unanswered"

    async def committed(self, places: set[Place]) -> dict[Place, Commit] | None:
        """What stands committed, as far as anything does; None: Kafka does not answer."""
        hides, self._broker.hides_commits = self._broker.hides_commits, False
        await asyncio.sleep(0)
        known = self._broker.committed
        return None if hides else {place: known[place] for place in places if place in known}


class _NothingIsMissing:
    """Stands in for `Continuity`: here no record is ever deleted, and no fetch passes one over."""

    def may_fetch(self, room: set[Place]) -> set[Place]:
        return room

    async def examine(self, _: object) -> frozenset[Place]:
        return frozenset()


@cache
def _limits(build: Build) -> dict[str, Limits]:
    # As the app makes them: where events wait for their time there is ten times as much room.
    few = build.held_events
    limits = {}
    for topic in CONSUMED:
        events = few * 10 if topic == RETRY or build.order == "screen" else few
        limits[topic] = Limits(events=events, skew=events)
    return limits
