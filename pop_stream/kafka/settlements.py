"""Writes the marks of settled events."""

import asyncio
from collections.abc import Callable, Collection

from aiokafka.errors import KafkaError, TopicAuthorizationFailedError

from pop_stream.errors import WorkFailedError, no_right_to_write
from pop_stream.kafka.clients import producer_of
from pop_stream.kafka.writable import require_writable
from pop_stream.pop.settlement import Settlement
from pop_stream.settings import Settings

_AT_ONCE = 1000


async def settle(
    settings: Settings,
    pop_ids: Collection[str],
    mark: Settlement,
    *,
    progress: Callable[[int], None] = lambda _: None,
) -> None:
    """Mark events; returns once all in-sync replicas have every mark.

    `progress` is called with how many are confirmed. Raises KafkaUnreachableError,
    TopicsMissingError, and WorkFailedError when Kafka refuses; the marks before stay.
    """
    topic = settings.settled_topic
    await require_writable(settings, topic)
    value, ids = mark.as_json(), list(pop_ids)
    try:
        async with producer_of(settings, acks="all", enable_idempotence=True) as producer:
            for begin in range(0, len(ids), _AT_ONCE):
                some = ids[begin : begin + _AT_ONCE]
                sent = [await producer.send(topic, value, key=one.encode()) for one in some]
                await asyncio.gather(*sent)
                progress(begin + len(some))
    except TopicAuthorizationFailedError as error:
        raise no_right_to_write(topic) from error
    except KafkaError as error:
        raise WorkFailedError(f"Kafka did not take the marks: {error!r}") from error
