"""The ledger: what may be committed, whatever the order in which events finish."""

from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pop_stream.pop.done_map import decode_done
from pop_stream.stream.ledger import Commit, Ledger, Limits, Place, Run, Standing

TOPIC = "pop-events"
HERE = Place(TOPIC, 0)


@dataclass(frozen=True)
class Row:
    """A record as far as the ledger looks at it."""

    offset: int
    size: int = 4
    timestamp: int = 1_795_168_800_000


def rows(*offsets: int) -> list[Row]:
    """Records at these offsets."""
    return [Row(offset) for offset in offsets]


def ledger_with(limits: Limits | None = None) -> Ledger[Row]:
    """A ledger that owns one partition."""
    ledger: Ledger[Row] = Ledger({TOPIC: limits or Limits()})
    ledger.open({HERE})
    return ledger


def take(ledger: Ledger[Row], *offsets: int) -> Run[Row]:
    """Take records that must be new."""
    run = ledger.take(TOPIC, 0, rows(*offsets))
    assert run is not None
    return run


def test_a_partition_stands_where_its_first_unfinished_event_is() -> None:
    """Where the finished prefix ends, and when the event there was written."""
    ledger = ledger_with()
    assert ledger.standings() == [Standing(HERE, None, None, is_done=True, written_ms=None)]
    run = ledger.take(TOPIC, 0, [Row(31, timestamp=5), Row(32, timestamp=7), Row(40, timestamp=6)])
    assert run is not None
    assert ledger.standings() == [Standing(HERE, 31, 31, is_done=False, written_ms=5)]
    run.finish(0)
    run.finish(1)
    assert ledger.standings() == [Standing(HERE, 31, 40, is_done=False, written_ms=6)]
    run.finish(2)
    assert ledger.standings() == [Standing(HERE, 31, 41, is_done=False, written_ms=None)]
    ledger.committed(ledger.commits())
    assert ledger.standings() == [Standing(HERE, 41, 41, is_done=True, written_ms=None)]


def test_a_partition_of_which_nothing_was_taken_stands_at_its_commit() -> None:
    """As its owner before has left it."""
    ledger: Ledger[Row] = Ledger({TOPIC: Limits()})
    ledger.open({HERE}, {HERE: Commit(31)})

    assert ledger.standings() == [Standing(HERE, None, 31, is_done=True, written_ms=None)]


def test_nothing_is_committable_before_anything_is_finished() -> None:
    """Taking records commits none of them."""
    ledger = ledger_with()
    take(ledger, 31, 32, 33)

    assert offered(ledger) == {}


@pytest.mark.parametrize("head", [0, 1, 31])
def test_an_event_under_way_holds_the_commit_back(head: int) -> None:
    """What stock Faust gets wrong: 31 is under way, 32 and 33 are finished, 34 is not committed."""
    ledger = ledger_with()
    run = take(ledger, head, head + 1, head + 2)
    run.finish(1)
    run.finish(2)

    assert offered(ledger) == {}

    run.finish(0)

    assert offered(ledger) == {HERE: head + 3}


def test_a_gap_in_the_offsets_does_not_finish_what_stands_behind_it() -> None:
    """Compaction and transactions leave gaps: the commit stays at the first unfinished offset."""
    ledger = ledger_with()
    run = take(ledger, 10, 15, 16)
    run.finish(0)
    run.finish(2)

    assert offered(ledger) == {HERE: 15}


def test_a_committed_offset_is_offered_once() -> None:
    """What the broker took is not sent again; what it refused is."""
    ledger = ledger_with()
    run = take(ledger, 0, 1)
    run.finish(0)
    commits = ledger.commits()

    assert offered(ledger) == {HERE: 1}
    assert ledger.commits() == commits

    ledger.committed(commits)

    assert offered(ledger) == {}


def test_finishing_after_the_revocation_changes_nothing() -> None:
    """A late outcome of an earlier assignment cannot move the commit of the next one."""
    ledger = ledger_with()
    stale = take(ledger, 0, 1)
    ledger.open({HERE})
    fresh = take(ledger, 0, 1)

    assert stale.finish(0) is False
    assert not stale.open
    assert offered(ledger) == {}
    assert fresh.finish(0) is True
    assert offered(ledger) == {HERE: 1}


