"""Asks Kafka again for a moment where the answer may only not have got around yet."""

import time
from collections.abc import Callable
from typing import Final, TypeVar

from confluent_kafka import KafkaError, KafkaException

T = TypeVar("T")

#: A topic that has just been made, or a leader, is not known to every broker at once.
_SPREAD_SECONDS: Final = 2.0
_AGAIN_SECONDS: Final = 0.1
_NOT_YET: Final = frozenset(
    (
        KafkaError.UNKNOWN_TOPIC_OR_PART,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001 - their public names
        KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001
    )
)


def asked(question: Callable[[], T]) -> T:
    """Its answer. Raises the KafkaException of the last time."""
    deadline = time.monotonic() + _SPREAD_SECONDS
    while True:
        try:
            return question()
        except KafkaException as error:
            if error.args[0].code() not in _NOT_YET or time.monotonic() > deadline:
                raise
        time.sleep(_AGAIN_SECONDS)
