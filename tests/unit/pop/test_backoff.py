import pytest
from hypothesis import given
from hypothesis import strategies as st

from pop_stream.pop.backoff import Backoff

CHANCES = st.floats(0, 1, exclude_max=True)
BASES = st.lists(st.floats(0.001, 3600), min_size=1, max_size=6).map(tuple)


@pytest.mark.parametrize(
    ("retry", "chance", "seconds"),
    [(1, 0.0, 0.8), (1, 0.5, 1.0), (2, 0.5, 5.0), (3, 0.5, 30.0), (4, 0.5, 30.0), (99, 0.0, 24.0)],
)
def test_each_retry_waits_for_its_own_time(retry: int, chance: float, seconds: float) -> None:
    """The n-th wait belongs to the n-th retry; further retries wait like the last."""
    assert Backoff((1.0, 5.0, 30.0)).wait(retry, chance) == pytest.approx(seconds)


@given(BASES, st.integers(1, 10), CHANCES)
def test_the_jitter_is_a_fifth_at_most(
    seconds: tuple[float, ...], retry: int, chance: float
) -> None:
    """Whatever the chance, the wait is within 20 % of its base, and so never nothing."""
    base = seconds[min(retry, len(seconds)) - 1]

    assert 0.8 * base <= Backoff(seconds).wait(retry, chance) <= 1.2 * base * (1 + 1e-9)


def test_events_that_failed_together_come_back_apart() -> None:
    """Another chance is another wait."""
    waits = {Backoff().wait(1, tenths / 10) for tenths in range(10)}

    assert len(waits) == 10
