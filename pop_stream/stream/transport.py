"""Faust's transport, so changed that no event can be lost on the way to an agent or to a commit.

Stock Faust hands an agent one event at a time, and commits what the agent acknowledged, past an
event that is still under way (DESIGN.md tells how). This transport hands an agent a *run*,
the records of one partition from one fetch, as one Faust event, and commits what the ledger says.

It overrides as little of Faust as that takes. The places, in the order of a run's life:

getmany                  fetches where the ledger has room, enters the records, hands on the runs
force_commit             commits the ends of the finished prefixes
wait_empty               lets what is under way end, for a bounded time, and commits
on_partitions_revoked    closes the ledger: nothing late counts any more
"""

import asyncio
import logging
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, cast

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from faust.transport.drivers import aiokafka as faust_aiokafka
from faust.types import TP
from faust.types.tuples import ConsumerMessage
from mode import Service

from pop_stream.kafka.clients import keep_to
from pop_stream.kafka.connection import client_options
from pop_stream.stream.consumer_thread import FAUST_LOG, ConsumerThread
from pop_stream.stream.continuity import Bounds, Continuity
from pop_stream.stream.handoff import Outgoing
from pop_stream.stream.host import Host
from pop_stream.stream.ledger import Commit, Place, Run
from pop_stream.stream.record import KafkaRecord

log = logging.getLogger(__name__)

#: Asked for when no partition has room. An empty set would mean all of them to aiokafka; and not
#: to ask at all would count as idle, and after a while as having left the group.
_NO_PARTITION = TP("", 0)
_NO_ROOM_SECONDS = 0.05
_NOTHING: tuple[tuple[TP, Any], ...] = ()
#: Each fetch ends within a second or so, also one that fetches nothing.
_TURN_SECONDS = 15.0
#: Under load each tick commits: a kill may cost what was finished since, in duplicates.
_COMMIT_TICK_SECONDS = 0.05
_COMMIT_EVENTS = 250
_COMMITTED_SECONDS = 10.0


