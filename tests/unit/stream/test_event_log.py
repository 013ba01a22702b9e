"""What the log says of events that failed: one of many."""

import logging

import pytest

from pop_stream.pop.event import Fault, Quarantine
from pop_stream.pop.outcome import Answer
from pop_stream.pop.verdict import Fail, Reason, Retry
from pop_stream.stream.claim import Stage, claims_of
from pop_stream.stream.event_log import EventLog
from tests.unit.stream.fakes import EVENTS, Arrivals
from tests.unit.stream.scene import EVENT, POP_ID

(CLAIM,) = claims_of(
    Arrivals().run(EVENTS, EVENT, headers=[("pop-id", POP_ID.encode())]), Stage.FORWARD
)
RETRY = Retry(Reason.TRANSIENT, 1.23456)


@pytest.fixture(autouse=True)
def _all_levels(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


def test_a_storm_of_failures_is_told_of_once_a_minute_for_each_reason(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It drowns neither the log nor the other reason; how many more there were is told."""
    now = 0.0
    event_log = EventLog(lambda: now)
    told = []
    for second in range(121):
        now = float(second)
        for reason in (Reason.REJECTED, Reason.TRANSIENT):
            caplog.clear()
            event_log.gave_up(CLAIM, Fail(reason), Answer(500))
            told += [(second, vars(line).get("repeated")) for line in caplog.records]

    assert told == [(0, None), (0, None), (60, 59), (60, 59), (120, 59), (120, 59)]


def test_kinds_do_not_hide_each_other(caplog: pytest.LogCaptureFixture) -> None:
    """The first of each kind is always told."""
    event_log = EventLog()
    for _ in range(3):
        event_log.retry(CLAIM, RETRY, Answer(500))
        event_log.gave_up(CLAIM, Fail(Reason.TRANSIENT), Answer(500))
        event_log.quarantined(CLAIM, Quarantine(Fault.NOT_JSON, ""))
        event_log.notified(CLAIM)

    assert [line.message for line in caplog.records] == [
        "delivery.retry", "delivery.gave_up", "event.quarantined", "failure.notified",
    ]  # fmt: skip


def test_a_line_says_where_the_event_is_and_what_became_of_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """So that a person finds it; never what is in it."""
    EventLog().retry(CLAIM, RETRY, Answer(503))

    (line,) = caplog.records
    told = vars(line)
    assert {name: told[name] for name in (
        "pop_id", "stage", "topic", "partition", "offset", "attempts", "reason", "status",
        "wait_seconds",
    )} == {
        "pop_id": POP_ID, "stage": "forward", "topic": EVENTS, "partition": 0, "offset": 0,
        "attempts": 1, "reason": "transient", "status": 503, "wait_seconds": 1.235,
    }  # fmt: skip
    assert "GSTV.a.webm" not in str(told)
