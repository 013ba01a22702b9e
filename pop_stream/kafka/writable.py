"""Whether a topic is there and may be written: asked before a producer looks for it in vain."""

from pop_stream.errors import WorkFailedError, missing_topic, no_right_to_write
from pop_stream.kafka.admin import connected_admin
from pop_stream.kafka.allowed import is_hidden, lacking, topics_named
from pop_stream.kafka.rights import Kind, Operation, Rule
from pop_stream.settings import Settings


async def require_writable(settings: Settings, topic: str) -> None:
    """Return when it can be written.

    Raises KafkaUnreachableError, TopicsMissingError, and WorkFailedError where there is no right.
    """
    write = Rule(kind=Kind.TOPIC, name=topic, operations=(Operation.WRITE,), because="writes it")
    async with connected_admin(settings) as admin:
        (described,) = await topics_named(admin, [topic])
        if is_hidden(described):
            raise WorkFailedError(
                f"no right to see {topic}, let alone to write to it: this user needs Write on it, "
                "which includes Describe; `pop-stream topics acls` shows the rights of each role"
            )
        if await lacking(admin, [write]):
            raise no_right_to_write(topic)
        if not described["partitions"]:
            raise missing_topic(topic)
