from dataclasses import replace
from typing import Any

import pytest

from pop_stream.cli.status_report import Report, as_lines, as_object
from pop_stream.kafka.backlog import Backlog

WORK = {
    "held": None,
    "in_flight": 7,
    "in_flight_limit": 64,
    "events_per_second_limit": None,
    "unfinished": 1234,
}
WORKER: dict[str, Any] = {
    "version": "1.2.3",
    "group": "pop-stream",
    "stages": ["forward", "retry"],
    "work": WORK,
}
REPORT = Report(
    address="127.0.0.1:9108",
    worker=WORKER,
    backlogs=(
        Backlog(topic="pop-events", ends=10_000, committed=4_500),
        Backlog(topic="pop-events-retry", ends=800, committed=300),
    ),
    produced_per_second=10.0,
    finished_per_second=50.0,
)


def told(report: Report) -> dict[str, str]:
    """The lines by their first word."""
    lines = (line.split(maxsplit=1) for line in as_lines(report, now=2000.0))
    return dict(lines)  # type: ignore[arg-type]


def test_a_healthy_worker_is_told_in_five_lines() -> None:
    """Who it is, that GSTV takes events, what is under way, the backlog, and when it is done."""
    assert list(as_lines(REPORT, now=2000.0)) == [
        "worker     pop-stream 1.2.3, group pop-stream, stages forward,retry",
        "GSTV       takes events",
        "in flight  7 of 64; 1,234 events taken and not finished",
        "backlog    6,000 events, 2 min of work (pop-events 5,500, pop-events-retry 500)",
        "flow       10.0/s in, 50.0/s done: drained in about 2 min",
    ]


def with_work(**changes: Any) -> Report:
    """A report of a worker in another state."""
    return replace(REPORT, worker={**WORKER, "work": {**WORK, **changes}})


@pytest.mark.parametrize(
    ("held", "words"),
    [
        (
            {"reason": "transient", "since": 1100.0, "next_probe_at": 2012.0},
            "everything is held for 15 min: transient; next probe in 12 s",
        ),
        (
            {"reason": "misconfigured", "since": 1999.0, "next_probe_at": 1999.9},
            "everything is held for 1 s: misconfigured; a probe is under way",
        ),
    ],
)
def test_it_says_why_nothing_is_delivered_and_what_comes_next(
    held: dict[str, Any], words: str
) -> None:
    """The reason, since when, and when the next event probes."""
    assert told(with_work(held=held))["GSTV"] == words


def test_it_says_how_fast_gstv_lets_it_go() -> None:
    """A pace that was learned or set is part of what is in flight."""
    assert "in flight  7 of 64, 500/s at most;" in "\n".join(
        as_lines(with_work(events_per_second_limit=500.4), now=0)
    )


def test_it_says_how_old_the_oldest_event_on_hand_is() -> None:
    """Since it came to its topic: how late deliveries are, or how long one is stuck."""
    line = "in flight  7 of 64; 1,234 events taken and not finished, the oldest 4 min old"

    assert line in as_lines(with_work(oldest_unfinished_at=1760.0), now=2000.0)
    assert f"{line.split(',', maxsplit=1)[0]}," in "\n".join(
        as_lines(with_work(oldest_unfinished_at=None), now=2000.0)
    )


@pytest.mark.parametrize(
    ("produced", "finished", "words"),
    [
        (10.0, 50.0, "drained in about 2 min"),
        (50.0, 10.0, "it grows by 144,000 an hour"),
        (0.0, 0.0, "it stands still"),
        (10.0, 10.0, "it stands still"),
    ],
)
def test_the_forecast_is_what_goes_in_against_what_is_done(
    produced: float, finished: float, words: str
) -> None:
    """A backlog drains only as fast as more is done than comes."""
    report = replace(REPORT, produced_per_second=produced, finished_per_second=finished)

    assert told(report)["flow"].endswith(words)


def test_without_a_backlog_nothing_waits() -> None:
    """Then there is nothing to forecast."""
    report = replace(REPORT, backlogs=(Backlog(topic="pop-events", ends=5, committed=5),))

    assert told(report)["flow"].endswith("nothing waits")
    assert told(report)["backlog"] == "0 events (pop-events 0)"


def test_a_worker_that_does_not_answer_is_told_with_the_remedy() -> None:
    """What Kafka shows is told all the same."""
    lines = told(replace(REPORT, worker=None))

    assert "none answers at 127.0.0.1:9108" in lines["worker"]
    assert "--metrics-port" in lines["worker"]
    assert lines["backlog"].startswith("6,000 events")


def test_a_worker_that_starts_has_no_state_yet() -> None:
    """It says so."""
    assert (
        told(replace(REPORT, worker={**WORKER, "work": None}))["GSTV"] == "the worker is starting"
    )


def test_as_json_it_holds_the_numbers_themselves() -> None:
    """For programs: events, seconds, rates, and all that the worker said."""
    found = as_object(REPORT)

    assert found["worker"] == WORKER
    assert found["backlog_events"] == 6000
    assert found["backlog_seconds"] == 120.0
    assert found["drained_in_seconds"] == 150.0
    assert found["backlog"][1] == {
        "topic": "pop-events-retry", "ends": 800, "committed": 300, "events": 500}  # fmt: skip
