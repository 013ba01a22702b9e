import asyncio

from pop_stream.cli.diagnosis import Level, well
from pop_stream.cli.doctor_network import KAFKA, examine_kafka
from pop_stream.settings import Settings


def test_a_missing_topic_fails(kafka: str) -> None:
    """Kafka itself is well then."""
    settings = Settings(kafka_bootstrap_servers=kafka, events_topic="doctor-never-made")
    found = asyncio.run(examine_kafka(settings))

    assert found[0] == well(KAFKA, f"answers at {kafka}")
    missing = next(each for each in found if each.check == "topic doctor-never-made")
    assert missing.level is Level.FAIL
    assert "topics ensure" in missing.remedy


def test_topics_that_are_fit_are_well(topics: Settings) -> None:
    """Nothing fails after `topics ensure`."""
    found = asyncio.run(examine_kafka(topics))

    assert not [each for each in found if each.level is Level.FAIL]
