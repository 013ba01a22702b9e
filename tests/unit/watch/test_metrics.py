import json
import urllib.request
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from pop_stream.pop.event import Flag
from pop_stream.pop.outcome import Answer, NoAnswer, Outcome, Trouble
from pop_stream.watch.metrics import Delays, MetricsServer, Tally, TallyCollector
from pop_stream.watch.status import Held, Status, WorkStatus

BOUNDS = [0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 14_400, 86_400]
Samples = dict[tuple[str, ...], float]


def samples_of(text: str) -> Samples:
    """Each sample by its name and the values of its labels."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def shown(tally: Tally) -> Samples:
    """What Prometheus reads of a tally."""
    registry = CollectorRegistry()
    registry.register(TallyCollector(tally, "1.2.3"))
    return samples_of(generate_latest(registry).decode())


@pytest.mark.parametrize(
    ("attempt", "outcome", "attempts", "answers"),
    [
        (1, Answer(200), ("1", "2xx"), "200"),
        (4, Answer(404), ("4", "4xx"), "404"),
        (5, Answer(302), ("later", "3xx"), "other"),
        (999_999, Answer(503, "7"), ("later", "5xx"), "503"),
        (2, Answer(418), ("2", "4xx"), "other"),
        (3, NoAnswer(Trouble.BAD_RESPONSE, sent=True), ("3", "bad-response"), None),
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

    assert samples["pop_stream_delivery_attempts_total", *attempts] == 2
    codes = {
        key[1]: n for key, n in samples.items() if key[0] == "pop_stream_partner_responses_total"
    }
    assert codes == ({} if answers is None else {answers: 2})


def test_labels_are_few_whatever_happens() -> None:
    """Every status, trouble and number of attempts together make no more than these series."""
    tally = Tally()
    for attempt in range(1, 200):
        for status in range(200, 600):
            tally.attempted(attempt, Answer(status))
        for trouble in Trouble:
            tally.attempted(attempt, NoAnswer(trouble, sent=True))
    samples = shown(tally)
    names = [key[0] for key in samples]

    assert names.count("pop_stream_delivery_attempts_total") == 5 * (4 + len(Trouble))
    assert names.count("pop_stream_partner_responses_total") == 21
    attempts = sum(
        n for key, n in samples.items() if key[0] == "pop_stream_delivery_attempts_total"
    )
    assert attempts == 199 * (400 + len(Trouble))


def test_every_number_is_shown_under_its_name() -> None:
    """Counters with their labels, gauges as they stand, and what runs here."""
    tally = Tally()
    tally.received[("forward",)] = 11
    tally.completed[("delivered",)] = 7
    tally.retries[("transient",)] = 2
    tally.failures[("quarantined",)] = 3
    tally.held[("slow-down",)] = 4
    tally.flagged[(Flag.NO_KEY,)] = 5
    tally.notifications["topic", "sent"] = 6
    tally.in_flight, tally.in_flight_limit, tally.unfinished = 8, 64, 9
    tally.circuit_open = True

    assert (
        shown(tally).items()
        >= {
            ("pop_stream_build_info", "1.2.3"): 1,
            ("pop_stream_events_received_total", "forward"): 11,
            ("pop_stream_events_completed_total", "delivered"): 7,
            ("pop_stream_retries_scheduled_total", "transient"): 2,
            ("pop_stream_failed_events_total", "quarantined"): 3,
            ("pop_stream_attempts_held_total", "slow-down"): 4,
            ("pop_stream_events_flagged_total", "no-key"): 5,
            ("pop_stream_failure_notifications_total", "topic", "sent"): 6,
            ("pop_stream_in_flight_deliveries",): 8,
            ("pop_stream_in_flight_limit",): 64,
            ("pop_stream_unfinished_events",): 9,
            ("pop_stream_partner_circuit_open",): 1,
        }.items()
    )


def test_a_worker_that_has_done_nothing_shows_that() -> None:
    """Gauges and the histogram stand at nothing; no counter claims anything."""
    samples = shown(Tally())

    assert samples["pop_stream_delivery_delay_seconds_count",] == 0
    assert samples["pop_stream_partner_circuit_open",] == 0
    assert not [key for key in samples if key[0].endswith("_total")]


@given(st.lists(st.floats(-1e6, 1e6), max_size=40))
def test_delays_fall_into_their_buckets(delays: list[float]) -> None:
    """Buckets add up, their bounds belong to them, and a delay below nothing counts as none."""
    tally = Tally()
    for delay in delays:
        tally.delays.observe(delay)
    samples = shown(tally)
    name = "pop_stream_delivery_delay_seconds"
    positive = sorted(max(delay, 0.0) for delay in delays)

    for bound in BOUNDS:
        expected = sum(delay <= bound for delay in positive)
        assert samples[f"{name}_bucket", str(float(bound))] == expected
    assert samples[f"{name}_bucket", "+Inf"] == samples[f"{name}_count",] == len(delays)
    assert samples[f"{name}_sum",] == pytest.approx(sum(positive))


def test_a_delay_on_a_bound_is_within_it() -> None:
    """As Prometheus has it: a bucket holds what is less than or equal to its bound."""
    delays = Delays()
    for bound in BOUNDS:
        delays.observe(bound)

    assert delays.counts == [1] * len(BOUNDS) + [0]


STATUS = Status(
    version="1.2.3",
    group="pop-stream",
    stages=("forward",),
    work=WorkStatus(
        held=Held(reason="transient", since=1000.0, next_probe_at=1016.5),
        in_flight=0,
        in_flight_limit=64,
        events_per_second_limit=None,
        unfinished=12,
    ),
)


@pytest.fixture
def server() -> Iterator[tuple[MetricsServer, Tally]]:
    """A server on a free port, and what it shows."""
    tally = Tally()
    served = MetricsServer(tally, version="1.2.3", host="127.0.0.1", port=0, look=lambda: STATUS)
    yield served, tally
    served.close()


def test_what_is_served_is_what_is_so_now(server: tuple[MetricsServer, Tally]) -> None:
    """Each reading shows the numbers of its moment, in Prometheus' own form."""
    served, tally = server
    url = f"http://127.0.0.1:{served.port}/metrics"
    for count in (1, 2):
        tally.completed[("delivered",)] += 1
        with urllib.request.urlopen(url) as answer:
            text = answer.read().decode()
            kind = answer.headers["Content-Type"]
        assert kind.startswith("text/plain")
        assert samples_of(text)["pop_stream_events_completed_total", "delivered"] == count


