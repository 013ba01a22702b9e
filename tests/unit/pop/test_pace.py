import math
from collections import deque
from dataclasses import dataclass, field
from typing import Protocol

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pop_stream.pop.pace import Bucket, Pace

#: What the simulated partner accepts in a second.
ACCEPTED = 500


class Partner(Protocol):
    def accepts(self, now: float) -> bool: ...


@dataclass
class Windows:
    """Accepts so many in each second of its own clock."""

    offset: float = 0.0
    window: int = -1
    count: int = 0

    def accepts(self, now: float) -> bool:
        window = math.floor(now + self.offset)
        self.count = self.count + 1 if window == self.window else 1
        self.window = window
        return self.count <= ACCEPTED


@dataclass
class Tokens:
    """Accepts as many as it has tokens for."""

    burst: float
    tokens: float = math.inf
    filled_at: float = 0.0

    def accepts(self, now: float) -> bool:
        tokens = min(self.burst, self.tokens + (now - self.filled_at) * ACCEPTED)
        self.filled_at = now
        self.tokens = tokens - 1 if tokens >= 1 else tokens
        return tokens >= 1


@dataclass
class Worker:
    """Unlimited work, offered in steps of a millisecond; answers take `latency_ms`."""

    partner: Partner
    latency_ms: int
    pace: Pace = field(default_factory=Pace)
    bucket: Bucket = field(default_factory=Bucket)
    #: When the answer comes, in steps, and whether it is yes.
    under_way: deque[tuple[int, bool]] = field(default_factory=deque)
    last_second: deque[float] = field(default_factory=deque)
    #: Accepted and refused of each second.
    accepted: list[int] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)

    def run(self, seconds: int) -> None:
        for step in range(seconds * 1000):
            if step % 1000 == 0:
                self.accepted.append(0)
                self.refused.append(0)
            self.hear(step)
            self.start(step)

    def hear(self, step: int) -> None:
        now = step / 1000
        while self.under_way and self.under_way[0][0] <= step:
            if self.under_way.popleft()[1]:
                self.last_second.append(now)
                continue
            while self.last_second and self.last_second[0] <= now - 1:
                self.last_second.popleft()
            self.pace = self.pace.slowed(now, len(self.last_second))

    def start(self, step: int) -> None:
        now = step / 1000
        room = 256 - len(self.under_way)
        rate = self.pace.rate(now)
        if rate is not None:
            room = min(room, self.bucket.room(now, rate))
            self.bucket.take(room)
        for _ in range(room):
            yes = self.partner.accepts(now)
            (self.accepted if yes else self.refused)[-1] += 1
            self.under_way.append((step + self.latency_ms, yes))


def test_nothing_limits_before_the_first_slow_down() -> None:
    """Without a slow-down and without a fixed limit, the pace sets none."""
    assert Pace().rate(0.0) is None
    assert Pace(fixed=50.0).rate(0.0) == 50.0


def test_a_slow_down_takes_a_tenth_and_gives_it_back() -> None:
    """0.9 of what was accepted at once, all of it after 5 s, 1.1 after 10 s."""
    pace = Pace().slowed(100.0, 500.0)

    assert pace.rate(100.0) == pytest.approx(450)
    assert pace.rate(102.5) == pytest.approx(493.75)
    assert pace.rate(105.0) == pytest.approx(500)
    assert pace.rate(110.0) == pytest.approx(550)


def test_it_probes_ever_faster_until_nothing_limits() -> None:
    """After 10 s the rate doubles every 2 s; beyond 100,000 a second there is no limit."""
    pace = Pace().slowed(100.0, 500.0)

    assert pace.rate(112.0) == pytest.approx(1100)
    assert pace.rate(124.0) == pytest.approx(70_400)
    assert pace.rate(126.0) is None
    assert pace.rate(1e12) is None


def test_echoes_change_nothing() -> None:
    """Further slow-downs within a second are of the same excess; a later one is another."""
    pace = Pace().slowed(100.0, 500.0)

    assert pace.slowed(100.99, 3.0) == pace
    assert pace.slowed(99.0, 3.0) == pace
    assert pace.slowed(101.0, 400.0).rate(101.0) == pytest.approx(360)


def test_one_slow_down_halves_what_is_known_at_most() -> None:
    """A slow-down after a quiet time does not mistake the little accepted then for the limit."""
    pace = Pace().slowed(0.0, 500.0).slowed(600.0, 20.0)

    assert pace.accepted_per_second == 250
    assert pace.slowed(601.0, 20.0).accepted_per_second == 125


def test_one_event_a_second_is_always_allowed() -> None:
    """A partner that accepts nothing is still asked once a second."""
    assert Pace().slowed(0.0, 0.0).rate(0.0) == 1.0


def test_the_fixed_limit_caps_what_is_learned() -> None:
    """The lower of the two limits holds, and the fixed one stays when the other is gone."""
    pace = Pace(fixed=470.0).slowed(0.0, 500.0)

    assert pace.rate(0.0) == pytest.approx(450)
    assert pace.rate(5.0) == 470.0
    assert pace.rate(1000.0) == 470.0


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 1e6)), max_size=20), st.floats(-10, 1e9))
@settings(deadline=None)
def test_the_rate_stays_within_bounds(slow_downs: list[tuple[float, float]], now: float) -> None:
    """Whatever was accepted and whenever: unlimited, or from 1 to 100,000 a second."""
    pace = Pace()
    for at, accepted in slow_downs:
        pace = pace.slowed(at, accepted)
    rate = pace.rate(now)

    assert rate is None or 1 <= rate <= 100_000


