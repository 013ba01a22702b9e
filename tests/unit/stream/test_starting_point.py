"""Whether a group may begin where its commits say."""

import pytest

from pop_stream.kafka.group import Member, PartitionState
from pop_stream.stream.starting_point import CLIENT_ID, doubts, foreign


def state(*, end: int = 100, begin: int = 0, committed: int | None = None) -> PartitionState:
    """Give a partition."""
    return PartitionState(topic="e", partition=3, begin=begin, end=end, committed=committed)


@pytest.mark.parametrize(
    ("states", "written"),
    [
        # A new group on a new system, or on one where players were first.
        ([state(end=0)], {"r": 0, "f": 0}),
        ([state()], {"r": 0, "f": 0}),
        # It has worked, and knows how far.
        ([state(committed=40)], {"r": 5, "f": 1}),
        ([state(committed=100)], {"r": 5, "f": 1}),
        # A partition that was added since.
        ([state(committed=40), state()], {"r": 5, "f": 1}),
        # Nothing is left that could be sent again.
        ([state(begin=100)], {"r": 5, "f": 1}),
        # Some is gone: that is told of, and no guess.
        ([state(begin=50, committed=40)], {"r": 5, "f": 1}),
    ],
)
def test_where_it_is_clear_nobody_is_held_up(
    states: list[PartitionState], written: dict[str, int]
) -> None:
    """Least of all on the first day."""
    assert list(doubts("g", states, written)) == []


def test_a_group_whose_offsets_are_gone_is_refused() -> None:
    """It would send again all that there is."""
    (doubt,) = doubts("g", [state(), state()], {"r": 5, "f": 0})

    assert "'g' has no offsets" in doubt
    assert "r has had 5 records" in doubt
    assert "POP_STREAM_START_WITHOUT_COMMIT=earliest" in doubt


def test_a_commit_beyond_the_end_is_refused() -> None:
    """The topic is another one by that name, or has lost records."""
    (doubt,) = doubts("g", [state(committed=101), state(committed=5)], {})

    assert "e/3: offset 101 is committed" in doubt
    assert "ends at 100" in doubt
    assert "POP_STREAM_START_WITHOUT_COMMIT=earliest" in doubt


def test_others_than_workers_are_found() -> None:
    """By the name that they give themselves."""
    members = [Member(client_id=CLIENT_ID, host="10.0.0.1"), Member(client_id="x", host="10.0.0.2")]

    assert foreign(members) == ["'x' at 10.0.0.2"]
    assert foreign(members[:1]) == []