class Consumer(faust_aiokafka.Consumer):
    """Faust's consumer, with runs for messages and the ledger for acknowledgements."""

    _thread: ConsumerThread

    logger = FAUST_LOG

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._host = cast(Host, self.app)
        #: Changes with every revocation, when it begins and when it ends: what was fetched before
        #: is dropped, and read again, and what was to be committed is not.
        self._epoch = 0
        self._committing = asyncio.Lock()
        #: When the last partitions were given up, or the worker began.
        self._revoked_at = time.monotonic()
        #: When it was last tried to fetch.
        self._turned_at = time.monotonic()
        self._continuity = Continuity(
            self._host.ledger,
            self,
            tell=self._host.holes.tell,
            note_ends=self._note_ends,
            may_start_over=self._host.may_start_over,
            abort=self._host.abort,
        )

    async def bounds(self, places: Collection[TP]) -> Mapping[TP, Bounds]:
        """Where partitions begin and end now. Raises KafkaError."""
        return await self._thread.bounds(places)

    async def commit_beginnings(self) -> bool:
        """Commit where this group begins; whether all that is open has a commit now."""
        if self._host.ledger.has_beginnings:
            await self.commit()
        return not self._host.ledger.has_beginnings

    async def seek_to(self, place: TP, offset: int) -> None:
        """Let a partition be fetched from an offset."""
        await self._thread.start_at(place, offset)

    def _note_ends(self, ends: Mapping[Place, int]) -> None:
        # The work exists only once the app has started, so it is looked up with each look.
        self._host.work.note_ends(ends)

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Any]]:  # noqa: ASYNC109
        """Fetch, and hand the runs to the agents. Yields nothing: Faust has no more to do."""
        self._turned_at = time.monotonic()
        if not self.flow_active:
            await self.can_resume_flow.wait()
        epoch = self._epoch
        ledger = self._host.ledger
        active = self._get_active_partitions()
        room = set() if self._is_behind else {TP(*place) for place in ledger.with_room()} & active
        wanted = self._continuity.may_fetch(room)
        batches = await self._getmany(
            active_partitions=wanted or {_NO_PARTITION},
            # Room may come back at any moment: a long wait for the others would overlook it.
            timeout=timeout if len(wanted) == len(active) else _NO_ROOM_SECONDS,
        )
        if self.should_stop or epoch != self._epoch:
            return
        again = await self._continuity.examine(batches)
        if epoch != self._epoch:
            return
        runs = [
            ledger.take(*place, records) for place, records in batches.items() if place not in again
        ]
        for run in runs:
            if run is not None:
                await self.callback(self._as_message(run))
        for nothing in _NOTHING:
            yield nothing

    @property
    def _is_behind(self) -> bool:
        receipts = self._host.receipts
        return receipts is not None and receipts.is_behind

    def trouble(self, now: float, member_ids: Collection[str]) -> str | None:
        """Why nothing can be expected of this consumer, if so.

        `now` is a monotonic time; `member_ids` are those in the group, as Kafka says.
        """
        if self._thread.member_id not in member_ids:
            return "the worker is not in its group any more"
        if now - self._turned_at > _TURN_SECONDS:
            return f"nothing was fetched for {now - self._turned_at:.0f} s, not even in vain"
        if self._continuity.stuck and not self._is_behind:
            stuck = ", ".join(sorted(f"{one.topic}/{one.partition}"
                                     for one in self._continuity.stuck))  # fmt: skip
            return f"there are records, and none comes: {stuck}"
        return None

    @Service.task
    async def _watch_continuity(self) -> None:
        await self._continuity.watch()

    def _as_message(self, run: Run[KafkaRecord]) -> ConsumerMessage:
        topic, partition = run.place
        value = cast(bytes, run)  # Faust carries it; the agents' schema leaves it as it is.
        return ConsumerMessage(
            topic,
            partition,
            run.offsets[-1],
            0.0,
            0,
            [],
            None,
            value,
            None,
            tp=TP(topic, partition),
            generation_id=self.app.consumer_generation_id,
        )

    @Service.task
    async def _commit_handler(self) -> None:
        # After a kill, what was finished since the last commit is delivered twice. So a busy
        # worker commits by count, many times a second, and a quiet one by the clock.
        ledger = self._host.ledger
        seen, waited = 0, 0.0
        while not self.should_stop:
            await asyncio.sleep(_COMMIT_TICK_SECONDS)
            waited += _COMMIT_TICK_SECONDS
            if waited >= self.commit_interval or ledger.finished - seen >= _COMMIT_EVENTS:
                seen, waited = ledger.finished, 0.0
                await self.commit()

    @Service.task
    async def _commit_livelock_detector(self) -> None:
        """Nothing: Faust's detector looks at acknowledgements, which are not used here."""

    async def commit(
        self,
        topics: Any = None,
        start_new_transaction: bool = True,
    ) -> bool:
        """Commit, after any commit under way.

        Faust would take that one for this one too; but it may have begun before the last event
        was finished, and the commit at the end of a drain must not miss that.
        """
        async with self._committing:
            return await self.force_commit(topics, start_new_transaction)

    async def force_commit(
        self,
        topics: Any = None,  # noqa: ARG002 - Faust's signature
        start_new_transaction: bool = True,  # noqa: ARG002
    ) -> bool:
        """Commit the end of each partition's finished prefix, once its deliveries are receipted."""
        ledger, receipts, epoch = self._host.ledger, self._host.receipts, self._epoch
        # First: what is delivered while receipts are written is not among these.
        commits = ledger.commits()
        if receipts is not None and not await receipts.write():
            return False
        if not commits or epoch != self._epoch:
            return False
        tally, began = self._host.tally, time.monotonic()
        taken = await self._thread.commit_all(commits)
        tally.commit_duration_seconds.observe(time.monotonic() - began)
        tally.commits[("taken" if taken else "refused",)] += 1
        if taken:
            ledger.committed(commits)
        return taken

    async def wait_empty(self) -> None:
        """Let what is under way end, for a bounded time, and commit what is finished."""
        # Whatever was thrown here would leave the process hanging, deaf to SIGTERM.
        await self._host.work.drain()
        try:
            await asyncio.wait_for(self.commit(), timeout=5.0)
        except Exception:
            log.exception("commit.failed")
        if self.should_stop or self.app.should_stop:
            # There will be no commit after this one, nor a producer to hand off with.
            self._forget()

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Drain and commit, then forget: nothing late counts any more."""
        self._epoch += 1
        self._revoked_at = time.monotonic()
        try:
            await super().on_partitions_revoked(revoked)
        finally:
            self._forget()

    def _forget(self) -> None:
        # Here as well: a commit that began in the drain may still wait for its receipts.
        self._epoch += 1
        self._host.ledger.close()
        if self._host.receipts is not None:
            self._host.receipts.forget()

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Open the ledger for what is ours now."""
        committed = await self._what_stands_committed(assigned)
        self._host.ledger.open({Place(*place) for place in assigned}, committed)
        self._continuity.assigned(assigned)
        self._host.work.resume(self._share_of(assigned))
        self._tell_of_rebalance(assigned, generation_id)
        await super().on_partitions_assigned(assigned, generation_id)

    def _tell_of_rebalance(self, assigned: set[TP], generation_id: int) -> None:
        tally, seconds = self._host.tally, time.monotonic() - self._revoked_at
        tally.rebalances[()] += 1
        tally.rebalance_duration_seconds.observe(seconds)
        mine = Counter(place.topic for place in assigned)
        log.info("group.assigned", extra={"partitions": dict(mine), "generation": generation_id,
                                          "seconds": round(seconds, 3)})  # fmt: skip
        # A topic of which nothing is left is still shown, with 0.
        topics = {*mine, *(topic for (topic,) in tally.assigned_partitions)}
        tally.assigned_partitions = {(topic,): mine[topic] for topic in topics}

    def _share_of(self, assigned: set[TP]) -> float:
        """The part of all attempts that is ours: the shares of all workers add up to 1.

        Each topic from which attempts are made has as much as the others, whoever consumes it.
        """
        topics = self._host.attempted_topics
        mine = Counter(place.topic for place in assigned)
        parts = (
            mine[topic] / self._thread.partition_count(topic) for topic in topics if mine[topic]
        )
        return min(sum(parts) / len(topics), 1.0)

    async def _what_stands_committed(self, places: set[TP]) -> dict[Place, Commit] | None:
        try:
            return await asyncio.wait_for(self._thread.committed(places), _COMMITTED_SECONDS)
        except (KafkaError, TimeoutError) as error:
            # Then what is finished beyond the offsets is done again: duplicates, and no loss.
            log.warning("committed.unread", extra={"error": repr(error)})
            return None


