import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pop_stream.pop.concurrency import Concurrency

#: The latency of so many attempts under way, in that round.
Model = Callable[[int, int], float]


def queue(service_seconds: float, rate: float = math.inf) -> Model:
    """A partner that answers after the service time, and never more than `rate` a second."""
    return lambda _, under_way: max(service_seconds, under_way / rate)


@dataclass
class Trial:
    """Rounds of workers that share a partner, each always at its limit."""

    model: Model
    workers: list[Concurrency]
    #: By how many rounds the latency follows the limit.
    lag: int = 0
    #: Spread each round's mean as that of independent, exponential latencies would be.
    noise: bool = False
    chance: random.Random = field(default_factory=lambda: random.Random(1))
    #: All the workers' attempts under way, and their latency, by round.
    under_way: list[int] = field(default_factory=list)
    latency: list[float] = field(default_factory=list)
    limits: list[int] = field(default_factory=list)

    def run(self, rounds: int) -> "Trial":
        for number in range(rounds):
            self.limits.append(sum(int(worker.limit) for worker in self.workers))
            self.under_way.append(self.limits[max(0, number - self.lag)])
            self.latency.append(self.model(number, self.under_way[-1]))
            self.workers = [self.adjusted(worker) for worker in self.workers]
        return self

    def adjusted(self, worker: Concurrency) -> Concurrency:
        # Workers that share a partner do not end their rounds together.
        if len(self.workers) > 1 and self.chance.random() < 0.5:
            return worker
        latency = self.latency[-1]
        if self.noise:
            samples = max(10.0, worker.limit)
            latency *= self.chance.gammavariate(samples, 1 / samples)
        return worker.adjusted(latency_seconds=latency, was_full=True)

    def throughput(self, since: int) -> float:
        """Answers a second; a round is as many answers as attempts under way."""
        return sum(self.under_way[since:]) / sum(self.latency[since:])


def trial(model: Model, ceiling: int, *, lag: int = 0, noise: bool = False, of: int = 1) -> Trial:
    """Workers that begin with a partner none of them knows."""
    return Trial(model, [Concurrency.up_to(ceiling)] * of, lag=lag, noise=noise)


#: Whether the latency follows at once or a round later, and how evenly.
everywhere = pytest.mark.parametrize(
    ("lag", "noise"), [(0, False), (1, False), (0, True), (1, True)]
)


def test_it_begins_small() -> None:
    """The first limit is 16, or the ceiling if that is lower."""
    assert Concurrency.up_to(1024).limit == 16
    assert Concurrency.up_to(3).limit == 3


@everywhere
def test_a_steady_partner_gets_all_it_can_take(lag: int, noise: bool) -> None:
    """Constant 50 ms: the ceiling of 1024 within 10 rounds, and at least 95 % of it ever after."""
    run = trial(queue(0.05), 1024, lag=lag, noise=noise).run(1000)

    assert run.limits[10] == 1024
    assert min(run.limits[10:]) >= 0.95 * 1024


@everywhere
def test_no_queue_is_built_at_a_slow_partner(lag: int, noise: bool) -> None:
    """100 a second at 10 ms: no more than 15 under way, and no less than 95 of the 100."""
    run = trial(queue(0.01, 100), 1024, lag=lag, noise=noise).run(1000)

    assert max(run.under_way[100:]) <= 15
    assert run.throughput(100) >= 95


@everywhere
def test_a_busy_partner_is_kept_busy(lag: int, noise: bool) -> None:
    """1000 a second at 100 ms: nearly all of that, and about twice the latency at most."""
    run = trial(queue(0.1, 1000), 1024, lag=lag, noise=noise).run(1000)

    assert run.throughput(100) >= 850
    assert max(run.latency[100:]) <= 0.35


@everywhere
def test_workers_that_share_a_partner_build_no_queue_together(lag: int, noise: bool) -> None:
    """Four workers, each with its own rounds: no one takes the others' queue for its base."""
    run = trial(queue(0.1, 1000), 1024, lag=lag, noise=noise, of=4).run(2000)

    assert run.throughput(200) >= 850
    assert sum(run.latency[200:]) / 1800 <= 0.35


@everywhere
def test_what_we_spend_ourselves_is_no_congestion(lag: int, noise: bool) -> None:
    """0.2 ms that become 2 ms by our own work at 64 attempts: all 64 stay."""
    run = trial(lambda _, n: 0.0002 + 0.0018 * n / 64, 64, lag=lag, noise=noise).run(1000)

    assert run.limits[2:] == [64] * 998