def test_finishing_twice_counts_once() -> None:
    """The numbers of what is held stay right when an outcome is reported twice."""
    ledger = ledger_with()
    run = take(ledger, 0, 1)

    assert run.finish(1) is True
    assert run.finish(1) is False
    assert ledger.unfinished == 1


def test_records_read_again_are_left_out() -> None:
    """A fetch that overlaps an earlier one enters only what is new."""
    ledger = ledger_with()
    take(ledger, 0, 1, 2)

    assert take(ledger, 1, 2, 3).offsets == [3]
    assert ledger.take(TOPIC, 0, rows(2, 3)) is None


def test_a_partition_that_is_not_ours_is_not_taken() -> None:
    """Records that arrive after the revocation are not entered."""
    ledger = ledger_with()
    ledger.close()

    assert ledger.take(TOPIC, 0, rows(0)) is None
    assert ledger.with_room() == set()


@pytest.mark.parametrize(
    "limits", [Limits(events=2), Limits(bytes=8), Limits(skew=2)], ids=["events", "bytes", "skew"]
)
def test_a_full_ledger_asks_for_no_more(limits: Limits) -> None:
    """At a limit nothing more is fetched; once the head is finished there is room again."""
    ledger = ledger_with(limits)
    run = take(ledger, 0, 1)

    assert ledger.with_room() == set()

    run.finish(0)

    assert ledger.with_room() == {HERE}


def test_a_stuck_head_bounds_how_far_a_partition_is_taken() -> None:
    """Finished events behind an unfinished one count against the skew, and not against the held."""
    ledger = ledger_with(Limits(events=100, skew=3))
    run = take(ledger, 0, 1, 2)
    run.finish(1)
    run.finish(2)

    assert ledger.unfinished == 1
    assert ledger.with_room() == set()


def offered(ledger: Ledger[Row]) -> dict[Place, int]:
    """The offsets that would move with the next commit."""
    moved = {}
    for place, commit in ledger.commits().items():
        before = ledger._partitions[place].committed
        if before is None or commit.offset != before.offset:
            moved[place] = commit.offset
    return moved


def test_what_was_finished_behind_an_unfinished_event_is_not_done_again() -> None:
    """The next owner of the partition reads it again, and finds it finished."""
    first = ledger_with()
    run = take(first, *range(10))
    for index in (1, 2, 5, 9):
        run.finish(index)
    commits = first.commits()

    assert commits[HERE].offset == 0

    second: Ledger[Row] = Ledger({TOPIC: Limits()})
    second.open({HERE}, commits)
    again = [take(second, 0, 1, 2, 3), take(second, *range(4, 12))]
    left = [r.offsets[i] for r in again for i in r.unfinished()]

    assert left == [0, 3, 4, 6, 7, 8, 10, 11]
    assert second.unfinished == len(left)

    for each in again:
        for index in range(len(each.offsets)):
            each.finish(index)

    assert offered(second) == {HERE: 12}


def test_what_is_not_read_again_yet_stays_known_to_be_finished() -> None:
    """A second hand-over before everything was read again forgets nothing."""
    first = ledger_with()
    run = take(first, *range(10))
    run.finish(9)
    second: Ledger[Row] = Ledger({TOPIC: Limits()})
    second.open({HERE}, first.commits())
    take(second, 0, 1).finish(0)
    third: Ledger[Row] = Ledger({TOPIC: Limits()})
    third.open({HERE}, second.commits())

    assert 1 not in take(third, 1, 9).unfinished()


