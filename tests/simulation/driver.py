"""Schedules drawn from a seed: one seed, one schedule, always the same."""

import gc
import random
from collections import Counter
from dataclasses import dataclass, replace
from typing import Final

from tests.simulation.broker import EVENTS, FAILURE, RETRY, WRITE_ENDS
from tests.simulation.clock import virtual_time
from tests.simulation.healing import heal
from tests.simulation.journal import Violation
from tests.simulation.partner import LATER, POST_ENDS, STRAY
from tests.simulation.worker import COMMIT_ENDS, Build, Worker
from tests.simulation.world import Interruption, World

_PARTITIONS: Final = (
    {EVENTS: 1, RETRY: 1, FAILURE: 1},
    {EVENTS: 1, RETRY: 1, FAILURE: 1},
    {EVENTS: 2, RETRY: 1, FAILURE: 1},
    {EVENTS: 2, RETRY: 2, FAILURE: 1},
)
_MOST_WORKERS: Final = 3

#: What GSTV is like in a schedule: its endings, each as likely as it is often here.
_WEATHERS: Final = (
    ("success",) * 12 + POST_ENDS,  # calm
    POST_ENDS,  # anything
    ("500", "422", "422", "timeout", "500", "success", LATER, "taken-500"),  # refusing
    ("refused", "401", "tls", "429", "429-after", "503-after", "success", "timeout"),  # away
    ("success", LATER, "taken-timeout", "taken-reset", STRAY, "500"),  # ambiguous
)
_WRITES: Final = (
    ("confirmed",),
    ("confirmed",) * 4 + WRITE_ENDS,
    ("confirmed", "later", "later", "unknown", "refused"),
)
#: How often a turn is that of all workers, until they wait.
_SETTLED: Final = 0.3
_COMMITS: Final = ("taken", "taken", *COMMIT_ENDS)


def _table(**weights: int) -> tuple[str, ...]:
    return tuple(name for name, weight in weights.items() for _ in range(weight))


_QUIET: Final = _table(
    turn=20, answer=20, write=8, fetch=8, produce=5, inherit=2, redrive=1, commit=5, advance=5,
    wait=1,
)  # fmt: skip
_FAULTS: Final = (
    "crash", "rebalance", "fence", "notice", "give_up", "stop", "start", "hide_commits"
)  # fmt: skip
_FAULTY: Final = _QUIET + _table(
    crash=2, rebalance=1, fence=1, notice=2, give_up=1, stop=1, start=1, hide_commits=1
)
#: How many fetches are under way for so long that partitions may come and go meanwhile.
_LATE: Final = 0.25

#: Of so many schedules one is with delivery receipts.
_RECEIPTED: Final = 3

#: Most schedules begin so far, for what is of interest comes after it.
_BEGINNING: Final = ("turn", "fetch", "turn", "turn")

_LIMITS: Final = ((4, 8, None), (4, 8, None), (2, 3, None), (1, 8, None), (3, 4, 4.0))
_BUILDS: Final = tuple(
    Build(order=order, max_in_flight=in_flight, held_events=held, rate_limit=rate)
    for order in ("none", "none", "screen")
    for in_flight, held, rate in _LIMITS
)  # fmt: skip

