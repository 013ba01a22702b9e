"""What `make bench` measures, on a real Kafka, with few events: and how it counts."""

import os
import sys
import uuid

import pytest

from bench.measures import measure
from bench.stage import Stage
from bench.variants import Behaviour, How, Topic, Variant
from pop_stream.errors import WorkFailedError
from tests.support.kafka import fresh_settings

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="measures from /proc")

EVENTS = 1500
COMMON = {"topic": Topic(EVENTS, 4), "cores": None}


@pytest.fixture
def stage(kafka):
    """A stage on the Kafka of the tests; this process stands for the broker, whose CPU is told."""
    name = f"bench-{uuid.uuid4().hex[:8]}"
    return Stage(fresh_settings(kafka), os.getpid(), lambda _: None, prefix=name)


def values_of(stage, **variant):
    """Measure one run."""
    return measure(stage, Variant(**COMMON | variant), f"run-{uuid.uuid4().hex[:8]}")


def test_a_backlog_is_measured_between_two_parts_of_it(stage):
    """From the first tenth of that part to its end."""
    values = values_of(stage, until=0.9)

    assert 0 < values["events"] < EVENTS * 0.9
    assert values["cpu_us_per_event"] > 0
    assert values["rss_mb"] > 60
    assert values["receiver_load"] >= 0


def test_retries_are_waited_for_when_all_is_measured(stage):
    """An event that failed first is delivered too, and the failures are seen to have happened."""
    values = values_of(
        stage,
        behaviour=Behaviour(fails_first_share=0.1),
        settings=(("retry_backoff_seconds", "0.2"),),
        writes=True,
        until=1.0,
    )

    assert 0.05 < values["failed_share"] < 0.2
    assert values["events"] <= EVENTS


def test_a_burst_is_measured_as_a_whole(stage):
    """Not one of its events was delivered before all workers had come; and all are in the end."""
    values = values_of(stage, how=How.BURST, workers=2)

    assert values["events"] == EVENTS
    assert values["rss_mb"] > 2 * 60


def test_workers_that_come_too_late_are_no_measurement(stage):
    """The first one would have done it all, and the second have paid for its start only."""
    with pytest.raises(WorkFailedError, match="when all workers had come"):
        values_of(stage, workers=2)


def test_events_that_come_evenly_are_found_again_by_their_bytes(stage):
    """Each has a delay."""
    values = values_of(
        stage,
        how=How.STEADY,
        topic=Topic(200, 4),
        behaviour=Behaviour(keeps_ledger=True),
        events_per_second=100.0,
    )

    assert 0 < values["p50_ms"] <= values["p99_ms"]


def test_a_start_lasts_until_the_first_delivery(stage):
    """One event waits."""
    values = values_of(
        stage, how=How.START, topic=Topic(1, 4), behaviour=Behaviour(keeps_ledger=True)
    )

    assert values["seconds_to_first"] > 0
    assert values["cpu_seconds_to_first"] > 0