class LedgerModel(RuleBasedStateMachine):
    """The ledger beside a model: a set of finished offsets for each partition of this opening."""

    @initialize()
    def begin(self) -> None:
        self.ledger: Ledger[Row] = Ledger({TOPIC: Limits(events=50, skew=50)})
        self.runs: list[tuple[int, Run[Row]]] = []
        self.taken: dict[int, list[int]] = {}
        self.finished: dict[int, set[int]] = {}
        self.committed: dict[int, Commit] = {}
        #: What an earlier opening finished, and its last commit told.
        self.told: dict[int, set[int]] = {}
        self.stale: list[Run[Row]] = []
        self.ever_finished: dict[int, set[int]] = {}

    def committed_offset(self, partition: int, default: int | None = None) -> int | None:
        commit = self.committed.get(partition)
        return default if commit is None else commit.offset

    @rule(partitions=st.sets(st.integers(0, 2), min_size=1))
    def assign(self, partitions: set[int]) -> None:
        self.stale += [run for _, run in self.runs]
        places = {Place(TOPIC, partition) for partition in partitions}
        known = {Place(TOPIC, p): commit for p, commit in self.committed.items()}
        self.ledger.open(places, known)
        self.runs = []
        # As after a real rebalance, reading goes on from what was committed.
        self.taken = {partition: [] for partition in partitions}
        self.finished = {partition: set() for partition in partitions}
        self.told = {p: set(decode_done(*c)) for p, c in self.committed.items()}

    @precondition(lambda self: self.taken)
    @rule(data=st.data(), gaps=st.lists(st.integers(1, 3), min_size=1, max_size=8))
    def fetch(self, data: st.DataObject, gaps: list[int]) -> None:
        partition = data.draw(st.sampled_from(sorted(self.taken)))
        if Place(TOPIC, partition) not in self.ledger.with_room():
            return
        before = self.taken[partition]
        offset = before[-1] if before else self.committed_offset(partition, 0) - 1
        offsets = []
        for gap in gaps:
            offset += gap if before or offsets else 1
            offsets.append(offset)
        run = self.ledger.take(TOPIC, partition, rows(*offsets))
        assert run is not None
        self.runs.append((partition, run))
        before += offsets
        # Only what was finished for good may have been told; it is not to be done again.
        told = self.told.get(partition, set()) & set(offsets)
        assert told <= self.ever_finished.get(partition, set())
        assert set(run.offsets) - {run.offsets[i] for i in run.unfinished()} == told
        self.finished[partition] |= told

    @precondition(lambda self: self.runs)
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        partition, run = data.draw(st.sampled_from(self.runs))
        index = data.draw(st.integers(0, len(run.offsets) - 1))
        run.finish(index)
        self.finished[partition].add(run.offsets[index])
        self.ever_finished.setdefault(partition, set()).add(run.offsets[index])

    @precondition(lambda self: self.stale)
    @rule(data=st.data())
    def finish_late(self, data: st.DataObject) -> None:
        run = data.draw(st.sampled_from(self.stale))
        assert run.finish(data.draw(st.integers(0, len(run.offsets) - 1))) is False

    @rule(accepted=st.booleans())
    def commit(self, accepted: bool) -> None:
        commits = self.ledger.commits()
        if accepted:
            self.ledger.committed(commits)
            self.committed |= {place.partition: commit for place, commit in commits.items()}

    @invariant()
    def no_commit_passes_an_unfinished_event(self) -> None:
        for place, offset in offered(self.ledger).items():
            below = [each for each in self.taken[place.partition] if each < offset]
            assert set(below) <= self.finished[place.partition]

    @invariant()
    def the_whole_finished_prefix_is_committable(self) -> None:
        now_offered = offered(self.ledger)
        for partition, offsets in self.taken.items():
            open_ones = [each for each in offsets if each not in self.finished[partition]]
            if offsets and not open_ones:
                end = now_offered.get(Place(TOPIC, partition), self.committed_offset(partition))
                assert end == offsets[-1] + 1

    @invariant()
    def what_is_held_is_what_is_unfinished(self) -> None:
        unfinished = sum(len(set(self.taken[p]) - self.finished[p]) for p in self.taken)
        assert self.ledger.unfinished == unfinished


TestLedgerModel = LedgerModel.TestCase
TestLedgerModel.settings = settings(max_examples=300, stateful_step_count=60, deadline=None)


@given(order=st.permutations(range(12)), splits=st.sets(st.integers(1, 11)))
def test_every_order_of_finishing_commits_exactly_the_finished_prefix(
    order: list[int], splits: set[int]
) -> None:
    """After each event the offer is the end of the finished prefix, neither less nor more."""
    ledger = ledger_with()
    edges = [0, *sorted(splits), 12]
    where = {}
    for start, end in pairwise(edges):
        run = take(ledger, *range(start, end))
        where |= {offset: (run, offset - start) for offset in range(start, end)}
    finished: set[int] = set()
    for offset in order:
        run, index = where[offset]
        run.finish(index)
        finished.add(offset)
        prefix = next((each for each in range(12) if each not in finished), 12)

        assert offered(ledger).get(HERE, 0) == prefix
