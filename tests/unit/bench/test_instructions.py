import asyncio
import random

import pytest

from bench import hot_path
from bench.instructions import ALLOWED, KEPT, compare
from pop_stream.errors import WorkFailedError
from pop_stream.stream import forwarder


def test_the_hot_path_delivers_every_event() -> None:
    """Otherwise what is counted would be something else; and the clock is given back."""
    random.seed(1)
    before = vars(forwarder)["time"]
    with hot_path.steady_clock():
        assert asyncio.run(hot_path.deliver(2 * hot_path.PER_BATCH)) == 2 * hot_path.PER_BATCH
    assert vars(forwarder)["time"] is before


def test_the_reference_does_what_it_is_told() -> None:
    """As often as it is told."""
    assert hot_path.refer(1000) == 1000


@pytest.mark.parametrize("times", [1.0, 10.0, 10.0 * (1 + ALLOWED)])
def test_what_is_cheaper_or_a_little_dearer_passes(times: float) -> None:
    """Within what is allowed."""
    compare(times, 10.0)


def test_what_is_much_dearer_fails_and_says_what_to_do() -> None:
    """With both figures."""
    with pytest.raises(WorkFailedError, match=r"20% more than the 10\.00.*--keep"):
        compare(12.0, 10.0)


def test_there_is_a_figure_to_compare_with() -> None:
    """It is kept with the code."""
    assert KEPT.exists()
