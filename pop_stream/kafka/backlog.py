"""How much of the topics the workers have still before them."""

from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import GroupCoordinatorNotAvailableError

from pop_stream.errors import TopicsMissingError
from pop_stream.kafka.admin import connected_admin
from pop_stream.kafka.connection import client_options
from pop_stream.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """One topic, all its partitions together, at one moment."""

    topic: str
    #: How many records it has ever had.
    ends: int
    #: How many of them are committed, or gone by retention.
    committed: int

    @property
    def events(self) -> int:
        """What is still to be done, at most: some of it may be finished and not committable yet."""
        return self.ends - self.committed


async def backlog_of(settings: Settings, topics: tuple[str, ...]) -> list[Backlog]:
    """Look at the topics as the group of the settings has left them.

    Joins no group. Raises KafkaUnreachableError, TopicsMissingError, and WorkFailedError when
    Kafka refuses.
    """
    async with connected_admin(settings) as admin:
        described = await admin.describe_topics(list(topics))
        places = {
            topic["topic"]: [
                TopicPartition(topic["topic"], one["partition"]) for one in topic["partitions"]
            ]
            for topic in described
        }
        if missing := [topic for topic in topics if not places[topic]]:
            raise TopicsMissingError(
                f"no such topic: {', '.join(missing)}; `pop-stream topics ensure` creates it"
            )
        try:
            offsets = await admin.list_consumer_group_offsets(settings.group)
        except GroupCoordinatorNotAvailableError:
            offsets = {}  # a new Kafka, on which no group has committed anything yet
        async with AIOKafkaConsumer(**client_options(settings)) as consumer:
            every = [place for some in places.values() for place in some]
            ends = await consumer.end_offsets(every)
            begins = await consumer.beginning_offsets(every)
    done = {
        # What retention has deleted is not before anybody any more.
        place: max(begins[place], offsets[place].offset if place in offsets else 0)
        for place in every
    }
    return [
        Backlog(
            topic=topic,
            ends=sum(ends[place] for place in places[topic]),
            committed=sum(done[place] for place in places[topic]),
        )
        for topic in topics
    ]
