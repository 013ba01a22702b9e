import logging

import pytest

from pop_stream.pop.breaker import Breaker
from pop_stream.pop.outcome import Answer, NoAnswer, Outcome, Trouble
from pop_stream.pop.recent import Failed
from pop_stream.pop.verdict import Hold, Reason
from pop_stream.stream import gate as gate_module
from pop_stream.stream.gate import Gate, told
from pop_stream.watch.tally import Tally

LOST = NoAnswer(Trouble.TIMEOUT, sent=True, detail="no answer within 10 s")


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        """Epoch seconds."""
        return 1_000_000.0 + self.now


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


UNREACHABLE = Hold(Reason.UNREACHABLE)
KEY = b"s-1/2"


def gate_of(tally: Tally) -> Gate:
    """A gate with the usual breaker."""
    return Gate(tally, Breaker())


def transient(key: bytes = KEY) -> Failed:
    """A failure that an event may get over."""
    return Failed(key, Reason.TRANSIENT, 500)


def fail(gate: Gate, number: int) -> None:
    """Let the events of so many screens fail."""
    for screen in range(number):
        gate.failed(transient(b"%d" % screen), Answer(500))


def test_an_open_way_limits_nothing(clock: Clock, tally: Tally) -> None:
    """While attempts succeed or only some fail, the gate stays out of the way."""
    gate = gate_of(tally)
    gate.attempted()
    assert not gate.succeeded()
    fail(gate, 14)

    assert gate.room(99) is None
    assert gate.opens_in is None
    assert gate.counts
    assert not tally.circuit_open
    assert clock.now == 1_000.0


def test_nearly_everything_that_fails_shuts_it(clock: Clock, tally: Tally) -> None:
    """Then what else is under way does not count, and one probe goes after a second or so."""
    gate = gate_of(tally)
    fail(gate, 15)

    assert gate.is_shut
    assert not gate.counts
    assert gate.room(0) == 0
    clock.now += 1.2
    assert gate.room(0) == 1


def test_held_it_counts_down_to_one_probe(clock: Clock, tally: Tally) -> None:
    """Nothing may start until the time has come; then one attempt may."""
    gate = gate_of(tally)
    gate.hold(Hold(Reason.SLOW_DOWN, 20.0), KEY, Answer(429, "20"))

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


@pytest.mark.usefixtures("clock")
def test_bad_events_that_come_back_are_not_taken_for_an_outage(tally: Tally) -> None:
    """When the good ones are through, all that is still attempted fails."""
    gate = gate_of(tally)
    for screen in range(50):
        gate.failed(transient(b"%d" % screen), Answer(500), is_first=False)

    assert not gate.is_shut


@pytest.mark.usefixtures("clock")
def test_a_429_that_names_no_time_holds_only_when_it_is_all_that_comes(tally: Tally) -> None:
    """Fewer events a second may be all that GSTV wants."""
    gate = gate_of(tally)
    for screen in range(14):
        gate.hold(Hold(Reason.SLOW_DOWN), b"%d" % screen, Answer(429))
    assert not gate.is_shut
    gate.hold(Hold(Reason.SLOW_DOWN), b"14", Answer(429))

    assert gate.is_shut


def test_a_probe_that_succeeds_clears_the_way(clock: Clock, tally: Tally) -> None:
    """The gate says so, and what failed before is forgotten."""
    gate = gate_of(tally)
    fail(gate, 15)
    clock.now += 2
    gate.attempted()

    assert gate.succeeded()
    assert gate.room(5) is None
    assert not gate.is_shut
    assert not tally.circuit_open
    fail(gate, 14)
    assert not gate.is_shut


def test_a_refused_probe_clears_the_way_after_an_outage(clock: Clock, tally: Tally) -> None:
    """GSTV reads events again, though it does not want this one."""
    gate = gate_of(tally)
    gate.hold(UNREACHABLE, KEY, LOST)
    clock.now += 2
    gate.attempted()

    assert gate.failed(Failed(KEY, Reason.REJECTED, 422), Answer(422))
    assert not gate.is_shut


@pytest.mark.parametrize("outcome", [Answer(503), LOST])
def test_a_probe_that_fails_shuts_the_way_again(
    clock: Clock, tally: Tally, outcome: Outcome
) -> None:
    """It counts as an attempt, and still shows that nothing can be delivered."""
    gate = gate_of(tally)
    gate.hold(UNREACHABLE, KEY, LOST)
    clock.now += 2
    gate.attempted()

    assert gate.counts
    assert not gate.failed(transient(), outcome)
    assert gate.room(0) == 0
    assert gate.opens_in is not None
    assert tally.circuit_open


@pytest.mark.usefixtures("clock")
def test_what_was_in_flight_before_says_nothing_of_now(tally: Tally) -> None:
    """A late outcome neither opens the way nor closes it for longer."""
    gate = gate_of(tally)
    gate.hold(Hold(Reason.SLOW_DOWN, 30.0), KEY, Answer(429, "30"))

    assert not gate.succeeded()
    assert not gate.failed(transient(), LOST)
    assert gate.opens_in == 30.0
    assert tally.circuit_open


def test_each_hold_is_told_once(
    clock: Clock, tally: Tally, caplog: pytest.LogCaptureFixture
) -> None:
    """The first of many that fail together is told, each probe that fails, and the end."""
    caplog.set_level(logging.INFO)
    gate = gate_of(tally)
    for _ in range(64):
        gate.hold(Hold(Reason.MISCONFIGURED), KEY, Answer(401))
    clock.now += 60
    gate.attempted()
    gate.hold(UNREACHABLE, KEY, LOST)
    clock.now += 60
    gate.attempted()
    gate.succeeded()
    lines = [line.__dict__ for line in caplog.records]

    assert [line["message"] for line in lines] == [
        "delivery.held", "delivery.held", "delivery.resumed"]  # fmt: skip
    assert (lines[0]["reason"], lines[0]["status"]) == ("misconfigured", 401)
    assert lines[0]["levelname"] == "ERROR"
    assert "POP_STREAM_GSTV_URL" in lines[0]["remedy"]
    assert lines[1]["error"] == "timeout: no answer within 10 s"
    assert 1.6 <= lines[1]["next_probe_seconds"] <= 2.4
    assert lines[1]["held_seconds"] == 60
    assert lines[2]["held_seconds"] == 120


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


def test_it_is_known_since_when_the_way_is_free(clock: Clock, tally: Tally) -> None:
    """Since the worker began, or since GSTV was back; and while it is not, since when it is not."""
    gate = gate_of(tally)
    clock.now = 1_500.0
    assert gate.free_since == 1_001_000
    assert gate.held is None
    gate.hold(UNREACHABLE, KEY, NoAnswer(Trouble.DNS, sent=False))
    clock.now = 1_700.0
    assert gate.held is not None
    assert gate.held.since == 1_001_500
    gate.attempted()
    gate.succeeded()
    clock.now = 1_900.0

    assert gate.held is None
    assert gate.free_since == 1_001_700


def test_what_holds_everything_is_logged_with_what_to_do(
    tally: Tally, caplog: pytest.LogCaptureFixture
) -> None:
    """In the words of the status page."""
    gate_of(tally).hold(UNREACHABLE, KEY, NoAnswer(Trouble.DNS, sent=False))

    assert caplog.records[0].__dict__["remedy"] == (
        "GSTV cannot be reached: see whether GSTV is up and whether this machine can reach it"
    )
