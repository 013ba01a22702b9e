"""Writes events to a topic: key and value untouched, each confirmed by all in-sync replicas."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from confluent_kafka import KafkaError, KafkaException, Producer

from pop_stream.analysis.event_view import EventView
from pop_stream.analysis.refusal import is_about_rights
from pop_stream.analysis.replay.done import FAILED, SENT
from pop_stream.analysis.replay.target import Outcomes
from pop_stream.kafka.connection import librdkafka_options
from pop_stream.settings import Settings

#: As confluent_kafka takes them.
HeadersOf = Callable[[EventView], list[tuple[str, str | bytes | None]]]

#: Kafka does not take this very record, and takes others.
_OF_THE_RECORD: Final = frozenset((KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_RECORD))
_PATIENCE_SECONDS: Final = 30
#: A record on our topics is larger than its event by its headers.
_LARGEST_BYTES: Final = 4 * 1024 * 1024


class TopicTarget:
    """A topic that events are written to."""

    def __init__(self, settings: Settings, topic: str, headers_of: HeadersOf) -> None:
        """Whoever makes one has reached Kafka (`require_kafka`): librdkafka goes anywhere."""
        self.stopped: str | None = None
        self._topic = topic
        self._headers_of = headers_of
        self._producer = Producer(
            {
                **librdkafka_options(settings),
                "client.id": "pop-stream-analyst",
                "acks": "all",
                "enable.idempotence": True,
                "message.timeout.ms": _PATIENCE_SECONDS * 1000,
                "message.max.bytes": _LARGEST_BYTES,
                # As the workers place them: a screen's events stay together.
                "partitioner": "murmur2_random",
                "log_level": 0,
            }
        )

    def send(self, events: Sequence[EventView]) -> Outcomes:
        """Write them; returns once Kafka has answered for each."""
        outcomes: Outcomes = [None] * len(events)
        for index, event in enumerate(events):
            try:
                self._producer.produce(
                    self._topic,
                    key=event.key,
                    value=event.value,
                    headers=self._headers_of(event),
                    on_delivery=partial(self._answered, outcomes, index),
                )
            except KafkaException as error:
                self._note(outcomes, index, error.args[0])
            except BufferError:
                # Never with so few at once; if so, those behind come with the next run.
                self.stopped = "the producer is full"
            if self.stopped:
                break
        if self._producer.flush(_PATIENCE_SECONDS + 5) and not self.stopped:
            self.stopped = f"Kafka did not answer within {_PATIENCE_SECONDS} s"
        return outcomes

    def close(self) -> None:
        """Nothing is under way between two calls."""

    def _answered(self, outcomes: Outcomes, index: int, error: KafkaError | None, _: Any) -> None:
        if error is None:
            outcomes[index] = SENT
        else:
            self._note(outcomes, index, error)

    def _note(self, outcomes: Outcomes, index: int, error: KafkaError) -> None:
        if error.code() in _OF_THE_RECORD:
            outcomes[index] = f"{FAILED}: {error.name()}"
        elif is_about_rights(error):
            self.stopped = f"no right to write to {self._topic}: this user needs Write on it"
        else:
            # It may have been written all the same; it counts as not confirmed.
            self.stopped = f"Kafka did not take it: {error.str()}"
