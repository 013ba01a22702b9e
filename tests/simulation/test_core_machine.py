"""Whatever happens, and whenever: what hypothesis finds in the core, rule by rule, and shrinks."""

import random
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.simulation.broker import EVENTS, FAILURE, RETRY, WRITE_ENDS
from tests.simulation.clock import virtual_time
from tests.simulation.healing import heal
from tests.simulation.partner import POST_ENDS
from tests.simulation.worker import COMMIT_ENDS, Build, Worker
from tests.simulation.world import World

_MOST_EVENTS = 12
_MOST_WORKERS = 3

_pick = st.integers(0, 11)


@pytest.fixture(autouse=True)
def _virtual_time() -> Iterator[None]:
    with virtual_time():
        yield


class CoreMachine(RuleBasedStateMachine):
    """Workers made of the real core, between a model Kafka and a model GSTV."""

    @initialize(
        seed=st.integers(0, 1 << 16),
        build=st.builds(
            Build,
            order=st.sampled_from(("none", "screen")),
            max_in_flight=st.integers(1, 4),
            held_events=st.sampled_from((8, 3)),
            rate_limit=st.sampled_from((None, 4.0)),
            receipts=st.booleans(),
        ),
        partitions=st.fixed_dictionaries(
            {EVENTS: st.integers(1, 2), RETRY: st.integers(1, 2), FAILURE: st.just(1)}
        ),
    )
    def begin(self, seed: int, build: Build, partitions: dict[str, int]) -> None:
        self.world = World(random.Random(seed), build, partitions)
        self.world.start_worker()

    def worker(self, pick: int) -> Worker:
        return self.world.workers[pick % len(self.world.workers)]

    @property
    def is_manned(self) -> bool:
        return bool(self.world.workers)

    @precondition(lambda self: len(self.world.witness.events) < _MOST_EVENTS)
    @rule(
        screens=st.lists(st.sampled_from((0, 1, 2, None)), min_size=1, max_size=4),
        readable=st.booleans(),
        named=st.booleans(),
    )
    def produce(self, screens: list[int | None], *, readable: bool, named: bool) -> None:
        for screen in screens:
            self.world.produce(screen, readable=readable, named=named)

    @precondition(lambda self: len(self.world.witness.events) < _MOST_EVENTS)
    @rule(screen=st.integers(0, 2), attempts=st.integers(1, 3), wait_seconds=st.floats(0, 2))
    def inherit(self, screen: int, attempts: int, wait_seconds: float) -> None:
        self.world.inherit(screen, attempts, wait_seconds)

    @precondition(lambda self: self.world.has_parked)
    @rule(index=_pick)
    def redrive(self, index: int) -> None:
        self.world.redrive(index)

    @precondition(lambda self: self.is_manned)
    @rule(pick=_pick, most=st.integers(1, 6))
    def fetch(self, pick: int, most: int) -> None:
        self.world.fetch(self.worker(pick), most)

    @precondition(lambda self: self.is_manned)
    @rule(pick=_pick, handles=st.integers(1, 30))
    def turn(self, pick: int, handles: int) -> None:
        self.world.turn(self.worker(pick), handles)

    @precondition(lambda self: self.world.partner.open)
    @rule(pick=_pick, how=st.sampled_from(POST_ENDS))
    def answer(self, pick: int, how: str) -> None:
        self.world.answer(pick % len(self.world.partner.open), how)

    @precondition(lambda self: self.world.broker.writes)
    @rule(pick=_pick, how=st.sampled_from(WRITE_ENDS))
    def end_write(self, pick: int, how: str) -> None:
        self.world.end_write(pick % len(self.world.broker.writes), how)

    @precondition(lambda self: self.is_manned)
    @rule(pick=_pick, how=st.sampled_from(COMMIT_ENDS))
    def commit(self, pick: int, how: str) -> None:
        self.world.commit(self.worker(pick), how)

    @rule()
    def advance(self) -> None:
        self.world.advance()

    @rule(seconds=st.floats(0, 60))
    def wait(self, seconds: float) -> None:
        self.world.wait(seconds)

    @precondition(lambda self: self.is_manned)
    @rule(pick=_pick)
    def crash(self, pick: int) -> None:
        self.world.crash(self.worker(pick))

    @precondition(lambda self: len(self.world.workers) < _MOST_WORKERS)
    @rule()
    def start(self) -> None:
        self.world.start_worker()

    @precondition(lambda self: self.is_manned)
    @rule()
    def rebalance(self) -> None:
        self.world.rebalance()

    @precondition(lambda self: self.is_manned)
    @rule(pick=_pick)
    def fence(self, pick: int) -> None:
        self.world.fence(self.worker(pick))

    @precondition(lambda self: self.is_manned)
    @rule(pick=_pick)
    def notice(self, pick: int) -> None:
        self.world.notice(self.worker(pick))

    @precondition(lambda self: self.world.group.is_preparing)
    @rule()
    def give_up_waiting(self) -> None:
        self.world.give_up_waiting()

    @precondition(lambda self: self.is_manned)
    @rule(pick=_pick)
    def stop(self, pick: int) -> None:
        self.world.stop(self.worker(pick))

    @rule()
    def hide_commits(self) -> None:
        self.world.hide_commits()

    @invariant()
    def nothing_is_violated(self) -> None:
        self.world.journal.check()

    @invariant()
    def what_is_held_is_what_is_unfinished(self) -> None:
        self.world.witness.check_held(self.world.workers)

    def teardown(self) -> None:
        # Without a world the machine never began.
        world = getattr(self, "world", None)
        if world is None:
            return
        try:
            heal(world)
            world.witness.check_end()
        finally:
            world.end()


class TestCoreMachine(CoreMachine.TestCase):  # type: ignore[misc,name-defined]
    """Hypothesis runs it."""

    settings = settings(
        max_examples=300,
        stateful_step_count=60,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
