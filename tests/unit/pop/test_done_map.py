"""The done map: what it tells was finished, and never more."""

import random

from hypothesis import given
from hypothesis import strategies as st

from pop_stream.pop.done_map import decode_done, encode_done, ranges_of


@given(offset=st.integers(0, 2**40), beyond=st.sets(st.integers(0, 5_000)))
def test_what_is_written_is_read(offset: int, beyond: set[int]) -> None:
    """All finished offsets come back, when they fit, and else those nearest to the commit."""
    finished = {offset + each for each in beyond}
    read = decode_done(offset, encode_done(offset, ranges_of(finished)))

    assert read <= finished
    assert all(each >= max(read) for each in finished - read) if read else True
    assert read == finished or len(finished) > 500


def test_a_map_too_large_for_kafka_is_cut() -> None:
    """Kafka takes 4,096 bytes; what is left out is done again."""
    offsets = sorted(random.Random(1).sample(range(10, 400_000), 60_000))
    text = encode_done(10, ranges_of(offsets))
    read = decode_done(10, text)

    assert len(text.encode()) <= 4_000
    assert len(read) > 1_000
    assert sorted(read) == offsets[: len(read)]


def test_a_map_of_another_commit_tells_nothing() -> None:
    """An offset that somebody reset by hand does not pass over events of before."""
    text = encode_done(10, [(12, 14)])

    assert decode_done(10, text) == {12, 13}
    assert decode_done(11, text) == frozenset()


@given(text=st.one_of(st.text(max_size=60), st.text("0123456789:=+/abcXYZ", max_size=60)))
def test_what_is_no_map_tells_nothing(text: str) -> None:
    """Any text may stand in the metadata: nothing raises, and nothing is passed over."""
    assert decode_done(1, text) == frozenset()


@given(position=st.integers(0, 30), by=st.integers(1, 100))
def test_a_damaged_map_tells_nothing_that_is_not_so(position: int, by: int) -> None:
    """The checksum finds a changed character."""
    text = encode_done(5, [(7, 9), (20, 21), (30, 400)])
    at = position % len(text)
    damaged = text[:at] + chr((ord(text[at]) + by) % 128) + text[at + 1 :]

    assert decode_done(5, damaged) in (frozenset(), decode_done(5, text))
