"""Events of a topic, from where it begins to where it ended at the start; nobody is disturbed."""

from collections.abc import Callable
from typing import Final

from aiokafka.errors import KafkaError, TopicAuthorizationFailedError

from pop_stream.errors import WorkFailedError, no_right_to_read
from pop_stream.kafka.reading import Record, read_all, spans_of
from pop_stream.player.checking.evidence import Evidence
from pop_stream.settings import Settings

_PATIENCE_SECONDS: Final = 60.0


async def read_evidence(
    settings: Settings,
    topic: str,
    take: Callable[[Evidence], None],
    told: Callable[[int, int], None],
) -> None:
    """Give every event of a topic to `take`. `told`: records read, and offsets there are.

    Raises KafkaUnreachableError, TopicsMissingError, and WorkFailedError when Kafka refuses.
    """
    spans = await spans_of(settings, topic)
    total, done = sum(end - begin for begin, end in spans.values()), 0

    def took(record: Record) -> None:
        nonlocal done
        take(
            Evidence(
                place=f"{record.topic}/{record.partition}/{record.offset}",
                value=record.value,
                key=record.key,
                # As our rules take them: one without a value has an empty one.
                headers=[(name, value or b"") for name, value in record.headers],
                stored=record.timestamp,
            )
        )
        done += 1
        if not done % 500:
            told(done, total)

    wanted = {place: span for place, span in spans.items() if span[0] < span[1]}
    try:
        await read_all(settings, wanted, took, within_seconds=_PATIENCE_SECONDS)
    except TopicAuthorizationFailedError as error:
        raise no_right_to_read(topic) from error
    except KafkaError as error:
        raise WorkFailedError(
            f"Kafka does not let {topic} be read ({error!r}); `pop-stream doctor` says how Kafka is"
        ) from error