class Producer(faust_aiokafka.Producer):
    """Faust's producer, with a way to wait for the broker's answer."""

    logger = FAUST_LOG

    def _settings_auth(self) -> Mapping[str, Any]:
        return client_options(cast(Host, self.app).settings)

    def _new_producer(self, transactional_id: str | None = None) -> AIOKafkaProducer:
        producer = super()._new_producer(transactional_id)
        keep_to(cast(Host, self.app).settings, producer.client)
        return producer

    async def confirm(
        self,
        topic: str,
        *,
        key: bytes | None,
        value: bytes | None,
        headers: list[tuple[str, bytes]],
    ) -> None:
        """Write a record. Returns once all in-sync replicas have it (acks=all); else raises."""
        if key is None and value is None:
            # aiokafka's `send` takes no such record, though Kafka does.
            await self.confirm_together(topic, [Outgoing(topic, None, None, headers)])
            return
        written = await self._ensure_producer().send(topic, key=key, value=value, headers=headers)
        await written

    async def confirm_together(self, topic: str, records: Sequence[Outgoing]) -> None:
        """Write records to any one partition of a topic, in as few requests as hold them.

        Returns once all in-sync replicas have all of them; else raises, and some may be written.
        """
        producer = self._ensure_producer()
        partitions = await producer.partitions_for(topic)
        # One without a leader would take as long as the request's whole time, and in vain.
        led = producer.client.cluster.available_partitions_for_topic(topic) or partitions
        partition = random.choice(tuple(led))  # noqa: S311
        for batch in _batches_of(records, producer.create_batch):
            batch.close()  # an open one would wait for more records
            await (await producer.send_batch(batch, topic, partition=partition))


def _batches_of(records: Sequence[Outgoing], make: Callable[[], Any]) -> Iterator[Any]:
    batch = make()
    for one in records:
        record = {"timestamp": None, "key": one.key, "value": one.value, "headers": one.headers}
        if batch.append(**record) is None:
            yield batch
            batch = make()  # an empty one takes any record
            batch.append(**record)
    yield batch


class Transport(faust_aiokafka.Transport):
    """The run transport. `app.transport = Transport([URL(...)], app)`; the app is a `Host`."""

    Consumer = Consumer
    Producer = Producer