@given(st.floats(1, 1e5), st.floats(0, 100), st.floats(0, 100))
@settings(deadline=None)
def test_the_rate_only_rises_between_slow_downs(accepted: float, a: float, b: float) -> None:
    """The longer the last slow-down is past, the more may be started."""
    pace = Pace().slowed(0.0, accepted)
    early, late = (pace.rate(at) or math.inf for at in sorted((a, b)))

    assert early <= late * (1 + 1e-9)


@pytest.mark.parametrize("latency_ms", [1, 50])
@pytest.mark.parametrize(
    "partner",
    [Windows(), Windows(offset=0.9), Tokens(500), Tokens(50), Tokens(10)],
    ids=["windows", "windows-late", "burst-500", "burst-50", "burst-10"],
)
def test_it_finds_what_a_partner_accepts(partner: Partner, latency_ms: int) -> None:
    """Within 30 s it uses 85 to 100 % of the limit and hears 429 for under 2 % of the events."""
    # A copy: the partner of the parameters is shared between the cases.
    worker = Worker(type(partner)(**vars(partner)), latency_ms)
    worker.run(60)
    accepted, refused = sum(worker.accepted[30:]), sum(worker.refused[30:])

    # Above 100 % by what the partner's bucket had saved up before.
    assert 0.85 <= accepted / (30 * ACCEPTED) <= 1.01
    assert refused / (accepted + refused) < 0.02


def test_a_bucket_allows_a_burst_and_then_the_rate() -> None:
    """What may be started at once is 50 ms worth; after it, one for each token's time."""
    bucket = Bucket()

    assert bucket.room(100.0, 500.0) == 25
    bucket.take(25)
    assert bucket.room(100.0, 500.0) == 0
    assert bucket.ready_in(100.0, 500.0) == pytest.approx(0.002)
    assert bucket.room(100.01, 500.0) == 5
    assert bucket.ready_in(100.01, 500.0) == 0.0
    assert bucket.room(200.0, 500.0) == 25


def test_a_slow_rate_still_allows_one() -> None:
    """A rate of less than one event in a burst's time allows single events, at that rate."""
    bucket = Bucket()

    assert bucket.room(0.0, 0.5) == 1
    bucket.take(1)
    assert bucket.ready_in(0.0, 0.5) == pytest.approx(2)
    assert bucket.room(1.9, 0.5) == 0
    assert bucket.room(2.0, 0.5) == 1


def test_a_change_of_rate_takes_effect_at_once() -> None:
    """A lower rate takes back what a higher one had saved up, and shows in the wait."""
    bucket = Bucket()

    assert bucket.room(0.0, 1000.0) == 50
    assert bucket.room(0.0, 100.0) == 5
    bucket.take(5)
    assert bucket.ready_in(0.0, 100.0) == pytest.approx(0.01)
    assert bucket.ready_in(0.0, 1000.0) == pytest.approx(0.001)


def test_taking_more_than_there_was_is_not_owed() -> None:
    """Events started while nothing limited do not block those of a limit that comes later."""
    bucket = Bucket()
    bucket.room(0.0, 10.0)
    bucket.take(10_000)

    assert bucket.ready_in(0.0, 10.0) == pytest.approx(0.1)


def test_a_clock_that_stands_or_goes_back_allows_nothing_more() -> None:
    """No time is counted twice, and the wait that is told is the true one."""
    bucket = Bucket()
    bucket.take(bucket.room(100.0, 100.0))

    assert bucket.room(100.0, 100.0) == 0
    assert bucket.room(99.0, 100.0) == 0
    assert bucket.ready_in(99.0, 100.0) == pytest.approx(1.01)
    assert bucket.room(100.0, 100.0) == 0
    assert bucket.room(100.01, 100.0) == 1


@given(st.floats(0.1, 1e5), st.lists(st.floats(0, 1000), min_size=1, max_size=50))
@settings(deadline=None)
def test_never_more_than_the_rate_and_a_burst(rate: float, times: list[float]) -> None:
    """Whatever times come, even backward: no more than the rate of the time passed, and a burst."""
    bucket, started = Bucket(), 0
    for now in times:
        room = bucket.room(now, rate)
        bucket.take(room)
        started += room

    passed = max(times) - times[0] if max(times) > times[0] else 0.0
    assert started <= passed * rate * (1 + 1e-9) + max(1.0, rate * 0.05) + 0.001


@given(st.floats(0.1, 1e5), st.floats(0, 1000), st.floats(0, 1))
@settings(deadline=None)
def test_after_the_wait_there_is_room(rate: float, now: float, later: float) -> None:
    """Who waits as long as it is told, a microsecond more for rounding, may start an event."""
    bucket = Bucket()
    bucket.take(bucket.room(now, rate))
    wait = bucket.ready_in(now + later, rate)

    assert 0 <= wait <= 1 / rate + 1e-9
    assert bucket.room(now + later + wait + 1e-6, rate) >= 1


def test_a_rate_of_nothing_gives_no_room() -> None:
    """A worker without a partition has no share of the rate; it is no reason to end."""
    bucket = Bucket()

    assert bucket.room(1000.0, 0.0) == 0
    assert bucket.ready_in(1000.0, 0.0) == math.inf
    assert bucket.room(1001.0, 50.0) >= 1
