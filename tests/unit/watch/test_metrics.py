import logging
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest

from pop_stream.pop.breaker import State
from pop_stream.pop.event import Flag
from pop_stream.pop.outcome import Answer, NoAnswer, Outcome, Trouble
from pop_stream.watch.collector import TableCollector
from pop_stream.watch.facts import Facts
from pop_stream.watch.log_count import LogCount
from pop_stream.watch.table import OPEN, WORKER_FACTS, WORKER_METRICS, Kind
from pop_stream.watch.tally import Histogram, Stopwatch, Tally
from tests.support.metrics import Samples, samples_of

BOUNDS = [0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 14_400, 86_400]


def shown(tally: Tally) -> Samples:
    """What Prometheus reads of a tally."""
    registry = CollectorRegistry()
    registry.register(TableCollector(WORKER_METRICS, tally))
    return samples_of(generate_latest(registry).decode())


@pytest.mark.parametrize(
    ("attempt", "outcome", "attempts", "answers"),
    [
        (1, Answer(200), ("1", "delivered"), "200"),
        (4, Answer(404), ("4", "client_error"), "404"),
        (5, Answer(302), ("later", "redirect"), "other"),
        (999_999, Answer(503, "7"), ("later", "server_error"), "503"),
        (2, Answer(418), ("2", "client_error"), "other"),
        (1, Answer(403), ("1", "auth"), "403"),
        (1, Answer(429, "3"), ("1", "throttled"), "429"),
        (1, Answer(409), ("1", "delivered"), "409"),
        (3, NoAnswer(Trouble.BAD_RESPONSE, sent=True), ("3", "bad_response"), None),
        (3, NoAnswer(Trouble.DNS, sent=False), ("3", "connect_error"), None),
    ],
)
def test_an_attempt_is_counted_by_its_number_and_outcome(
    attempt: int, outcome: Outcome, attempts: tuple[str, str], answers: str | None
) -> None:
    """Numbers beyond the fourth and statuses that nobody expects share a label each."""
    tally = Tally()
    tally.attempted(attempt, outcome)
    tally.attempted(attempt, outcome)
    samples = shown(tally)

    assert samples["delivery_attempts_total", *attempts] == 2
    codes = {key[1]: n for key, n in samples.items() if key[0] == "partner_responses_total" and n}
    assert codes == ({} if answers is None else {answers: 2})


def test_what_counts_as_delivered_is_a_setting() -> None:
    """A 2xx that the operator does not take for success is an answer that nobody expected."""
    tally = Tally(frozenset({204}))
    tally.attempted(1, Answer(204))
    tally.attempted(1, Answer(200))

    assert tally.delivery_attempts == {("1", "delivered"): 1, ("1", "bad_response"): 1}


def test_labels_are_few_whatever_happens() -> None:
    """Every status, trouble and number of attempts together make no series that was not there."""
    before = shown(Tally()).keys()
    tally = Tally()
    for attempt in range(1, 200):
        for status in range(200, 600):
            tally.attempted(attempt, Answer(status))
        for trouble in Trouble:
            tally.attempted(attempt, NoAnswer(trouble, sent=True))
    samples = shown(tally)

    assert samples.keys() == before
    attempts = sum(n for key, n in samples.items() if key[0] == "delivery_attempts_total")
    assert attempts == 199 * (400 + len(Trouble))


