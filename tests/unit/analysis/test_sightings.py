"""What records tell of offsets, packed: the same as if it were kept in a dictionary."""

from collections import defaultdict
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from pop_stream.analysis.audit.sightings import Likenesses, Sightings
from pop_stream.analysis.audit.whereabouts import Known, together

_KNOWN = st.builds(
    Known,
    waits=st.booleans(),
    parked=st.integers(-1, 2),
    passed=st.booleans(),
    is_kept=st.booleans(),
    settled=st.just(False),
    redriven=st.integers(0, 2),
)


@given(rows=st.lists(st.tuples(st.integers(0, 12), _KNOWN)), begin=st.integers(0, 12))
def test_what_is_packed_comes_back(rows: list[tuple[int, Known]], begin: int) -> None:
    """By offset and in order, with all that its records tell together."""
    sightings, plain = Sightings(Likenesses()), defaultdict[int, list[Known]](list)
    for offset, known in rows:
        sightings.add(offset, known)
        plain[offset].append(known)

    assert list(sightings.within(begin, 10)) == [n for n in range(begin, 10) if n in plain]
    for offset in range(13):
        expected = together(plain[offset]) if offset in plain else None
        assert sightings.get(offset) == expected


@given(known=st.lists(_KNOWN, max_size=5), order=st.randoms())
def test_the_order_in_which_topics_are_read_means_nothing(
    known: list[Known], order: Random
) -> None:
    """Partitions are read at the same time."""
    shuffled = list(known)
    order.shuffle(shuffled)

    assert together(shuffled) == together(known)
