"""The Kafka of a run: an embedded one that ends with it, or the user's own."""

import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager

from pydantic import SecretStr

from pop_stream.errors import KafkaUnreachableError
from pop_stream.kafka.admin import connected_admin
from pop_stream.kafka.local import LocalKafka, LocalKafkaOptions
from pop_stream.kafka.topics import ensure
from pop_stream.settings import SETTINGS, TOPICS, Settings
from pop_stream.settings.catalogue import PREFIX, as_text

_PARTITIONS = 6


def names_own_kafka(settings: Settings) -> bool:
    """Whether the user said which Kafka to use."""
    return "kafka_bootstrap_servers" in settings.model_fields_set


@contextmanager
def kafka_for(settings: Settings, *, downloading: Callable[[int, int], None]) -> Iterator[Settings]:
    """Give the settings of the run's Kafka, topics and group; all others are the defaults.

    On the user's own Kafka the run has topics and a group of its own, so that it meddles with
    nothing. `downloading` is called with bytes done and bytes in all, from any thread.
    """
    if not names_own_kafka(settings):
        with LocalKafka.start(LocalKafkaOptions(), progress=downloading) as kafka:
            yield _settings({"kafka_bootstrap_servers": kafka.bootstrap_servers})
        return
    run = f"pop-demo-{uuid.uuid4().hex[:8]}"
    reach = {
        name: getattr(settings, name)
        for name in settings.model_fields_set
        if name.startswith("kafka_")
    }
    topics = {name: f"{run}-{SETTINGS[name].default}" for name in TOPICS}
    yield _settings(reach | topics | {"group": run})


@asynccontextmanager
async def topics_for(settings: Settings, *, remove: bool) -> AsyncIterator[None]:
    """Create the topics of the run, and remove them at the end if asked to."""
    try:
        await ensure(settings, partitions=_PARTITIONS)
        yield
    except KafkaUnreachableError:
        remove = False
        raise
    finally:
        if remove:
            async with connected_admin(settings) as admin:
                await admin.delete_topics([getattr(settings, name) for name in TOPICS])


def environment_of(settings: Settings, base: Mapping[str, str]) -> dict[str, str]:
    """Make the environment of a child with exactly these settings, whatever `base` sets."""
    rest = {name: value for name, value in base.items() if not name.startswith(PREFIX)}
    ours = {
        SETTINGS[name].variable: _text(getattr(settings, name))
        for name in settings.model_fields_set
        if getattr(settings, name) is not None
    }
    return rest | ours


def _settings(given: Mapping[str, object]) -> Settings:
    # The values were checked when the user's settings were loaded, or are our own.
    return Settings().model_copy(update=given)


def _text(value: object) -> str:
    return value.get_secret_value() if isinstance(value, SecretStr) else as_text(value)
