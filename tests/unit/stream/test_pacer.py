from dataclasses import dataclass

import pytest

from pop_stream.stream import pacer as pacer_module
from pop_stream.stream.pacer import Pacer
from pop_stream.watch.tally import Tally


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        return self.now


@dataclass
class Posts:
    """The client, as the pacer sees it."""

    room: int = 64
    in_flight: int = 0
    worked: int = 0
    worked_seconds: float = 0.0


class Pace:
    """A pacer with its clock, its client, and what is delivered."""

    def __init__(self, clock: Clock, *, ceiling: int = 64, limit: float | None = None) -> None:
        self.clock = clock
        self.posts = Posts(room=ceiling)
        self.tally = Tally()
        self.pacer = Pacer(self.posts, self.tally, events_per_second=limit)

    def deliver(self, per_second: int, seconds: float) -> None:
        """Let so many be delivered, evenly, in steps of 10 ms."""
        for _ in range(round(seconds * 100)):
            self.clock.now += 0.01
            self.tally.events_completed["delivered",] += per_second // 100
            self.pacer.room(0)

    def end_round(self, latency_seconds: float) -> int:
        """Let as many posts end as the limit allows, with all of them under way; the limit then."""
        limit = self.pacer.room(0)
        self.posts.in_flight = limit
        self.pacer.started(limit)
        self.posts.in_flight = 0
        self.posts.worked += max(limit, 10)
        self.posts.worked_seconds += max(limit, 10) * latency_seconds
        return self.pacer.room(0)

    def keep_full(self, latency_seconds: float, seconds: float) -> int:
        """Let as many posts be under way as may be, all the while; the limit then."""
        end = self.clock.now + seconds
        while self.clock.now < end:
            limit = self.pacer.room(0)
            self.posts.in_flight = limit
            self.pacer.started(limit)
            self.clock.now += latency_seconds
            self.posts.in_flight = 0
            self.posts.worked += limit
            self.posts.worked_seconds += limit * latency_seconds
        return self.pacer.room(0)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The pacer's clock."""
    moved = Clock()
    monkeypatch.setattr(pacer_module, "time", moved)
    return moved


def test_more_may_be_under_way_as_long_as_it_helps(clock: Clock) -> None:
    """From few to the ceiling in a few rounds; what is under way takes its part of the room."""
    pace = Pace(clock, ceiling=64)

    assert [pace.end_round(0.05) for _ in range(3)] == [32, 64, 64]
    assert pace.pacer.room(60) == 4
    assert pace.pacer.room(70) == 0
    assert pace.tally.in_flight_limit == 64


def test_fewer_may_be_under_way_when_they_only_wait(clock: Clock) -> None:
    """Latency that multiplies means that they queue at GSTV."""
    pace = Pace(clock, ceiling=64)
    for _ in range(3):
        pace.end_round(0.05)

    assert pace.end_round(0.5) < 64


def test_a_partner_that_became_a_hundred_times_slower_is_not_left_at_one_attempt(
    clock: Clock,
) -> None:
    """Giving way does not help, for nothing queues: soon that is seen, and taken back."""
    pace = Pace(clock, ceiling=64)
    assert pace.keep_full(0.015, seconds=5) == 64

    assert pace.keep_full(1.5, seconds=90) >= 48


def test_back_from_an_outage_it_begins_with_one(clock: Clock) -> None:
    """And doubles with each round that goes well, whatever ended before."""
    pace = Pace(clock)
    for _ in range(3):
        pace.end_round(0.05)
    pace.posts.worked += 9
    pace.pacer.restart()

    assert pace.pacer.room(0) == 1
    assert [pace.end_round(0.05) for _ in range(4)] == [2, 4, 8, 16]


def test_after_a_429_no_more_is_started_than_gstv_took(clock: Clock) -> None:
    """A tenth less than it took in the last second; echoes of the same excess change nothing."""
    pace = Pace(clock)
    pace.deliver(400, 2.0)

    assert pace.pacer.events_per_second_limit is None
    assert pace.pacer.slowed()
    assert pace.pacer.events_per_second_limit == pytest.approx(360, rel=0.05)
    clock.now += 0.5
    assert not pace.pacer.slowed()


def test_a_quiet_time_before_a_429_is_not_counted(clock: Clock) -> None:
    """An hour without events does not make the pace that of a trickle."""
    pace = Pace(clock)
    clock.now += 3600
    pace.deliver(400, 0.3)
    pace.pacer.slowed()

    limit = pace.pacer.events_per_second_limit
    assert limit is not None
    assert limit > 300


def test_a_rate_limit_is_kept_in_this_workers_share(clock: Clock) -> None:
    """Of 300/s a third is 100/s: no more are started in a second, and it says when the next may."""
    pace = Pace(clock, limit=300.0)
    pace.pacer.keep_share(1 / 3)
    started = 0
    for _ in range(1000):
        clock.now += 0.001
        room = pace.pacer.room(0)
        pace.pacer.started(room)
        started += room

    assert started == pytest.approx(100, abs=6)
    assert pace.pacer.events_per_second_limit == pytest.approx(100)
    assert 0 < (pace.pacer.ready_in or 0) <= 0.01


def test_without_a_limit_there_is_nothing_to_share(clock: Clock) -> None:
    """A share of no limit is none."""
    pace = Pace(clock)
    pace.pacer.keep_share(0.5)

    assert pace.pacer.events_per_second_limit is None
    assert pace.pacer.ready_in is None