#: What a full run of schedules must have seen: else it may have proved nothing.
EXPECTED: Final = (
    *(f"answer {how}" for how in POST_ENDS),
    *(f"write {how}" for how in WRITE_ENDS),
    *(f"commit {how}" for how in COMMIT_ENDS),
    *sorted({*_QUIET, *_FAULTS}),
    "order none", "order screen", "undisturbed", "duplicates", "on retry", "on failure",
    "on receipts",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """A schedule that showed a violation."""

    seed: int
    what: str


def run_seed(
    seed: int,
    fired: Counter[str] | None = None,
    trace: list[str] | None = None,
    interruption: Interruption | None = None,
) -> None:
    """Run the schedule of a seed, `interruption` besides. Raises Violation."""
    chance = random.Random(seed)
    draw = chance.random
    build = _BUILDS[int(draw() * len(_BUILDS))]
    if seed % _RECEIPTED == 0:
        # Not drawn: so that a seed that failed once has the schedule that it had.
        build = replace(build, receipts=True)
    world = World(chance, build, _PARTITIONS[int(draw() * len(_PARTITIONS))], trace)
    world.interruption = interruption
    try:
        _Schedule(world, chance, Counter() if fired is None else fired).run()
    finally:
        world.end()


class _Schedule:
    """One schedule under way. Its rules are the methods named in the tables."""

    def __init__(self, world: World, chance: random.Random, fired: Counter[str]) -> None:
        self.world = world
        self.draw = draw = chance.random
        self.fired = fired
        self.weather = _WEATHERS[int(draw() * len(_WEATHERS))]
        self.writes = _WRITES[int(draw() * len(_WRITES))]
        self.rules = _FAULTY if draw() < 0.5 else _QUIET
        self.most_events = 1 + int(draw() * 5)
        self.steps = 4 + int(draw() * 18)
        self.screens = 1 + int(draw() * 3)

    def run(self) -> None:
        """Do it. Raises Violation."""
        world, draw, rules, fired = self.world, self.draw, self.rules, self.fired
        world.start_worker()
        self.produce()
        if draw() < 0.3:
            self.inherit()
        for rule in _BEGINNING[: int(draw() * 5)]:
            getattr(self, rule)()
        count = len(rules)
        for _ in range(self.steps):
            name = rules[int(draw() * count)]
            fired[name] += 1
            getattr(self, name)()
            if world.journal.violations:
                world.journal.check()
        heal(world)
        world.witness.check_end()
        self._count()

    def _worker(self) -> Worker | None:
        workers = self.world.workers
        return workers[int(self.draw() * len(workers))] if workers else None

    def turn(self) -> None:
        chance = self.draw()
        if chance < _SETTLED:
            self._settle()
            return
        worker = self._worker()
        if worker is not None:
            self.world.turn(worker, 1 + int(self.draw() * 8))

    def _settle(self) -> None:
        for worker in list(self.world.workers):
            self.world.turn(worker, 100)

    def _follow_up(self) -> None:
        """Let a fault have its effect, as often as not: a drain ends, a share is begun."""
        chance = self.draw()
        if chance < 0.5:
            self._settle()
        if chance < 0.3:
            for _ in range(2):
                self.world.wait(0.01)
                self._settle()

    def answer(self) -> None:
        draw, open_posts = self.draw, self.world.partner.open
        if not open_posts:
            self.turn()
            return
        how = self.weather[int(draw() * len(self.weather))]
        self.fired["answer " + how] += 1
        self.world.answer(int(draw() * len(open_posts)), how)

    def write(self) -> None:
        draw, writes = self.draw, self.world.broker.writes
        if not writes:
            self.turn()
            return
        how = self.writes[int(draw() * len(self.writes))]
        self.fired["write " + how] += 1
        self.world.end_write(int(draw() * len(writes)), how)

    def fetch(self) -> None:
        worker = self._worker()
        if worker is not None and self.world.is_behind(worker):
            late = self.draw() * 0.05 if self.draw() < _LATE else 0.0
            self.world.fetch(worker, 1 + int(self.draw() * 4), late)
        else:
            self.turn()

    def produce(self) -> None:
        world, draw = self.world, self.draw
        for _ in range(1 + int(draw() * 3)):
            if len(world.witness.events) < self.most_events:
                screen = int(draw() * (self.screens + 1))
                world.produce(
                    screen if screen < 3 else None, readable=draw() > 0.08, named=draw() > 0.1
                )

    def inherit(self) -> None:
        world, draw = self.world, self.draw
        if len(world.witness.events) < self.most_events:
            world.inherit(int(draw() * self.screens), 1 + int(draw() * 3), draw() * 2)

    def redrive(self) -> None:
        if self.world.has_parked:
            self.fired["redriven"] += 1
            self.world.redrive(int(self.draw() * 8))

    def commit(self) -> None:
        worker = self._worker()
        if worker is None or not worker.ledger.commits():
            self.turn()
            return
        how = _COMMITS[int(self.draw() * len(_COMMITS))]
        self.fired["commit " + how] += 1
        self.world.commit(worker, how)

    def advance(self) -> None:
        self.world.advance()

    def wait(self) -> None:
        self.world.wait(self.draw())

    def crash(self) -> None:
        worker = self._worker()
        if worker is not None:
            self.world.crash(worker)
            if not self.world.workers or self.draw() < 0.5:
                self.world.start_worker()
        self._follow_up()

    def rebalance(self) -> None:
        if self.world.group.members:
            self.world.rebalance()
        self._follow_up()

    def fence(self) -> None:
        worker = self._worker()
        if worker is not None:
            self.world.fence(worker)
            if len(self.world.workers) == 1:
                self.world.start_worker()
        self._follow_up()

    def notice(self) -> None:
        worker = self._worker()
        if worker is not None:
            self.world.notice(worker)
        self._follow_up()

    def give_up(self) -> None:
        self.world.give_up_waiting()

    def stop(self) -> None:
        worker = self._worker()
        if worker is not None:
            self.world.stop(worker)
        self._follow_up()

    def start(self) -> None:
        if len(self.world.workers) < _MOST_WORKERS:
            self.world.start_worker()
        self._follow_up()

    def hide_commits(self) -> None:
        self.world.hide_commits()

    def _count(self) -> None:
        world, fired = self.world, self.fired
        fired["schedules"] += 1
        fired["events"] += len(world.witness.events)
        fired["order " + world.build.order] += 1
        fired["disturbed" if world.journal.is_disturbed else "undisturbed"] += 1
        taken = world.partner.taken
        fired["duplicates"] += sum(taken.values()) - len(taken)
        for place, log in world.broker.logs.items():
            fired["on " + place.topic] += len(log)
        for name, count in world.journal.seen.items():
            fired[name] += count


def hunt(first: int, count: int, fired: Counter[str] | None = None) -> Found | None:
    """Run the schedules of `count` seeds; the first violation ends it."""
    for seed in range(first, first + count):
        try:
            run_seed(seed, fired)
        except Violation as violation:
            return Found(seed, str(violation))
    return None


def hunt_in_process(first: int, count: int) -> tuple[Found | None, Counter[str]]:
    """The same, for a process of its own; with what was seen."""
    fired: Counter[str] = Counter()
    # What is there already need not be looked at again and again, nor what is new so often.
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
    with virtual_time():
        return hunt(first, count, fired), fired


def trace_of(seed: int) -> list[str]:
    """The steps of a seed's schedule, up to its violation if it has one."""
    trace: list[str] = []
    try:
        run_seed(seed, trace=trace)
    except Violation as violation:
        trace.append(f"violated: {violation}")
    return trace


def handles_of(seed: int) -> int:
    """How many handles of loops a seed's schedule runs."""
    counter = Interruption(after=1 << 30, how="crash")
    run_seed(seed, interruption=counter)
    return (1 << 30) - counter.after
