"""What Kafka's refusals mean for whoever asked it something."""

from typing import Final

from confluent_kafka import KafkaError

from pop_stream.errors import PopStreamError, TopicsMissingError, WorkFailedError
from pop_stream.kafka.reach import unreachable
from pop_stream.settings import Settings

#: Their public names begin with a line below.
_UNREACHABLE: Final = frozenset(
    (KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN,  # noqa: SLF001
     KafkaError._TIMED_OUT, KafkaError._RESOLVE)  # noqa: SLF001
)  # fmt: skip
_GONE: Final = frozenset((KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC))  # noqa: SLF001
_DELETED: Final = frozenset((KafkaError.OFFSET_OUT_OF_RANGE, KafkaError._AUTO_OFFSET_RESET))  # noqa: SLF001
_NO_RIGHT: Final = frozenset(
    (KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.GROUP_AUTHORIZATION_FAILED,
     KafkaError.CLUSTER_AUTHORIZATION_FAILED)
)  # fmt: skip


def is_about_rights(cause: KafkaError) -> bool:
    """Whether this user may not do what was asked."""
    return cause.code() in _NO_RIGHT


def refusal_of(cause: KafkaError, settings: Settings, *, topic: str) -> PopStreamError:
    """The error for what was asked of a topic: to be raised."""
    if cause.code() in _UNREACHABLE:
        return unreachable(settings, cause.str())
    if cause.code() in _GONE:
        return TopicsMissingError(
            f"{topic} is gone: it was deleted while it was read; "
            "`pop-stream topics check` says what is there"
        )
    if cause.code() in _DELETED:
        return WorkFailedError(
            f"records of {topic} were deleted while they were read (retention); "
            "what was read so far is not all: give the same command again"
        )
    if is_about_rights(cause):
        return WorkFailedError(
            f"no right to read {topic}: this user needs Read and Describe on it ({cause.str()})"
        )
    return WorkFailedError(
        f"Kafka refuses to give {topic}: {cause.str()}; `pop-stream doctor` says how Kafka is"
    )
