"""Records of several partitions, put in the order in which they were stored."""

import random

from hypothesis import given
from hypothesis import strategies as st

from pop_stream.analysis.live import Merge, stored_order
from tests.unit.analysis.records import NOW, produced


@given(seed=st.integers(0, 2**32), late=st.integers(0, 400))
def test_what_comes_within_half_a_second_is_put_in_order(seed: int, late: int) -> None:
    """Whatever its partition sends first; and nothing is kept back longer, or lost."""
    shuffled = random.Random(seed)
    records = [produced(n, at=NOW + n * 10) for n in range(50)]
    # When each comes, in milliseconds: some of them late, but not by half a second.
    comes = sorted((n * 10 + shuffled.randint(0, late), n) for n in range(50))
    merge, given_out = Merge(), []
    for at, n in comes:
        merge.add([records[n]], at / 1000)
        given_out += merge.due(at / 1000)
    given_out += merge.due(comes[-1][0] / 1000 + 0.5)

    assert given_out == sorted(records, key=stored_order)


def test_a_flood_is_not_held_back() -> None:
    """Memory stays small; what nobody can read by eye need not wait for its order."""
    merge = Merge()
    merge.add([produced(n) for n in range(6000)], 0.0)

    assert len(list(merge.due(0.0))) == 1000
    assert len(list(merge.due(0.4))) == 0
    assert len(list(merge.due(0.6))) == 5000
