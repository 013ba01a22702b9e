import pytest

from pop_stream.demo.rate import Rate


def test_a_steady_count_has_its_rate():
    """A count that grows by 50 each half second has grown by 100 a second."""
    rate = Rate()
    seen = [rate.per_second(tick / 2, tick * 50) for tick in range(20)]

    assert seen[0] == 0.0
    assert seen[1:] == pytest.approx([100.0] * 19)


def test_a_count_that_stands_still_loses_its_rate():
    """Two seconds after the last growth the rate is zero."""
    rate = Rate()
    for tick in range(10):
        rate.per_second(tick / 10, tick)

    assert rate.per_second(2.0, 9) > 0
    assert rate.per_second(5.0, 9) == 0.0
