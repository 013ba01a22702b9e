"""How long topics keep records."""

import asyncio
import math
from collections.abc import Mapping, Sequence

from pop_stream.kafka.admin import connected_admin
from pop_stream.kafka.topics import configs_of
from pop_stream.settings import Settings


def read_retention(settings: Settings, topics: Sequence[str]) -> Mapping[str, float]:
    """In seconds; infinite: for ever. Topics of which Kafka does not let us see it are left out.

    Raises KafkaUnreachableError, and WorkFailedError when Kafka refuses.
    """
    return asyncio.run(_read(settings, topics))


async def _read(settings: Settings, topics: Sequence[str]) -> Mapping[str, float]:
    async with connected_admin(settings) as admin:
        configs = await configs_of(admin, topics)
    kept = {}
    for topic, config in configs.items():
        if "retention.ms" in config:
            milliseconds = int(config["retention.ms"])
            kept[topic] = math.inf if milliseconds < 0 else milliseconds / 1000
    return kept
