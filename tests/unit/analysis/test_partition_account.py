"""The account of a partition: each offset once, under the outcome that it has."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pop_stream.analysis.audit.commits import Done
from pop_stream.analysis.audit.elsewhere import ToldHole
from pop_stream.analysis.audit.partition_account import Bounds, PartitionAccount, Range
from pop_stream.analysis.audit.sightings import Likenesses, Sightings
from pop_stream.analysis.audit.whereabouts import Known, Outcome, outcome_of

_WAITS, _PARKED = Known(waits=True), Known(parked=0)
_BACK = Known(parked=0, redriven=1)
_END = 30
_offsets = st.integers(0, _END)


def hole(begin: int, end: int, *, settled: bool = False) -> ToldHole:
    """A hole of the players' topic."""
    return ToldHole("pop-events", 0, begin, end, 0, settled)


@given(
    span=st.tuples(_offsets, _offsets).map(sorted),
    kept_from=_offsets,
    committed=st.none() | _offsets,
    beyond=st.frozensets(_offsets, max_size=5),
    known=st.dictionaries(_offsets, st.sampled_from([_WAITS, _PARKED, _BACK]), max_size=6),
    holes=st.lists(st.tuples(_offsets, _offsets, st.booleans()), max_size=2),
    records=st.frozensets(_offsets),
)
def test_every_offset_has_the_outcome_that_it_has(
    *,
    span: list[int],
    kept_from: int,
    committed: int | None,
    beyond: frozenset[int],
    known: dict[int, Known],
    holes: list[tuple[int, int, bool]],
    records: frozenset[int],
) -> None:
    """The same as when each offset is looked at by itself, however they are counted."""
    begin, end = span
    done = Done(committed, beyond)
    told = [hole(first, after, settled=settled) for first, after, settled in holes]
    sightings = Sightings(Likenesses())
    for number, each in known.items():
        sightings.add(number, each)
    account = PartitionAccount(Bounds(0, begin, end, kept_from), done, sightings, holes=told)
    kept = [offset for offset in sorted(records) if max(begin, kept_from) <= offset < end]
    for offset in kept:
        account.take(offset)
    account.finish()

    def alone(offset: int) -> Outcome:
        if offset in known:
            return outcome_of(known[offset]) or Outcome.DELIVERED
        if offset in kept:
            return Outcome.DELIVERED if done.has(offset) else Outcome.OPEN
        if offset >= kept_from:
            return Outcome.NO_RECORD
        mine = [each for each in told if each.begin <= offset < each.end]
        if mine:
            settled = all(each.settled for each in mine)
            return Outcome.GONE_SETTLED if settled else Outcome.GONE
        return Outcome.EXPIRED if committed is None or done.has(offset) else Outcome.GONE

    assert account.counts == Counter(alone(offset) for offset in range(begin, end))
    gone = {offset for offset in range(begin, end) if alone(offset) is Outcome.GONE}
    assert {n for each in account.holes for n in range(each.begin, each.end)} == gone


def test_ranges_of_what_is_gone_are_told_whole() -> None:
    """Deleted beyond the commit, of which nobody has told yet, and what a hole's record tells."""
    account = PartitionAccount(
        Bounds(2, 0, 20, 12), Done(8, frozenset((10,))), None, holes=[hole(1, 3), hole(3, 4)]
    )
    for offset in range(12, 20):
        account.take(offset)
    account.finish()

    assert account.holes == [
        Range(2, 1, 4, Outcome.GONE),
        Range(2, 8, 10, Outcome.GONE),
        Range(2, 11, 12, Outcome.GONE),
    ]


@pytest.mark.parametrize(
    ("known", "outcome"),
    [
        (Known(), None),
        (Known(redriven=3), None),
        (Known(waits=True, parked=2, settled=True), Outcome.RETRY),
        (Known(parked=0), Outcome.PARKED),
        (Known(parked=1, redriven=1), Outcome.PARKED),
        (Known(parked=0, redriven=1), Outcome.DELIVERED),
        (Known(parked=0, settled=True, passed=True), Outcome.SETTLED),
        (Known(parked=0, passed=True), Outcome.SENT_BACK),
        (Known(parked=0, passed=True, is_kept=True), Outcome.MISSING),
    ],
)
def test_what_other_topics_tell_decides(known: Known, outcome: Outcome | None) -> None:
    """What waits comes first; what was sent back since it was parked is done."""
    assert outcome_of(known) is outcome
