"""The workers' group as Kafka knows it: who is in it, what it has committed, and of what."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    GroupCoordinatorNotAvailableError,
    KafkaTimeoutError,
)
from aiokafka.structs import OffsetAndMetadata

from pop_stream.errors import WorkFailedError
from pop_stream.kafka.admin import connected_admin
from pop_stream.kafka.allowed import is_hidden, no_right_to_see, topics_named
from pop_stream.kafka.clients import consumer_of
from pop_stream.settings import Settings

#: The client would look for a deleted topic for 40 s. Three tries of a slow Kafka take 15.
_BOUNDS_MS: Final = 5000
_TRIES: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionState:
    """Where one partition begins and ends, and what the group has committed."""

    topic: str
    partition: int
    begin: int
    end: int
    #: None: nothing.
    committed: int | None

    @property
    def next(self) -> int:
        """The offset of the first record that is not done, and still there."""
        return max(self.begin, self.committed or 0)

    @property
    def lag(self) -> int:
        """How many records are not done, at most. The offsets are read one after the other."""
        return max(self.end - self.next, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Somebody in the group."""

    client_id: str
    host: str
    member_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupState:
    """A group at one moment."""

    #: As Kafka calls it: Stable, PreparingRebalance, CompletingRebalance, Empty or Dead.
    state: str
    members: tuple[Member, ...]


async def partitions_of(settings: Settings, topics: Sequence[str]) -> list[PartitionState]:
    """Look at all partitions of topics that exist. Joins no group.

    Raises KafkaUnreachableError, and WorkFailedError when Kafka refuses.
    """
    async with connected_admin(settings) as admin:
        for tries_left in reversed(range(_TRIES)):
            described = await topics_named(admin, topics)
            if hidden := [topic["topic"] for topic in described if is_hidden(topic)]:
                raise no_right_to_see(hidden)
            places = [
                TopicPartition(topic["topic"], one["partition"])
                for topic in described
                for one in topic["partitions"]
            ]
            offsets = await committed_by(admin, settings.group) if places else {}
            try:
                begins, ends = await _bounds_of(settings, places)
                break
            except KafkaTimeoutError:
                # Of a topic that was deleted just now: what is left is asked again.
                if not tries_left:
                    raise
    return [
        PartitionState(
            topic=place.topic,
            partition=place.partition,
            begin=begins[place],
            end=ends[place],
            committed=offsets.get(place),
        )
        for place in places
    ]


async def _bounds_of(
    settings: Settings, places: Sequence[TopicPartition]
) -> tuple[dict[TopicPartition, int], dict[TopicPartition, int]]:
    """Where partitions begin and end. Raises KafkaTimeoutError when one is not there."""
    if not places:
        return {}, {}
    async with consumer_of(settings, request_timeout_ms=_BOUNDS_MS) as consumer:
        return await consumer.beginning_offsets(places), await consumer.end_offsets(places)


async def commits_by(
    admin: AIOKafkaAdminClient, group: str
) -> dict[TopicPartition, OffsetAndMetadata]:
    """A group's commits, with their metadata, of each partition of which it has committed.

    Raises WorkFailedError when this user may not look at the group.
    """
    try:
        offsets = await admin.list_consumer_group_offsets(group)
    except GroupCoordinatorNotAvailableError:
        return {}  # a new Kafka, on which no group has committed anything yet
    except GroupAuthorizationFailedError as error:
        raise _no_right(group) from error
    return {place: entry for place, entry in offsets.items() if entry.offset >= 0}


async def committed_by(admin: AIOKafkaAdminClient, group: str) -> dict[TopicPartition, int]:
    """What a group has committed, of each partition of which it has committed anything."""
    return {place: entry.offset for place, entry in (await commits_by(admin, group)).items()}


async def group_of(admin: AIOKafkaAdminClient, group: str) -> GroupState:
    """Who is in the group now, and whether it is at rest.

    Raises WorkFailedError when this user may not look at the group.
    """
    try:
        (answer,) = await admin.describe_consumer_groups([group])
    except GroupCoordinatorNotAvailableError:
        return GroupState(state="Dead", members=())
    except GroupAuthorizationFailedError as error:
        raise _no_right(group) from error
    (described,) = answer.to_object()["groups"]
    members = tuple(
        Member(
            client_id=one["client_id"],
            host=one["client_host"].removeprefix("/"),
            member_id=one["member_id"],
        )
        for one in described["members"]
    )
    return GroupState(state=described["state"], members=members)


def _no_right(group: str) -> WorkFailedError:
    return WorkFailedError(f"no right to look at the group {group}: this user needs Describe on it")
