import pytest
from hypothesis import given
from hypothesis import strategies as st

from pop_stream.player.sending.pace import LotSize, Rate, Reconnects, fresh_share


@given(st.lists(st.integers(min_value=0, max_value=50)))
def test_one_of_five_plays_is_a_fresh_one_however_they_are_taken(lots: list[int]) -> None:
    """Also one by one."""
    before = fresh = 0
    for plays in lots:
        share = fresh_share(before, plays)
        assert 0 <= share <= plays
        fresh += share
        before += plays

    assert fresh == sum(lots) // 5


@given(st.integers(min_value=0, max_value=10_000), st.floats(0, 1, exclude_max=True))
def test_a_return_is_spread_from_its_first_try_on(tries: int, chance: float) -> None:
    """Full jitter, and never longer than a minute."""
    reconnects = Reconnects(tries)

    assert 0 <= reconnects.wait(chance) <= reconnects.spread_seconds <= 60
    assert reconnects.spread_seconds <= reconnects.failed().spread_seconds


def test_even_the_first_try_waits() -> None:
    """A whole region comes back at the same moment."""
    assert Reconnects().wait(0.5) == 2.0
    assert Reconnects().failed().wait(0.5) == 4.0


@given(st.lists(st.booleans()))
def test_a_lot_stays_within_its_bounds(got_through: list[bool]) -> None:
    """However often it gets through or does not."""
    size = LotSize()
    for each in got_through:
        after = size.confirmed() if each else size.failed()
        assert 16 <= after.plays <= 2000
        assert (after.plays >= size.plays) is each or after.plays == size.plays
        size = after


@given(
    st.floats(min_value=0.1, max_value=50_000),
    st.lists(st.tuples(st.floats(0, 10), st.integers(1, 3000)), max_size=60),
)
def test_a_rate_is_never_exceeded(rate: float, steps: list[tuple[float, int]]) -> None:
    """In no stretch of time is more sent than its seconds and one more give."""
    limit, now, sent = Rate(rate), 100.0, 0
    for pause, wanted in steps:
        now += pause
        plays = limit.room(now, wanted)
        assert 0 <= plays <= wanted
        limit.take(plays)
        sent += plays

        assert sent <= (now - 100.0 + 1.0) * rate + 1.001


@given(st.floats(min_value=0.1, max_value=50_000), st.integers(1, 3000))
def test_who_waits_as_long_as_told_finds_room(rate: float, wanted: int) -> None:
    """And enough of it that the disk is not asked a hundred times a second."""
    limit = Rate(rate)
    limit.take(limit.room(0.0, 100_000))
    ready = limit.ready_in(0.0, wanted)

    assert limit.room(ready + 1e-6, wanted) >= min(wanted, max(1, int(rate / 2) - 1))


def test_a_pack_that_is_too_large_for_the_rate_is_paid_later() -> None:
    """It comes whole, and what follows waits the longer."""
    limit = Rate(10.0)
    assert limit.room(0.0, 1) == 1
    limit.take(500)

    assert limit.room(1.0, 5) == 0
    assert limit.ready_in(1.0, 5) == pytest.approx(50, abs=1)


def test_without_a_rate_there_is_always_room() -> None:
    """As many as Kafka takes."""
    limit = Rate(None)
    limit.take(1_000_000)

    assert limit.room(0.0, 7) == 7
    assert limit.ready_in(0.0, 7) == 0.0
