import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pop_stream.pop.breaker import Breaker, State
from pop_stream.pop.verdict import Reason

CHANCES = st.floats(0, 1, exclude_max=True)
#: What GSTV may ask for, up to the cap of Retry-After.
ASKED = st.none() | st.floats(0, 900)


DOWN = Reason.TRANSIENT


def opened(now: float = 100.0, asked: float | None = None, *, reason: Reason = DOWN) -> Breaker:
    """A breaker just opened, with the middle of the jitter."""
    return Breaker().opened(now, reason, asked=asked, chance=0.5)


def test_a_closed_breaker_limits_nothing() -> None:
    """While GSTV answers, the breaker sets no limit, whatever is in flight."""
    assert Breaker().room(0.0, 1000) is None
    assert Breaker().probing() == Breaker()
    assert Breaker().closed() == Breaker()


def test_an_open_breaker_lets_nothing_through_until_its_time() -> None:
    """Before the time no attempt may start; from then on, one, once nothing else is in flight."""
    breaker = opened()

    assert breaker.state is State.OPEN
    assert breaker.room(100.99, 0) == 0
    assert breaker.room(101.0, 0) == 1
    assert breaker.room(101.0, 1) == 0
    assert breaker.room(101.0, 7) == 0


def test_a_probe_under_way_is_the_only_one() -> None:
    """While one probe is in flight there is no room; when it is gone there is room for another."""
    probing = opened().probing()

    assert probing.state is State.HALF_OPEN
    assert probing.room(101.0, 1) == 0
    assert probing.room(101.0, 0) == 1


def test_a_probe_that_succeeds_closes_the_breaker() -> None:
    """One success lets everything through again, and the next opening starts from the beginning."""
    closed = opened().probing().opened(101, DOWN, asked=None, chance=0.5).probing().closed()

    assert closed.state is State.CLOSED
    assert closed.room(101.0, 50) is None
    assert closed.opened(200, DOWN, asked=None, chance=0.5).until == 201.0


def test_each_probe_that_fails_doubles_the_wait_up_to_the_most() -> None:
    """1 s, 2, 4 and so on to 30 s, then always 30 s."""
    breaker, now, waits = Breaker(), 0.0, []
    for _ in range(40):
        breaker = breaker.opened(now, DOWN, asked=None, chance=0.5)
        waits.append(breaker.until - now)
        now = breaker.until
        breaker = breaker.probing()

    assert waits[:6] == pytest.approx([1, 2, 4, 8, 16, 30])
    assert waits[6:] == pytest.approx([30.0] * 34)


def test_many_that_fail_together_open_it_once() -> None:
    """The others that were in flight do not lengthen the wait of the first."""
    first = opened()
    breaker = first
    for _ in range(64):
        breaker = breaker.opened(100.1, DOWN, asked=None, chance=0.9)

    assert breaker == first


def test_what_gstv_asks_for_is_waited_for() -> None:
    """GSTV's wish lengthens the wait, also when it comes late, and never shortens it."""
    assert opened(asked=20.0).until == 120.0
    assert opened(asked=0.1).until == 101.0
    assert opened().opened(100.2, DOWN, asked=9.0, chance=0.5).until == 109.2
    assert opened(asked=20.0).opened(100.2, DOWN, asked=3.0, chance=0.5).until == 120.0


def test_a_late_answer_from_before_does_not_close_an_open_breaker() -> None:
    """An attempt from before the opening says nothing of now: the probe decides."""
    assert opened().closed() == opened()


@given(st.integers(0, 100), CHANCES, ASKED)
def test_the_wait_is_bounded(openings: int, chance: float, asked: float | None) -> None:
    """However often it opened: never under 0.8 s, never over 36 s beyond what GSTV asks for."""
    breaker = Breaker(openings=openings, state=State.HALF_OPEN).opened(
        7, DOWN, asked=asked, chance=chance
    )

    assert 0.8 - 1e-9 <= breaker.until - 7 <= max(36.0, asked or 0.0) + 1e-9


