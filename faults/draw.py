"""Draws the scenarios of a soak: faults of all kinds, with calm in between, each from a seed."""

import random
from collections.abc import Callable, Sequence

from faults.plan import (
    Action,
    BrokerChoice,
    Cut,
    KillBrokers,
    KillGstv,
    KillWorker,
    Link,
    Misbehave,
    PauseBrokers,
    PauseWorker,
    Scenario,
    StopWorker,
)
from faults.proxy_faults import Blackhole, CutAfter, Delay, Fault, HalfClose, Refuse, Reset

_WORKERS = 3
#: These are struck; the last worker never is, so that its memory can be watched.
_STRUCK = 2
_SETTLING_SECONDS = 25.0

_MISBEHAVIOURS: Sequence[tuple[str, Sequence[object]]] = (
    ("500", [{"when": {"random": 0.3}, "then": {"status": 500}}]),
    ("503", [{"then": {"status": 503}}]),
    ("429", [{"when": {"above_per_second": 100}, "then": {"status": 429, "retry_after": 1}}]),
    ("401", [{"then": {"status": 401}}]),
    ("hang", [{"when": {"random": 0.2}, "then": {"hang": True}}]),
    ("reset", [{"when": {"random": 0.1}, "then": {"reset": "after-response"}},
               {"when": {"random": 0.1}, "then": {"reset": "mid-response"}}]),
    ("late", [{"then": {"delay": [0.2, 1.5]}}]),
)  # fmt: skip


def draw_round(number: int, *, seed: int, seconds: float, events_per_second: float) -> Scenario:
    """The same number and seed draw the same round."""
    drawn = random.Random(seed * 100_003 + number)  # noqa: S311 - repeatable
    actions: list[Action] = []
    at = 5.0
    while at < seconds - _SETTLING_SECONDS:
        if drawn.random() < 0.15:
            at += drawn.uniform(5, 15)
            continue
        actions.append(_draw_action(drawn, at))
        at += drawn.uniform(1.5, 4.5)
    return Scenario(
        name=f"round-{number}",
        rows="A B C F",
        title=f"{len(actions)} faults in {seconds:.0f} s",
        actions=actions,
        seconds=seconds,
        events_per_second=events_per_second,
        workers=_WORKERS,
        screens=400,
        bad_share=0.001,
        must_have=("duplicate", "retry", "parked", "rebalance"),
        recovery_seconds=60,
        idle_share=0.25,
    )


def _draw_action(drawn: random.Random, at: float) -> Action:
    (draw,) = drawn.choices([draw for draw, _ in _KINDS], [weight for _, weight in _KINDS])
    return draw(drawn, at)


def _kill_worker(drawn: random.Random, at: float) -> Action:
    return KillWorker(at=at, worker=drawn.randint(1, _STRUCK))


def _stop_worker(drawn: random.Random, at: float) -> Action:
    kill_after = drawn.choice((None, None, drawn.uniform(0, 2)))
    return StopWorker(at=at, worker=drawn.randint(1, _STRUCK), kill_after=kill_after)


def _pause_worker(drawn: random.Random, at: float) -> Action:
    return PauseWorker(at=at, worker=drawn.randint(1, _STRUCK), seconds=drawn.uniform(3, 20))


def _kill_broker(drawn: random.Random, at: float) -> Action:
    choices: tuple[BrokerChoice, ...] = (1, 2, 3, "leader", "coordinator")
    broker = drawn.choice(choices)
    return KillBrokers(
        at=at, down_seconds=drawn.uniform(1, 6), brokers=[broker], clean=drawn.random() < 0.2
    )


def _pause_broker(drawn: random.Random, at: float) -> Action:
    brokers = drawn.sample((1, 2, 3), drawn.choice((1, 1, 2)))
    return PauseBrokers(at=at, seconds=drawn.uniform(2, 10), brokers=brokers)


def _cut_brokers(drawn: random.Random, at: float) -> Action:
    link: Link = drawn.choice(("brokers", "broker-1", "broker-2", "broker-3"))
    faults: tuple[Fault, ...] = (
        Blackhole(drawn.choice(("up", "down", "both"))),
        CutAfter((5_000, 300_000)),
        Delay((0.02, 0.3)),
        Reset(),
        Refuse(),
    )
    return Cut(at=at, seconds=drawn.uniform(2, 12), link=link, fault=drawn.choice(faults))


def _cut_gstv(drawn: random.Random, at: float) -> Action:
    faults: tuple[Fault, ...] = (
        Blackhole(drawn.choice(("up", "down", "both"))),
        CutAfter((1, 4_000), direction=drawn.choice(("up", "down"))),
        Delay((0.05, 0.8)),
        HalfClose(),
        Reset(),
        Refuse(),
    )
    return Cut(at=at, seconds=drawn.uniform(1, 6), link="gstv", fault=drawn.choice(faults))


def _misbehave(drawn: random.Random, at: float) -> Action:
    name, rules = drawn.choice(_MISBEHAVIOURS)
    return Misbehave(at=at, seconds=drawn.uniform(2, 8), name=name, rules=rules)


def _kill_gstv(drawn: random.Random, at: float) -> Action:
    return KillGstv(at=at, down_seconds=drawn.uniform(0.5, 4))


_KINDS: Sequence[tuple[Callable[[random.Random, float], Action], float]] = (
    (_kill_worker, 7),
    (_stop_worker, 2),
    (_pause_worker, 1),
    (_kill_broker, 2.5),
    (_pause_broker, 1.5),
    (_cut_brokers, 2),
    (_cut_gstv, 2),
    (_misbehave, 3),
    (_kill_gstv, 0.5),
)