def test_every_number_is_shown_under_its_name() -> None:
    """Counters with their labels, gauges as they stand, and what runs here."""
    tally = Tally()
    tally.events_received[("forward",)] = 11
    tally.events_completed[("delivered",)] = 7
    tally.retries_scheduled[("transient",)] = 2
    tally.failed_events[("quarantined",)] = 3
    tally.attempts_held[("slow-down",)] = 4
    tally.events_flagged[(Flag.NO_KEY.value,)] = 5
    tally.failure_notifications["topic", "sent"] = 6
    tally.in_flight_deliveries, tally.in_flight_limit, tally.unfinished_events = 8, 64, 9
    tally.circuit = State.HALF_OPEN
    tally.assigned_partitions = {("pop-events",): 3}

    assert (
        shown(tally).items()
        >= {
            ("events_received_total", "forward"): 11,
            ("events_completed_total", "delivered"): 7,
            ("retries_scheduled_total", "transient"): 2,
            ("failed_events_total", "quarantined"): 3,
            ("attempts_held_total", "slow-down"): 4,
            ("events_flagged_total", "no-key"): 5,
            ("failure_notifications_total", "topic", "sent"): 6,
            ("in_flight_deliveries",): 8,
            ("in_flight_limit",): 64,
            ("unfinished_events",): 9,
            ("partner_circuit", "half-open"): 1,
            ("partner_circuit", "closed"): 0,
            ("assigned_partitions", "pop-events"): 3,
        }.items()
    )


def test_every_series_is_there_before_anything_happens() -> None:
    """An alert on `increase()` of a series that was born at 1 would never fire."""
    samples = shown(Tally())

    assert samples["failed_events_total", "gone"] == 0
    assert samples["partner_circuit", "closed"] == 1
    for metric in WORKER_METRICS:
        if OPEN in metric.labels.values():
            continue
        name = metric.shown_as.removeprefix("pop_stream_") + (
            "_count" if metric.kind is Kind.HISTOGRAM else ""
        )
        series = {key[1:] for key in samples if key[0] == name}
        assert series == set(metric.label_values()), name


def test_facts_are_shown_with_their_words() -> None:
    """What runs here, and the settings that tell workers apart."""
    registry = CollectorRegistry()
    facts = Facts(3, 10.0, build={"version": "1.2.3"}, config={"group": "pop-stream"})
    registry.register(TableCollector(WORKER_FACTS, facts))

    assert samples_of(generate_latest(registry).decode()) == {
        ("retry_limit",): 3,
        ("http_timeout_seconds",): 10,
        ("build_info", "1.2.3"): 1,
        ("config_info", "pop-stream"): 1,
    }


def test_being_throttled_counts_in_seconds() -> None:
    """All times together, the one that lasts included."""
    watch = Stopwatch()
    watch.run()
    time.sleep(0.02)
    watch.run()
    watch.stop()
    before = watch.seconds
    time.sleep(0.02)
    assert watch.seconds == before >= 0.02
    watch.run()
    time.sleep(0.01)

    assert watch.seconds > before


def test_log_records_are_counted_by_level() -> None:
    """Of every logger below the one it is put on."""
    tally, logger = Tally(), logging.getLogger("tests.log_count")
    count = LogCount(tally)
    logger.addHandler(count)
    try:
        logger.getChild("deep").error("broken")
        logger.warning("odd")
        logger.warning("odd")
    finally:
        logger.removeHandler(count)

    assert tally.log_messages == {("error",): 1, ("warning",): 2}


@given(st.lists(st.floats(-1e6, 1e6), max_size=40))
def test_delays_fall_into_their_buckets(delays: list[float]) -> None:
    """Buckets add up, their bounds belong to them, and a delay below nothing counts as none."""
    tally = Tally()
    for delay in delays:
        tally.delivery_delay_seconds.observe(delay)
    samples = shown(tally)
    name = "delivery_delay_seconds"
    positive = sorted(max(delay, 0.0) for delay in delays)

    for bound in BOUNDS:
        expected = sum(delay <= bound for delay in positive)
        assert samples[f"{name}_bucket", str(float(bound))] == expected
    assert samples[f"{name}_bucket", "+Inf"] == samples[f"{name}_count",] == len(delays)
    assert samples[f"{name}_sum",] == pytest.approx(sum(positive))


def test_a_delay_on_a_bound_is_within_it() -> None:
    """As Prometheus has it: a bucket holds what is less than or equal to its bound."""
    delays = Histogram("delivery_delay_seconds")
    for bound in BOUNDS:
        delays.observe(bound)

    assert delays.counts == [1] * len(BOUNDS) + [0]