def test_it_says_why_and_since_when_it_is_open() -> None:
    """From its first opening until it is closed; probes that fail change neither."""
    again = opened(100.0).probing().opened(101.0, DOWN, asked=None, chance=0.5)

    assert (again.reason, again.since) == (DOWN, 100.0)
    closed = again.probing().closed()
    assert closed.reason is None
    assert closed.opened(300.0, Reason.REJECTED, asked=None, chance=0.5).since == 300.0


@pytest.mark.parametrize(
    ("because", "reason", "status", "clears"),
    [
        (Reason.TRANSIENT, Reason.REJECTED, 422, True),
        (Reason.UNREACHABLE, Reason.REJECTED, 400, True),
        (Reason.MISCONFIGURED, Reason.REJECTED, 422, True),
        (Reason.SLOW_DOWN, Reason.REJECTED, 413, True),
        (Reason.REJECTED, Reason.REJECTED, 422, False),
        (Reason.MISCONFIGURED, Reason.REJECTED, 404, False),
        (Reason.UNREACHABLE, Reason.REJECTED, 410, False),
        (Reason.TRANSIENT, Reason.TRANSIENT, 503, False),
        (Reason.UNREACHABLE, Reason.TRANSIENT, None, False),
    ],
)
def test_a_refused_probe_clears_the_way_if_it_shows_that_gstv_reads_events(
    because: Reason, reason: Reason, status: int | None, clears: bool
) -> None:
    """Not if refusals are the trouble, nor by what a wrong address answers too."""
    assert opened(reason=because).probing().is_cleared_by(reason, status) is clears


class BreakerMachine(RuleBasedStateMachine):
    """A worker and its breaker: attempts start where there is room, and end in any order."""

    @initialize(limit=st.integers(1, 8))
    def begin(self, limit: int) -> None:
        self.breaker = Breaker()
        self.now = 0.0
        self.limit = limit
        self.in_flight = 0

    @property
    def room(self) -> int:
        allowed = self.breaker.room(self.now, self.in_flight)
        free = self.limit - self.in_flight
        return free if allowed is None else min(free, allowed)

    @rule(seconds=st.floats(0, 60))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @precondition(lambda self: self.room > 0)
    @rule()
    def start(self) -> None:
        before = self.breaker.state
        self.breaker = self.breaker.probing()
        self.in_flight += 1
        if before is not State.CLOSED:
            assert self.in_flight == 1
            assert self.breaker.state is State.HALF_OPEN
            assert self.now >= self.breaker.until

    @precondition(lambda self: self.in_flight > 0)
    @rule()
    def answer(self) -> None:
        probed = self.breaker.state is not State.OPEN
        self.in_flight -= 1
        self.breaker = self.breaker.closed()
        if probed:
            assert self.breaker.state is State.CLOSED
            assert self.breaker.openings == 0

    @precondition(lambda self: self.in_flight > 0)
    @rule(asked=ASKED, chance=CHANCES)
    def hold(self, asked: float | None, chance: float) -> None:
        before = self.breaker
        self.in_flight -= 1
        self.breaker = before.opened(self.now, DOWN, asked=asked, chance=chance)
        assert self.breaker.state is State.OPEN
        assert self.breaker.until >= before.until or before.state is not State.OPEN
        assert self.breaker.until >= self.now + (asked or 0.0) - 1e-6
        assert (
            self.breaker.until - self.now <= max(36.0, asked or 0.0, before.until - self.now) + 1e-6
        )

    @precondition(lambda self: self.in_flight > 0)
    @rule()
    def vanish(self) -> None:
        # The attempt of a partition that was revoked: its outcome is not told to the breaker.
        self.in_flight -= 1

    @invariant()
    def one_probe_at_a_time(self) -> None:
        if self.breaker.state is State.HALF_OPEN:
            assert self.in_flight <= 1
            assert self.room == 1 - self.in_flight

    @invariant()
    def it_always_probes_again(self) -> None:
        if self.breaker.state is not State.CLOSED:
            soon = max(self.now, self.breaker.until)
            assert soon - self.now <= 936
            assert self.breaker.room(soon, 0) == 1


TestBreakerMachine = BreakerMachine.TestCase
TestBreakerMachine.settings = settings(max_examples=200, stateful_step_count=50, deadline=None)