def test_the_status_is_served_beside_the_metrics(server: tuple[MetricsServer, Tally]) -> None:
    """As one JSON object with everything that the worker says."""
    served, _ = server
    with urllib.request.urlopen(f"http://127.0.0.1:{served.port}/statusz") as answer:
        kind, told = answer.headers["Content-Type"], json.loads(answer.read())

    assert kind == "application/json"
    assert told == {
        "version": "1.2.3",
        "group": "pop-stream",
        "stages": ["forward"],
        "work": {
            "held": {"reason": "transient", "since": 1000.0, "next_probe_at": 1016.5},
            "in_flight": 0,
            "in_flight_limit": 64,
            "events_per_second_limit": None,
            "unfinished": 12,
        },
    }


def test_a_port_that_is_taken_is_an_error_at_once(server: tuple[MetricsServer, Tally]) -> None:
    """Two workers cannot think that both are read."""
    served, tally = server
    with pytest.raises(OSError, match="in use"):
        MetricsServer(tally, version="1", host="127.0.0.1", port=served.port, look=lambda: STATUS)


def test_closed_it_listens_no_more() -> None:
    """The port is free again, for the next worker."""
    first = MetricsServer(Tally(), version="1", host="127.0.0.1", port=0, look=lambda: STATUS)
    first.close()
    second = MetricsServer(
        Tally(), version="1", host="127.0.0.1", port=first.port, look=lambda: STATUS
    )
    second.close()

    assert second.port == first.port
