"""How long topics keep records."""

import asyncio
from collections.abc import Mapping, Sequence

from pop_stream.kafka.admin import connected_admin
from pop_stream.kafka.topics import configs_of, retention_of
from pop_stream.settings import Settings


def read_retention(settings: Settings, topics: Sequence[str]) -> Mapping[str, float]:
    """In seconds; infinite: for ever. Topics of which Kafka does not let us see it are left out.

    Raises KafkaUnreachableError, and WorkFailedError when Kafka refuses.
    """
    return asyncio.run(_read(settings, topics))


async def _read(settings: Settings, topics: Sequence[str]) -> Mapping[str, float]:
    async with connected_admin(settings) as admin:
        configs = await configs_of(admin, topics)
    kept = {topic: retention_of(config) for topic, config in configs.items()}
    return {topic: seconds for topic, seconds in kept.items() if seconds is not None}
