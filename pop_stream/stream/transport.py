"""Faust's transport, so changed that no event can be lost on the way to an agent or to a commit.

Stock Faust hands an agent one event at a time, and commits what the agent acknowledged, past an
event that is still under way (docs/design.md tells how). This transport hands an agent a *run*,
the records of one partition from one fetch, as one Faust event, and commits what the ledger says.

It overrides as little of Faust as that takes. The places, in the order of a run's life:

getmany                  fetches where the ledger has room, enters the records, hands on the runs
force_commit             commits the ends of the finished prefixes
wait_empty               lets what is under way end, for a bounded time, and commits
on_partitions_revoked    closes the ledger: nothing late counts any more
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from typing import Any, Protocol, cast

import aiokafka
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from faust.transport.drivers import aiokafka as faust_aiokafka
from faust.types import TP
from faust.types.tuples import ConsumerMessage
from mode import Service

from pop_stream.stream.ledger import Commit, Ledger, Place, Run
from pop_stream.stream.record import KafkaRecord

log = logging.getLogger(__name__)
#: Where Faust's own code in these classes talks; else it would talk in our name.
_FAUST_LOG = logging.getLogger("faust.transport")

#: Asked for when no partition has room. An empty set would mean all of them to aiokafka; and not
#: to ask at all would count as idle, and after a while as having left the group.
_NO_PARTITION = TP("", 0)
_NO_ROOM_SECONDS = 0.05
_NOTHING: tuple[tuple[TP, Any], ...] = ()
_COMMIT_TICK_SECONDS = 0.02
_COMMIT_EVENTS = 250
_COMMITTED_SECONDS = 10.0


class Work(Protocol):
    """The events under way, as the transport needs them."""

    def resume(self) -> None:
        """Take up work again: partitions were assigned."""

    async def drain(self) -> None:
        """Start nothing new, and wait a bounded time for what is under way. Never raises."""


class Host(Protocol):
    """The app, as the transport needs it beside what Faust itself needs."""

    ledger: Ledger[KafkaRecord]
    work: Work
    #: How aiokafka reaches Kafka: `pop_stream.kafka.connection`.
    kafka_options: Mapping[str, Any]
    session_timeout_seconds: float


class ConsumerThread(faust_aiokafka.AIOKafkaConsumerThread):
    """The aiokafka consumer in its own thread and loop, so that heartbeats never wait for work."""

    logger = _FAUST_LOG

    def _create_worker_consumer(
        self,
        transport: faust_aiokafka.Transport,  # noqa: ARG002 - Faust's signature
    ) -> aiokafka.AIOKafkaConsumer:
        conf = self.app.conf
        host = cast(Host, self.app)
        self._assignor = RoundRobinPartitionAssignor
        session_timeout_ms = int(host.session_timeout_seconds * 1000)
        return aiokafka.AIOKafkaConsumer(
            **host.kafka_options,
            client_id=conf.broker_client_id,
            group_id=conf.id,
            partition_assignment_strategy=[self._assignor],
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            max_poll_records=conf.broker_max_poll_records,
            max_poll_interval_ms=int(conf.broker_max_poll_interval * 1000),
            # What aiokafka reads ahead is memory: 8 MiB are about 25,000 events.
            max_partition_fetch_bytes=512 * 1024,
            fetch_max_bytes=8 * 1024 * 1024,
            fetch_max_wait_ms=500,
            session_timeout_ms=session_timeout_ms,
            heartbeat_interval_ms=session_timeout_ms // 4,
            rebalance_timeout_ms=int(conf.broker_rebalance_timeout * 1000),
            request_timeout_ms=int(conf.broker_request_timeout * 1000),
            metadata_max_age_ms=30_000,
        )

    async def _fetch_records(
        self,
        consumer: aiokafka.AIOKafkaConsumer,
        active_partitions: set[TP],
        timeout: float | None = None,  # noqa: ASYNC109 - Faust's signature
        max_records: int | None = None,
    ) -> Mapping[TP, list[KafkaRecord]]:
        subscriptions = consumer._subscription  # noqa: SLF001 - aiokafka has no public way
        if subscriptions.reassignment_in_progress:
            return {}
        assignment = subscriptions.subscription.assignment
        batches: Mapping[TP, list[KafkaRecord]] = await super()._fetch_records(
            consumer, active_partitions, timeout=timeout, max_records=max_records
        )
        current = subscriptions.subscription.assignment
        if batches and current is not assignment:
            # These came from the new assignment, before the ledger knows of it: aiokafka counts
            # them as read, so they would never be handed out again.
            for place, records in batches.items():
                if current is not None and place in current.tps:
                    consumer.seek(place, records[0].offset)
            return {}
        return batches

    async def committed(self, places: set[TP]) -> dict[Place, Commit]:
        """What stands committed for partitions that were just assigned."""
        found: dict[Place, Commit] = await self.call_thread(self._committed, places)
        return found

    async def _committed(self, places: set[TP]) -> dict[Place, Commit]:
        # Not consumer.committed(): it leaves the metadata out.
        coordinator: Any = self._ensure_consumer()._coordinator  # noqa: SLF001
        found = await coordinator.fetch_committed_offsets([TopicPartition(*p) for p in places])
        return {Place(*place): Commit(each.offset, each.metadata) for place, each in found.items()}

    async def commit_all(self, commits: Mapping[Place, Commit]) -> bool:
        """Commit. Returns whether the broker took it; raises what trying again cannot mend."""
        taken: bool = await self.call_thread(self._commit_all, commits)
        return taken

    async def _commit_all(self, commits: Mapping[Place, Commit]) -> bool:
        assigned = self.assignment()
        owned = {
            TopicPartition(*place): OffsetAndMetadata(commit.offset, commit.metadata)
            for place, commit in commits.items()
            if TP(*place) in assigned
        }
        if not owned:
            return False
        try:
            await self._ensure_consumer().commit(owned)
        except (CommitFailedError, IllegalStateError):
            # The group has moved on: the new owner commits, and reads again what we did not.
            log.info("commit.refused")
            return False
        except KafkaError as error:
            if not error.retriable:
                raise
            log.warning("commit.failed", extra={"error": repr(error)})
            return False
        return True


class Consumer(faust_aiokafka.Consumer):
    """Faust's consumer, with runs for messages and the ledger for acknowledgements."""

    _thread: ConsumerThread

    logger = _FAUST_LOG

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._host = cast(Host, self.app)
        #: Changes with every revocation: what was fetched before it is dropped, and read again.
        self._epoch = 0
        self._committing = asyncio.Lock()

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Any]]:  # noqa: ASYNC109
        """Fetch, and hand the runs to the agents. Yields nothing: Faust has no more to do."""
        if not self.flow_active:
            await self.can_resume_flow.wait()
        epoch = self._epoch
        ledger = self._host.ledger
        active = self._get_active_partitions()
        wanted = {TP(*place) for place in ledger.with_room()} & active
        batches = await self._getmany(
            active_partitions=wanted or {_NO_PARTITION},
            # Room may come back at any moment: a long wait for the others would overlook it.
            timeout=timeout if len(wanted) == len(active) else _NO_ROOM_SECONDS,
        )
        if self.should_stop or epoch != self._epoch:
            return
        runs = [ledger.take(*place, records) for place, records in batches.items()]
        for run in runs:
            if run is not None:
                await self.callback(self._as_message(run))
        for nothing in _NOTHING:
            yield nothing

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
        """Commit the end of each partition's finished prefix."""
        ledger = self._host.ledger
        commits = ledger.commits()
        if not commits or not await self._thread.commit_all(commits):
            return False
        ledger.committed(commits)
        return True

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
            self._host.ledger.close()

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Drain and commit, then forget: nothing late counts any more."""
        self._epoch += 1
        try:
            await super().on_partitions_revoked(revoked)
        finally:
            self._host.ledger.close()

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Open the ledger for what is ours now."""
        committed = await self._what_stands_committed(assigned)
        self._host.ledger.open({Place(*place) for place in assigned}, committed)
        self._host.work.resume()
        await super().on_partitions_assigned(assigned, generation_id)

    async def _what_stands_committed(self, places: set[TP]) -> dict[Place, Commit]:
        try:
            return await asyncio.wait_for(self._thread.committed(places), _COMMITTED_SECONDS)
        except (KafkaError, TimeoutError) as error:
            # Then what is finished beyond the offsets is done again: duplicates, and no loss.
            log.warning("committed.unread", extra={"error": repr(error)})
            return {}


class Producer(faust_aiokafka.Producer):
    """Faust's producer, with a way to wait for the broker's answer."""

    logger = _FAUST_LOG

    def _settings_auth(self) -> Mapping[str, Any]:
        return cast(Host, self.app).kafka_options

    async def confirm(
        self,
        topic: str,
        *,
        key: bytes | None,
        value: bytes | None,
        headers: list[tuple[str, bytes]],
    ) -> None:
        """Write a record. Returns once all in-sync replicas have it (acks=all); else raises."""
        written = await self._ensure_producer().send(topic, key=key, value=value, headers=headers)
        await written


class Transport(faust_aiokafka.Transport):
    """The run transport. `app.transport = Transport([URL(...)], app)`; the app is a `Host`."""

    Consumer = Consumer
    Producer = Producer
