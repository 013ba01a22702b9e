"""The aiokafka consumer in its own thread: what it fetches and commits, and how it is made."""

import asyncio
import logging
from collections.abc import Collection, Mapping
from typing import Any, cast

import aiokafka
from aiokafka.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from faust.transport.drivers import aiokafka as faust_aiokafka
from faust.types import TP

from pop_stream.kafka.clients import keep_to
from pop_stream.kafka.connection import client_options
from pop_stream.kafka.fetch_sessions import fetch_in_sessions
from pop_stream.kafka.header_names import read_any_header_name
from pop_stream.kafka.stored_records import as_stored, hand_out_as_stored
from pop_stream.stream.continuity import Bounds
from pop_stream.stream.host import Host
from pop_stream.stream.ledger import Commit, Place
from pop_stream.stream.record import KafkaRecord

log = logging.getLogger(__name__)

_POSITION_SECONDS = 2.0
#: Where Faust's own code in these classes talks; else it would talk in our name.
FAUST_LOG = logging.getLogger("faust.transport")


class ConsumerThread(faust_aiokafka.AIOKafkaConsumerThread):
    """The aiokafka consumer in its own thread and loop, so that heartbeats never wait for work."""

    logger = FAUST_LOG

    def _create_worker_consumer(
        self,
        transport: faust_aiokafka.Transport,  # noqa: ARG002 - Faust's signature
    ) -> aiokafka.AIOKafkaConsumer:
        conf = self.app.conf
        host = cast(Host, self.app)
        self._assignor = RoundRobinPartitionAssignor
        read_any_header_name()
        hand_out_as_stored()
        session_timeout_ms = int(host.settings.session_timeout_seconds * 1000)
        consumer = aiokafka.AIOKafkaConsumer(
            **client_options(host.settings),
            client_id=conf.broker_client_id,
            group_id=conf.id,
            partition_assignment_strategy=[self._assignor],
            enable_auto_commit=False,
            value_deserializer=as_stored,
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
            # So soon partitions that are added are delivered, and a topic made anew is noticed.
            metadata_max_age_ms=10_000,
        )
        keep_to(host.settings, consumer._client)  # noqa: SLF001 - it has no other way in
        fetch_in_sessions(consumer)
        return consumer

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

    def partition_count(self, topic: str) -> int:
        """How many partitions a topic has of which some are ours."""
        # Not Faust's topic_partitions(): during a rebalance it knows of none.
        return len(self._ensure_consumer().partitions_for_topic(topic) or (0,))

    @property
    def member_id(self) -> str:
        """What the group calls this worker; empty before it has joined."""
        coordinator: Any = self._ensure_consumer()._coordinator  # noqa: SLF001 - no public way
        return str(coordinator.member_id)

    async def bounds(self, places: Collection[TP]) -> dict[TP, Bounds]:
        """Where partitions begin and end now. Raises KafkaError."""
        found: dict[TP, Bounds] = await self.call_thread(self._bounds, places)
        return found

    async def _bounds(self, places: Collection[TP]) -> dict[TP, Bounds]:
        consumer = self._ensure_consumer()
        wanted = [TopicPartition(*place) for place in places]
        begins = await consumer.beginning_offsets(wanted)
        ends = await consumer.end_offsets(wanted)
        found = {}
        for place in wanted:
            try:
                async with asyncio.timeout(_POSITION_SECONDS):
                    position = await consumer.position(place)
            except (IllegalStateError, TimeoutError):
                # It was revoked meanwhile, or nobody knows yet: then it is not behind.
                position = ends[place]
            found[TP(*place)] = Bounds(begins[place], ends[place], position)
        return found

    async def start_at(self, place: TP, offset: int) -> None:
        """Fetch from this offset on, if the partition is still ours."""
        await self.call_thread(self._start_at, place, offset)

    async def _start_at(self, place: TP, offset: int) -> None:
        if place in self.assignment():
            self._ensure_consumer().seek(TopicPartition(*place), offset)

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
