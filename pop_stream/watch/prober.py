"""Looks at Kafka from outside the workers: what is owed, how old it is, how long it is kept.

It outlives the workers, so that their death cannot hide what they left. All of it is read where
it stands: the age of the oldest event is that of the record at the committed offset. Nobody's group
is joined, and nothing is committed.
"""

import logging
import math
import time
from collections.abc import Mapping, Sequence

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError, TopicAuthorizationFailedError

from pop_stream.errors import WorkFailedError, missing_topic, no_right_to_read
from pop_stream.kafka.admin import connected_admin
from pop_stream.kafka.group import PartitionState, group_of, partitions_of
from pop_stream.kafka.reading import Record, first_records, read_all
from pop_stream.kafka.redrives import all_steps, passed_by
from pop_stream.kafka.topics import configs_of, retention_of
from pop_stream.pop.redrive import Passed
from pop_stream.pop.trail import Origin, trail_from_own_topic
from pop_stream.settings import Settings
from pop_stream.watch.look import Look, Owed, owed_of
from pop_stream.watch.parked import ParkedEvents

log = logging.getLogger(__name__)

_READ_SECONDS = 60.0


class Prober:
    """Looks at the topics of one group. Belongs to one event loop."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._schedule = all_steps(settings)
        self._parked = ParkedEvents(self._schedule)
        #: Up to where the failure topic and the marks were read.
        self._read_to: dict[TopicPartition, int] = {}
        self._marks_missing = False
        self._unseen: frozenset[str] = frozenset()

    async def look(self) -> Look:
        """Look once.

        Raises KafkaUnreachableError, TopicsMissingError, and WorkFailedError when Kafka refuses.
        """
        settings, began = self._settings, time.monotonic()
        worked = (settings.events_topic, settings.retry_topic, settings.failure_topic)
        states = await partitions_of(settings, (*worked, settings.settled_topic))
        missing = {*worked, settings.settled_topic} - {state.topic for state in states}
        if missing.intersection(worked):
            raise missing_topic(*missing)
        self._tell_of_marks(is_missing=bool(missing))
        async with connected_admin(settings) as admin:
            group = await group_of(admin, settings.group)
            configs = await configs_of(admin, worked)
            redriven = await passed_by(admin, settings)
        seen = tuple(state for state in states if state.topic in worked)
        self._tell_of_retention(frozenset(t for t in worked if not configs.get(t)))
        retention = {topic: _retention(configs.get(topic, {})) for topic in worked}
        try:
            owed = await self._oldest(seen, retention)
            await self._read_parked(states, redriven)
        except TopicAuthorizationFailedError as error:
            raise no_right_to_read(", ".join(map(str, error.args)) or "the topics") from error
        except KafkaError as error:
            raise WorkFailedError(
                f"Kafka did not give the records ({error!r}); `pop-stream doctor` says how Kafka is"
            ) from error
        waiting = self._parked.waiting()
        owed[settings.failure_topic] = owed_of(
            [(each.produced_at, each.parked_at) for each in waiting],
            retention[settings.failure_topic],
        )
        return Look(
            at=time.time(),
            seconds=time.monotonic() - began,
            partitions=seen,
            owed=owed,
            retention_seconds=retention,
            parked=len(waiting),
            group=group,
        )

    def _tell_of_marks(self, *, is_missing: bool) -> None:
        if is_missing and not self._marks_missing:
            # No reason to be blind to all else: what is settled counts as parked meanwhile.
            log.error("watch.no_marks", extra={"topic": self._settings.settled_topic,
                                               "remedy": "pop-stream topics ensure"})  # fmt: skip
        self._marks_missing = is_missing

    def _tell_of_retention(self, unseen: frozenset[str]) -> None:
        if unseen - self._unseen:
            # All else can be told; but what is about to be deleted looks as if it were kept.
            log.error("watch.retention_unseen", extra={"topics": sorted(unseen), "remedy":
                      "this user needs DescribeConfigs on them"})  # fmt: skip
        self._unseen = unseen

    async def _oldest(
        self, states: Sequence[PartitionState], retention: Mapping[str, float]
    ) -> dict[str, Owed]:
        """What is owed on the topics from which attempts are made."""
        settings = self._settings
        spans = {
            _place(state): (state.next, state.end)
            for state in states
            if state.lag and state.topic != settings.failure_topic
        }
        found = await first_records(settings, spans)
        owed = {}
        for topic in (settings.events_topic, settings.retry_topic):
            times = [
                (_produced_at(record, is_ours=topic == settings.retry_topic), record.timestamp)
                for place, record in found.items()
                if place.topic == topic
            ]
            owed[topic] = owed_of(times, retention[topic])
        return owed

    async def _read_parked(self, states: Sequence[PartitionState], redriven: Passed) -> None:
        settings = self._settings
        if any(state.end < self._read_to.get(_place(state), 0) for state in states):
            # A topic was made anew: what was read of the old one is gone.
            self._parked, self._read_to = ParkedEvents(self._schedule), {}
        parked, spans = self._parked, {}
        for state in states:
            place = _place(state)
            begin = max(self._read_to.get(place, 0), state.begin)
            if (
                state.topic in (settings.failure_topic, settings.settled_topic)
                and begin < state.end
            ):
                spans[place] = (begin, state.end)

        def take(record: Record) -> None:
            if record.topic == settings.settled_topic:
                parked.mark(record.key, record.value)
            else:
                parked.park(
                    record.topic, record.partition, record.offset, record.timestamp, record.headers
                )

        await read_all(settings, spans, take, within_seconds=_READ_SECONDS)
        self._read_to |= {place: end for place, (_, end) in spans.items()}
        parked.sent_back(redriven)
        parked.deleted({s.partition: s.begin for s in states if s.topic == settings.failure_topic})


def _produced_at(record: Record, *, is_ours: bool) -> int:
    """When the player's own record was stored, in epoch milliseconds."""
    if not is_ours:
        return record.timestamp
    here = Origin(record.topic, record.partition, record.offset, record.timestamp)
    return trail_from_own_topic(record.headers, here).origin.timestamp


def _place(state: PartitionState) -> TopicPartition:
    return TopicPartition(state.topic, state.partition)


def _retention(config: Mapping[str, str]) -> float:
    """In seconds; infinite when it keeps everything, or when Kafka does not let us see it."""
    seconds = retention_of(config)
    return math.inf if seconds is None else seconds
