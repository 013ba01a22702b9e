"""Writes events in transactions, whose marks take an offset each and are no records."""

from collections.abc import Sequence

from confluent_kafka import Producer

from pop_stream.settings import Settings
from tests.support.kafka import Outgoing

_SECONDS = 30.0
_EACH = 20


def write_in_transactions(settings: Settings, sent: Sequence[Outgoing]) -> None:
    """Put events on the players' topic, twenty in each transaction; the last ends with a mark."""
    producer = Producer({
        "bootstrap.servers": settings.kafka_bootstrap_servers,
        "log_level": 0,  # it would complain when Kafka ends with the tests
        "transactional.id": f"{settings.events_topic}-writer",
    })  # fmt: skip
    producer.init_transactions(_SECONDS)
    for start in range(0, len(sent), _EACH):
        producer.begin_transaction()
        for each in sent[start : start + _EACH]:
            producer.produce(settings.events_topic, each.value, each.key,
                             headers=list(each.headers))  # fmt: skip
        producer.commit_transaction(_SECONDS)
