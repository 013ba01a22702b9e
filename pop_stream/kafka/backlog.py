"""How much of the topics the workers have still before them."""

from dataclasses import dataclass

from pop_stream.errors import missing_topic
from pop_stream.kafka.group import partitions_of
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
    states = await partitions_of(settings, topics)
    if missing := set(topics) - {state.topic for state in states}:
        raise missing_topic(*missing)
    return [
        Backlog(
            topic=topic,
            ends=sum(state.end for state in states if state.topic == topic),
            # What retention has deleted is not before anybody any more.
            committed=sum(state.next for state in states if state.topic == topic),
        )
        for topic in topics
    ]
