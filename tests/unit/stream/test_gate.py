import logging

import pytest

from pop_stream.pop.outcome import Answer, NoAnswer, Outcome, Trouble
from pop_stream.pop.verdict import Reason
from pop_stream.stream import gate as gate_module
from pop_stream.stream.gate import Gate, told
from pop_stream.watch.metrics import Tally

LOST = NoAnswer(Trouble.TIMEOUT, sent=True, detail="no answer within 10 s")


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The gate's clock."""
    moved = Clock()
    monkeypatch.setattr(gate_module, "time", moved)
    return moved


@pytest.fixture
def tally() -> Tally:
    """What is counted."""
    return Tally()


def test_an_open_way_limits_nothing(clock: Clock, tally: Tally) -> None:
    """While attempts are answered or merely fail, the gate stays out of the way."""
    gate = Gate(tally)
    for outcome in (Answer(200), Answer(500), LOST):
        gate.attempted()
        gate.judged(outcome)

    assert gate.room(99) is None
    assert gate.opens_in is None
    assert not tally.circuit_open
    assert clock.now == 1_000.0


def test_held_it_counts_down_to_one_probe(clock: Clock, tally: Tally) -> None:
    """Nothing may start until the time has come; then one attempt may."""
    gate = Gate(tally)
    gate.hold(Reason.SLOW_DOWN, Answer(429, "20"), asked=20.0)

    assert gate.opens_in == 20.0
    assert gate.room(0) == 0
    assert tally.circuit_open

    clock.now += 19.5

    assert gate.opens_in == 0.5

    clock.now += 0.5

    assert gate.opens_in is None
    assert gate.room(0) == 1
    gate.attempted()
    assert gate.room(1) == 0


@pytest.mark.parametrize("outcome", [Answer(200), Answer(500), Answer(404)])
def test_an_answered_probe_clears_the_way(clock: Clock, tally: Tally, outcome: Outcome) -> None:
    """Any judgement of GSTV's will do."""
    gate = Gate(tally)
    gate.hold(Reason.UNREACHABLE, LOST, asked=None)
    clock.now += 1
    gate.attempted()
    gate.judged(outcome)

    assert gate.room(5) is None
    assert not gate.is_shut
    assert not tally.circuit_open


def test_a_probe_without_an_answer_closes_the_way_again(clock: Clock, tally: Tally) -> None:
    """It counts as an attempt, and still shows that GSTV is not there."""
    gate = Gate(tally)
    gate.hold(Reason.UNREACHABLE, LOST, asked=None)
    clock.now += 1
    gate.attempted()
    gate.judged(LOST)

    assert gate.room(0) == 0
    assert gate.opens_in is not None
    assert tally.circuit_open


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("outcome", [Answer(200), LOST])
def test_what_was_in_flight_before_says_nothing_of_now(tally: Tally, outcome: Outcome) -> None:
    """A late outcome neither opens the way nor closes it for longer."""
    gate = Gate(tally)
    gate.hold(Reason.UNREACHABLE, LOST, asked=30.0)
    gate.judged(outcome)

    assert gate.opens_in == 30.0
    assert tally.circuit_open


def test_what_was_in_flight_before_does_not_take_the_probes_turn(
    clock: Clock, tally: Tally
) -> None:
    """A late silence after the time has come leaves the way open for a probe."""
    gate = Gate(tally)
    gate.hold(Reason.UNREACHABLE, LOST, asked=None)
    clock.now += 1
    gate.judged(LOST)

    assert gate.opens_in is None
    assert gate.room(0) == 1


def test_each_hold_is_told_once(
    clock: Clock, tally: Tally, caplog: pytest.LogCaptureFixture
) -> None:
    """The first of many that fail together is told, each probe that fails, and the end."""
    caplog.set_level(logging.INFO)
    gate = Gate(tally)
    for _ in range(64):
        gate.hold(Reason.MISCONFIGURED, Answer(401), asked=None)
    clock.now += 60
    gate.attempted()
    gate.hold(Reason.UNREACHABLE, LOST, asked=None)
    clock.now += 60
    gate.attempted()
    gate.judged(Answer(200))
    lines = [line.__dict__ for line in caplog.records]

    assert [line["message"] for line in lines] == [
        "delivery.held", "delivery.held", "delivery.resumed"]  # fmt: skip
    assert (lines[0]["reason"], lines[0]["status"]) == ("misconfigured", 401)
    assert lines[1]["error"] == "timeout: no answer within 10 s"
    assert 0.8 <= lines[1]["next_probe_seconds"] <= 1.2


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (Answer(500, "7"), (500, "")),
        (LOST, (None, "timeout: no answer within 10 s")),
        (NoAnswer(Trouble.RESET, sent=True), (None, "reset")),
    ],
)
def test_an_outcome_in_words(outcome: Outcome, words: tuple[int | None, str]) -> None:
    """A status, or what went wrong: never the answer's own text."""
    assert told(outcome) == words
