"""What was committed, what is there, and what comes next."""

import asyncio
from collections.abc import Collection, Mapping

import pytest
from aiokafka.errors import KafkaConnectionError
from faust.types import TP

from pop_stream.pop.hole import Hole
from pop_stream.stream import continuity as module
from pop_stream.stream.continuity import Bounds, Continuity
from pop_stream.stream.ledger import Commit, Ledger, Limits, Place
from pop_stream.stream.record import KafkaRecord
from tests.unit.stream.fakes import EVENTS, Aborted, NotedAbort, record, until

PLACE, TP_0 = Place(EVENTS, 0), TP(EVENTS, 0)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_AGAIN_SECONDS", 0)
    monkeypatch.setattr(module, "_DOUBT_SECONDS", 0)


class Scene:
    """A partition of which `committed` stands committed, and that has the records of `bounds`."""

    def __init__(
        self,
        bounds: tuple[int, int],
        *,
        committed: Mapping[Place, Commit] | None,
        may_start_over: bool = False,
    ) -> None:
        self.there = bounds
        #: The bounds at the first looks.
        self.first: list[tuple[int, int]] = []
        self.position = 0
        self.errors: list[Exception] = []
        self.commits = asyncio.Event()
        self.commits.set()
        self.sought: list[int] = []
        self.holes: list[Hole] = []
        self.ends: list[Mapping[Place, int]] = []
        self.abort = NotedAbort()
        self.looks = 0
        self.ledger: Ledger[KafkaRecord] = Ledger(
            {EVENTS: Limits(events=100, bytes=10_000, skew=100)}
        )
        self.ledger.open({PLACE}, committed)
        self.continuity = Continuity(
            self.ledger,
            self,
            tell=self._tell,
            note_ends=self.ends.append,
            may_start_over=may_start_over,
            abort=self.abort,
        )
        self.continuity.assigned({TP_0})

    async def bounds(self, places: Collection[TP]) -> dict[TP, Bounds]:
        self.looks += 1
        if self.errors:
            raise self.errors.pop(0)
        if self.first:
            return dict.fromkeys(places, Bounds(*self.first.pop(0), self.position))
        return dict.fromkeys(places, Bounds(*self.there, self.position))

    async def seek_to(self, _: TP, offset: int) -> None:
        self.sought.append(offset)

    async def commit_beginnings(self) -> bool:
        if self.commits.is_set() and self.ledger.has_beginnings:
            self.ledger.committed(self.ledger.commits())
        return not self.ledger.has_beginnings

    async def _tell(self, hole: Hole) -> None:
        self.holes.append(hole)

    @property
    def may_fetch(self) -> bool:
        return self.continuity.may_fetch({TP_0}) == {TP_0}

    async def look(self) -> None:
        """Let it look until it is content, or has ended the worker."""
        watch = asyncio.create_task(self.continuity.watch())
        await until(lambda: self.may_fetch or watch.done())
        watch.cancel()

    async def look_again(self) -> None:
        """Let it look once more, as it does now and then."""
        await self.continuity.look()

    async def fetch(self, *offsets: int) -> None:
        """Let records come, and take them."""
        records = [record(offset, b"v") for offset in offsets]
        if not await self.continuity.examine({TP_0: records}):
            self.ledger.take(*PLACE, records)


def test_a_new_group_commits_where_it_begins_before_it_works() -> None:
    """A kill in its first second would otherwise leave a group that knows nothing."""

    async def scenario() -> None:
        scene = Scene((7, 20), committed={})
        scene.commits.clear()
        assert not await scene.continuity.look()
        assert not scene.may_fetch
        assert scene.ledger.commits() == {PLACE: Commit(7)}
        scene.commits.set()
        await scene.look()
        assert scene.may_fetch
        assert scene.ledger.commits() == {}
        await scene.fetch(7, 8)
        assert scene.holes == []

    asyncio.run(scenario())


