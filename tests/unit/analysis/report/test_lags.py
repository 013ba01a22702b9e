"""How late plays came: a curve that is never better than the truth."""

from math import ceil

from hypothesis import given
from hypothesis import strategies as st

from pop_stream.analysis.report.lags import POINTS, Lags


def lags(*seconds: float) -> Lags:
    """The curve of these."""
    curve = Lags()
    for each in seconds:
        curve.add(each)
    return curve


def test_seconds_are_exact_up_to_two_minutes() -> None:
    """Rounded up to the second; then to the minute, and so on."""
    assert lags(0.2, 3.0, 3.1).percentile(0.5) == 3
    assert lags(119.5).percentile(1.0) == 120
    assert lags(121).percentile(1.0) == 180
    assert lags().percentile(0.5) is None


def test_what_came_before_its_end_is_no_lag() -> None:
    """The player's clock is ahead: it is counted, and is not on the curve."""
    curve = lags(-3, 5)

    assert (curve.known, curve.ahead, curve.percentile(1.0)) == (1, 1, 5)


@given(st.lists(st.floats(0, 1e8), min_size=1, max_size=50), st.sampled_from([0.5, 0.9, 1.0]))
def test_a_percentile_is_never_told_as_better_than_it_is(
    seconds: list[float], share: float
) -> None:
    """And not as worse than by the step of its size."""
    told = lags(*seconds).percentile(share)
    true = sorted(seconds)[ceil(share * len(seconds)) - 1]

    assert told is not None
    if true <= 120:
        assert told == ceil(true)
    elif true <= 400 * 86_400:
        assert true <= told <= true * 1.6 + 1
        assert told - true <= 3600


@given(st.lists(st.floats(0, 1e6), max_size=50))
def test_where_the_curve_is_read_it_is_exact(seconds: list[float]) -> None:
    """No step lies across a point."""
    curve = lags(*seconds)

    for point in POINTS:
        assert curve.within(point) == sum(ceil(each) <= point for each in seconds)
