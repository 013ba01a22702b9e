"""What to tell somebody who cannot have the embedded Kafka here."""

from pop_stream.errors import EmbeddedKafkaError
from pop_stream.kafka.jar_lock import KAFKA_VERSION


def unavailable(reason: str) -> EmbeddedKafkaError:
    """Make the error: the reason, then the two other ways to come by a Kafka."""
    return EmbeddedKafkaError(
        f"The embedded Apache Kafka cannot be started here: {reason}\n"
        "What to do instead:\n"
        "  - use a Kafka that you have: set POP_STREAM_KAFKA_BOOTSTRAP_SERVERS=host:port\n"
        "  - or start one with Docker: "
        f"docker run --rm -p 127.0.0.1:9092:9092 apache/kafka:{KAFKA_VERSION}"
    )
