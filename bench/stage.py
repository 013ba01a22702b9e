"""What all runs share: one Kafka, and the topics that they read."""

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from bench.backlog import Say, fill
from bench.variants import Topic
from pop_stream.errors import WorkFailedError
from pop_stream.kafka import topics
from pop_stream.kafka.local import LocalKafka, LocalKafkaOptions
from pop_stream.settings import TOPICS, Settings, load_settings

#: What an event takes on the disk, and room for all else.
_EVENT_BYTES = 600
_SPARE_BYTES = 2**30
#: All topics but that of the events, by their settings.
_OTHERS = tuple(each for each in TOPICS if each != "events_topic")


class Stage:
    """A Kafka of its own. A topic is written when a run needs it for the first time."""

    def __init__(
        self, settings: Settings, broker_pid: int, say: Say, *, prefix: str = "bench"
    ) -> None:
        self.settings = settings
        self.broker_pid = broker_pid
        self.say = say
        self._prefix = prefix
        self._names: dict[Topic, str] = {}

    def filled(self, topic: Topic) -> str:
        """Give the name of a topic that holds these events."""
        if topic not in self._names:
            self._require_room(topic)
            name = f"{self._prefix}-{topic.events}-on-{topic.partitions}"
            self.say(f"writing {topic.events:,} events on {topic.partitions} partitions")
            asyncio.run(fill(self.with_events(name), topic, say=self.say))
            self._names[topic] = name
        return self._names[topic]

    def fresh(self, name: str, topic: Topic) -> Settings:
        """Make a topic of that name, with these events, for one run. The settings that name it."""
        settings = self.with_events(name)
        asyncio.run(fill(settings, topic))
        return settings

    def fresh_others(self, name: str, partitions: int) -> dict[str, str]:
        """Make new topics of all that a worker writes to. The settings that name them."""
        names = {each: f"{name}-{each.removesuffix('_topic')}" for each in _OTHERS}
        settings = self.settings.model_copy(update=names)
        asyncio.run(topics.ensure(settings, partitions=partitions))
        return names

    def shared_others(self) -> dict[str, str]:
        """The settings that name the topics that all runs share, which stay empty."""
        return {each: getattr(self.settings, each) for each in _OTHERS}

    def with_events(self, name: str) -> Settings:
        """The settings, with another topic for events."""
        return self.settings.model_copy(update={"events_topic": name})

    def _require_room(self, topic: Topic) -> None:
        folder = tempfile.gettempdir()
        needed = topic.events * _EVENT_BYTES + _SPARE_BYTES
        if shutil.disk_usage(folder).free < needed:
            raise WorkFailedError(
                f"{topic.events:,} events need {needed / 2**30:.0f} GiB, and {folder} has less;"
                " TMPDIR names another folder"
            )


@contextmanager
def stage(say: Say) -> Iterator[Stage]:
    """Run a Kafka for the time of the block."""
    say("starting Kafka")
    with LocalKafka.start(LocalKafkaOptions()) as local:
        environment = {"POP_STREAM_KAFKA_BOOTSTRAP_SERVERS": local.bootstrap_servers}
        settings = load_settings(environment, dotenv=None)
        # The topics that all runs share are like those of an installation.
        asyncio.run(topics.ensure(settings))
        yield Stage(settings, local.brokers[0].pid, say)