@everywhere
def test_a_partner_that_became_slower_is_not_held_back_for_good(lag: int, noise: bool) -> None:
    """From 50 to 500 ms without a queue: 90 % of the ceiling again within 200 rounds."""
    run = trial(lambda number, _: 0.05 if number < 100 else 0.5, 1024, lag=lag, noise=noise).run(
        1000
    )

    assert min(run.limits[10:100]) == 1024
    assert max(run.limits[110:300]) >= 0.9 * 1024


def test_a_partner_that_became_faster_is_followed_at_once() -> None:
    """A lower latency is the new base in the same round, and congestion is measured by it."""
    limit = Concurrency.up_to(64).adjusted(latency_seconds=0.5, was_full=True)
    limit = limit.adjusted(latency_seconds=0.01, was_full=True)

    assert limit.base_seconds == 0.01
    assert limit.adjusted(latency_seconds=0.046, was_full=True).limit == pytest.approx(44.8)


def test_it_grows_only_if_it_held_attempts_back() -> None:
    """While there was less to do than allowed, nothing is learned about more."""
    limit = Concurrency.up_to(64)

    assert limit.adjusted(latency_seconds=0.05, was_full=False).limit == 16
    assert limit.adjusted(latency_seconds=0.05, was_full=True).limit == 32


def test_it_doubles_until_the_first_congestion_only() -> None:
    """After congestion was seen, the limit grows by its square root, or by one."""
    limit = Concurrency.up_to(64).adjusted(latency_seconds=0.01, was_full=True)
    limit = limit.adjusted(latency_seconds=1.0, was_full=True)
    for _ in range(4):
        limit = limit.adjusted(latency_seconds=0.01, was_full=True)
    before = limit.limit

    after = limit.adjusted(latency_seconds=0.01, was_full=True).limit
    assert after == pytest.approx(before + math.sqrt(before))


def test_25_ms_are_never_congestion() -> None:
    """Even at a partner that answers in no time, 25 ms of our own do not lower the limit."""
    limit = Concurrency.up_to(64).adjusted(latency_seconds=0.0, was_full=True)
    for _ in range(100):
        limit = limit.adjusted(latency_seconds=0.025, was_full=True)

    assert limit.limit == 64


def test_the_latency_of_a_single_attempt_is_believed_soon() -> None:
    """One attempt at a time finds no queue of ours: ten such rounds make their latency the base."""
    limit = Concurrency(ceiling=64, limit=1.0, base_seconds=0.05)
    for _ in range(10):
        limit = replace(limit, limit=1.0).adjusted(latency_seconds=0.5, was_full=True)

    assert limit.base_seconds >= 0.45


def test_a_slow_down_counts_once_a_round() -> None:
    """Of the many 429 of one excess the first takes 0.3, and the round adds nothing."""
    first = Concurrency.up_to(64).slowed()

    assert first.limit == pytest.approx(11.2)
    assert first.slowed() == first
    after = first.adjusted(latency_seconds=0.01, was_full=True)
    assert after.limit == first.limit
    assert after.slowed().limit == pytest.approx(7.84)
    assert after.adjusted(latency_seconds=0.01, was_full=True).limit == pytest.approx(
        11.2 + math.sqrt(11.2)
    )


def test_one_attempt_is_always_allowed() -> None:
    """However often it gives way, one attempt may be under way."""
    limit = Concurrency.up_to(64).adjusted(latency_seconds=0.001, was_full=True)
    for _ in range(30):
        limit = limit.slowed().adjusted(latency_seconds=9.0, was_full=True)

    assert limit.limit == 1


LATENCIES = st.floats() | st.floats(0, 10)
STEPS = st.lists(st.none() | st.tuples(LATENCIES, st.booleans()), max_size=100)


@given(st.integers(1, 5000), STEPS)
@settings(deadline=None)
def test_the_limit_stays_within_bounds(
    ceiling: int, steps: list[tuple[float, bool] | None]
) -> None:
    """Whatever latencies and slow-downs come: from 1 to the ceiling, and always a number."""
    limit = Concurrency.up_to(ceiling)
    for step in steps:
        if step is None:
            limit = limit.slowed()
        else:
            limit = limit.adjusted(latency_seconds=step[0], was_full=step[1])
        assert 1 <= limit.limit <= ceiling
        assert not math.isnan(limit.base_seconds)
