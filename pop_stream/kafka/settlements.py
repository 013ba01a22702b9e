"""Writes the marks of settled events."""

import asyncio
from collections.abc import Callable, Collection

from aiokafka.errors import KafkaError, TopicAuthorizationFailedError

from pop_stream.errors import WorkFailedError, missing_topic
from pop_stream.kafka.admin import connected_admin
from pop_stream.kafka.clients import producer_of
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
    async with connected_admin(settings) as admin:
        (described,) = await admin.describe_topics([topic])
        if described["error_code"] == TopicAuthorizationFailedError.errno:
            raise _no_right(topic)
        if not described["partitions"]:
            raise missing_topic(topic)
    value, ids = mark.as_json(), list(pop_ids)
    try:
        async with producer_of(settings, acks="all", enable_idempotence=True) as producer:
            for begin in range(0, len(ids), _AT_ONCE):
                some = ids[begin : begin + _AT_ONCE]
                sent = [await producer.send(topic, value, key=one.encode()) for one in some]
                await asyncio.gather(*sent)
                progress(begin + len(some))
    except TopicAuthorizationFailedError as error:
        raise _no_right(topic) from error
    except KafkaError as error:
        raise WorkFailedError(f"Kafka did not take the marks: {error!r}") from error


def _no_right(topic: str) -> WorkFailedError:
    return WorkFailedError(f"no right to write to {topic}: this user needs Write on it")
