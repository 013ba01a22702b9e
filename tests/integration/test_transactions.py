"""Offsets that are no events: a transaction's mark takes one, and no consumer is given it."""

from pathlib import Path

from confluent_kafka import Producer

from pop_stream.settings import Settings
from tests.support.eventually import eventually
from tests.support.plays import events, pop_id_of
from tests.support.trial import Trial

_SECONDS = 30.0


def test_the_marks_of_transactions_are_passed_over(topics: Settings, tmp_path: Path) -> None:
    """Between the events and behind them: what comes after is delivered, and nothing twice."""
    trial = Trial(topics, tmp_path)
    sent = events(80)
    producer = Producer({
        "bootstrap.servers": topics.kafka_bootstrap_servers,
        "log_level": 0,  # it would complain when Kafka ends with the tests
        "transactional.id": f"{topics.events_topic}-writer",
    })  # fmt: skip
    producer.init_transactions(_SECONDS)
    for start in range(0, len(sent), 20):
        producer.begin_transaction()
        for each in sent[start : start + 20]:
            producer.produce(topics.events_topic, each.value, each.key, headers=list(each.headers))
        producer.commit_transaction(_SECONDS)

    with trial.gstv() as gstv, trial.worker(gstv.url) as worker:
        eventually(lambda: trial.delivered == len(sent), "all delivered")
        trial.send(events(120)[80:])
        eventually(lambda: trial.delivered == len(sent) + 40, "those that came after")
        worker.leave()

    ids = [entry.id for entry in trial.entries]
    assert sorted(set(ids)) == sorted(ids)
    assert {pop_id_of(each) for each in sent} <= set(ids)
