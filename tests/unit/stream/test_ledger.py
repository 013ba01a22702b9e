"""The ledger: what may be committed, whatever the order in which events finish."""

from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from pop_stream.stream.ledger import Ledger, Limits, Place, Run

TOPIC = "pop-events"
HERE = Place(TOPIC, 0)


@dataclass(frozen=True)
class Row:
    """A record as far as the ledger looks at it."""

    offset: int
    key: bytes | None = b"k"
    value: bytes | None = b"vvv"


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


def test_nothing_is_committable_before_anything_is_finished() -> None:
    """Taking records commits none of them."""
    ledger = ledger_with()
    take(ledger, 31, 32, 33)

    assert ledger.committable() == {}


@pytest.mark.parametrize("head", [0, 1, 31])
def test_an_event_under_way_holds_the_commit_back(head: int) -> None:
    """What stock Faust gets wrong: 31 is under way, 32 and 33 are finished, 34 is not committed."""
    ledger = ledger_with()
    run = take(ledger, head, head + 1, head + 2)
    run.finish(1)
    run.finish(2)

    assert ledger.committable() == {}

    run.finish(0)

    assert ledger.committable() == {HERE: head + 3}


def test_a_gap_in_the_offsets_does_not_finish_what_stands_behind_it() -> None:
    """Compaction and transactions leave gaps: the commit stays at the first unfinished offset."""
    ledger = ledger_with()
    run = take(ledger, 10, 15, 16)
    run.finish(0)
    run.finish(2)

    assert ledger.committable() == {HERE: 15}


def test_a_committed_offset_is_offered_once() -> None:
    """What the broker took is not sent again; what it refused is."""
    ledger = ledger_with()
    run = take(ledger, 0, 1)
    run.finish(0)
    offered = ledger.committable()

    assert offered == ledger.committable() == {HERE: 1}

    ledger.committed(offered)

    assert ledger.committable() == {}


def test_finishing_after_the_revocation_changes_nothing() -> None:
    """A late outcome of an earlier assignment cannot move the commit of the next one."""
    ledger = ledger_with()
    stale = take(ledger, 0, 1)
    ledger.open({HERE})
    fresh = take(ledger, 0, 1)

    assert stale.finish(0) is False
    assert not stale.open
    assert ledger.committable() == {}
    assert fresh.finish(0) is True
    assert ledger.committable() == {HERE: 1}


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

    assert ledger.held(TOPIC) == 1
    assert ledger.with_room() == set()


class LedgerModel(RuleBasedStateMachine):
    """The ledger beside a model: a set of finished offsets for each partition of this opening."""

    @initialize()
    def begin(self) -> None:
        self.ledger: Ledger[Row] = Ledger({TOPIC: Limits(events=50, skew=50)})
        self.runs: list[tuple[int, Run[Row]]] = []
        self.taken: dict[int, list[int]] = {}
        self.finished: dict[int, set[int]] = {}
        self.committed: dict[int, int] = {}
        self.stale: list[Run[Row]] = []

    @rule(partitions=st.sets(st.integers(0, 2), min_size=1))
    def assign(self, partitions: set[int]) -> None:
        self.stale += [run for _, run in self.runs]
        self.ledger.open({Place(TOPIC, partition) for partition in partitions})
        self.runs = []
        # As after a real rebalance, reading goes on from what was committed.
        self.taken = {partition: [] for partition in partitions}
        self.finished = {partition: set() for partition in partitions}

    @precondition(lambda self: self.taken)
    @rule(data=st.data(), gaps=st.lists(st.integers(1, 3), min_size=1, max_size=8))
    def fetch(self, data: st.DataObject, gaps: list[int]) -> None:
        partition = data.draw(st.sampled_from(sorted(self.taken)))
        if Place(TOPIC, partition) not in self.ledger.with_room():
            return
        before = self.taken[partition]
        offset = before[-1] if before else self.committed.get(partition, 0) - 1
        offsets = []
        for gap in gaps:
            offset += gap if before or offsets else 1
            offsets.append(offset)
        run = self.ledger.take(TOPIC, partition, rows(*offsets))
        assert run is not None
        self.runs.append((partition, run))
        before += offsets

    @precondition(lambda self: self.runs)
    @rule(data=st.data())
    def finish(self, data: st.DataObject) -> None:
        partition, run = data.draw(st.sampled_from(self.runs))
        index = data.draw(st.integers(0, len(run.offsets) - 1))
        run.finish(index)
        self.finished[partition].add(run.offsets[index])

    @precondition(lambda self: self.stale)
    @rule(data=st.data())
    def finish_late(self, data: st.DataObject) -> None:
        run = data.draw(st.sampled_from(self.stale))
        assert run.finish(data.draw(st.integers(0, len(run.offsets) - 1))) is False

    @rule(accepted=st.booleans())
    def commit(self, accepted: bool) -> None:
        offsets = self.ledger.committable()
        if accepted:
            self.ledger.committed(offsets)
            self.committed |= {place.partition: offset for place, offset in offsets.items()}

    @invariant()
    def no_commit_passes_an_unfinished_event(self) -> None:
        for place, offset in self.ledger.committable().items():
            below = [each for each in self.taken[place.partition] if each < offset]
            assert set(below) <= self.finished[place.partition]

    @invariant()
    def the_whole_finished_prefix_is_committable(self) -> None:
        offered = self.ledger.committable()
        for partition, offsets in self.taken.items():
            open_ones = [each for each in offsets if each not in self.finished[partition]]
            if offsets and not open_ones:
                end = offered.get(Place(TOPIC, partition), self.committed.get(partition))
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

        assert ledger.committable().get(HERE, 0) == prefix