def test_a_commit_that_could_not_be_read_is_not_taken_for_none() -> None:
    """Nothing is committed in its place, for that would be further back."""

    async def scenario() -> None:
        scene = Scene((0, 20), committed=None)
        await scene.look()
        assert scene.may_fetch
        assert scene.ledger.commits() == {}
        await scene.fetch(11)
        assert scene.ledger.expected(PLACE) == 12

    asyncio.run(scenario())


def test_what_was_deleted_before_it_was_delivered_is_told() -> None:
    """Once, with its bounds; then the rest goes on, and the commit goes beyond the hole."""

    async def scenario() -> None:
        scene = Scene((50, 80), committed={PLACE: Commit(30)})
        await scene.look()
        assert scene.may_fetch
        assert scene.holes == [Hole(topic=EVENTS, partition=0, begin=30, end=50)]
        assert scene.ledger.commits() == {PLACE: Commit(50)}
        await scene.fetch(50, 51)
        assert len(scene.holes) == 1
        assert scene.abort.reasons == []

    asyncio.run(scenario())


def test_what_is_deleted_while_a_worker_runs_is_told() -> None:
    """The next records come from beyond the hole."""

    async def scenario() -> None:
        scene = Scene((0, 80), committed={PLACE: Commit(30)})
        await scene.look()
        await scene.fetch(30, 31)
        scene.there = (60, 90)
        await scene.fetch(60, 61)
        assert scene.holes == [Hole(topic=EVENTS, partition=0, begin=32, end=60)]

    asyncio.run(scenario())


def test_what_is_deleted_on_an_idle_partition_is_told() -> None:
    """No record comes that would show it: the bounds are looked at now and then."""

    async def scenario() -> None:
        scene = Scene((0, 40), committed={PLACE: Commit(30)})
        await scene.look()
        scene.there = (40, 40)
        await scene.look_again()
        assert scene.holes == [Hole(topic=EVENTS, partition=0, begin=30, end=40)]

    asyncio.run(scenario())


def test_records_that_were_passed_over_are_fetched_once_more() -> None:
    """Nothing was deleted: they are there, and a fetch from beyond them would lose them."""

    async def scenario() -> None:
        scene = Scene((0, 80), committed={PLACE: Commit(30)})
        await scene.look()
        await scene.fetch(40, 41)
        assert scene.sought == [30]
        assert scene.ledger.expected(PLACE) == 30
        await scene.fetch(30, 31)
        assert scene.ledger.expected(PLACE) == 32

    asyncio.run(scenario())


def test_a_gap_that_stays_was_never_a_record() -> None:
    """A transaction's mark has an offset; it is asked for once."""

    async def scenario() -> None:
        scene = Scene((0, 80), committed={PLACE: Commit(30)})
        await scene.look()
        await scene.fetch(30, 31)
        await scene.fetch(33, 35)
        assert scene.sought == [32]
        await scene.fetch(33, 35)
        assert (scene.holes, scene.sought) == ([], [32])
        assert scene.ledger.expected(PLACE) == 36

    asyncio.run(scenario())


def test_records_in_a_row_need_no_look() -> None:
    """The bounds cost a request each time."""

    async def scenario() -> None:
        scene = Scene((0, 80), committed={PLACE: Commit(0)})
        await scene.look()
        for offset in range(5):
            await scene.fetch(offset)
        assert scene.looks == 1

    asyncio.run(scenario())


def test_nothing_is_fetched_before_the_bounds_are_known() -> None:
    """Kafka may not answer at once."""

    async def scenario() -> None:
        scene = Scene((0, 80), committed={})
        scene.errors.append(KafkaConnectionError())
        assert not scene.may_fetch
        await scene.look()
        assert (scene.looks, scene.may_fetch) == (2, True)

    asyncio.run(scenario())


@pytest.mark.parametrize("bounds", [(0, 10), (0, 0)])
def test_a_topic_that_is_shorter_than_its_commit_ends_the_worker(bounds: tuple[int, int]) -> None:
    """It was made anew, or has lost records: a person decides."""

    async def scenario() -> None:
        scene = Scene(bounds, committed={PLACE: Commit(30)})
        await scene.look()
        assert "30 should come next" in scene.abort.reasons[0]
        assert not scene.may_fetch

    asyncio.run(scenario())


def test_a_topic_that_is_shorter_only_for_a_moment_ends_nothing() -> None:
    """A broker that leads since just now does not know yet what is confirmed."""

    async def scenario() -> None:
        scene = Scene((0, 30), committed={PLACE: Commit(30)})
        scene.first = [(0, 10)]
        await scene.look()
        assert scene.may_fetch
        assert scene.abort.reasons == []

    asyncio.run(scenario())


def test_records_that_come_while_their_end_is_asked_for_end_nothing() -> None:
    """What comes next has gone beyond that end by the time it is known."""

    async def scenario() -> None:
        scene = Scene((0, 31), committed={PLACE: Commit(30)})
        await scene.look()
        await scene.fetch(30)
        look = asyncio.create_task(scene.look_again())
        await asyncio.sleep(0)
        assert scene.looks == 2
        await scene.fetch(31, 32, 33)
        await look
        assert scene.abort.reasons == []

    asyncio.run(scenario())


def test_where_partitions_end_is_told_at_each_look() -> None:
    """Of all that are assigned; not when Kafka did not say, nor after a look at some of them."""

    async def scenario() -> None:
        scene = Scene((0, 80), committed={PLACE: Commit(30)})
        scene.errors.append(KafkaConnectionError())
        await scene.look()
        assert scene.ends == [{PLACE: 80}]
        await scene.fetch(35)
        scene.there = (0, 95)
        await scene.look_again()
        assert scene.ends == [{PLACE: 80}, {PLACE: 95}]

    asyncio.run(scenario())


def test_a_partition_from_which_nothing_comes_is_stuck() -> None:
    """It has records and there is room for them, and its position has not moved between looks."""

    async def scenario() -> None:
        scene = Scene((0, 80), committed={PLACE: Commit(0)})
        await scene.look()
        assert scene.continuity.stuck == frozenset()
        await scene.look_again()
        assert scene.continuity.stuck == {TP_0}
        scene.position = 40
        await scene.look_again()
        assert scene.continuity.stuck == frozenset()
        scene.position = 80
        await scene.look_again()
        await scene.look_again()
        assert scene.continuity.stuck == frozenset()

    asyncio.run(scenario())


def test_a_partition_without_room_is_not_stuck() -> None:
    """GSTV is slow, or away: nothing is fetched on purpose."""

    async def scenario() -> None:
        scene = Scene((0, 800), committed={PLACE: Commit(0)})
        await scene.look()
        await scene.fetch(*range(100))
        scene.position = 100
        await scene.look_again()
        await scene.look_again()
        assert scene.continuity.stuck == frozenset()

    asyncio.run(scenario())


def test_records_that_come_again_end_the_worker() -> None:
    """A topic that was made anew under a running worker: to pass over them would lose them."""

    async def scenario() -> None:
        scene = Scene((0, 80), committed={PLACE: Commit(30)})
        await scene.look()
        await scene.fetch(30, 31)
        with pytest.raises(Aborted, match="offset 0 came after 31"):
            await scene.fetch(0, 1)

    asyncio.run(scenario())


def test_a_person_may_let_it_start_over() -> None:
    """Then it begins with the oldest record, and commits from there."""

    async def scenario() -> None:
        scene = Scene((2, 10), committed={PLACE: Commit(30)}, may_start_over=True)
        await scene.look()
        assert scene.may_fetch
        await scene.fetch(2, 3)
        assert scene.ledger.expected(PLACE) == 4
        assert scene.abort.reasons == []

    asyncio.run(scenario())
