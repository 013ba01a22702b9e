from bisect import bisect_left

from hypothesis import given
from hypothesis import strategies as st

from pop_stream.watch.tally import Histogram

SECONDS = st.floats(min_value=-10, max_value=1e6)


def test_a_new_histogram_has_counted_nothing() -> None:
    """Nor does it count when there is nothing to count."""
    histogram = Histogram("delivery_delay_seconds")
    histogram.observe_all([])

    assert sum(histogram.counts) == 0
    assert histogram.total == 0


@given(st.lists(st.lists(SECONDS, max_size=8), max_size=8))
def test_many_at_once_are_counted_like_each_alone(batches: list[list[float]]) -> None:
    """Each in the bucket of the least bound that it does not exceed; below 0 counts as 0."""
    histogram = Histogram("delivery_delay_seconds")
    for batch in batches:
        histogram.observe_all(batch)
    each = [max(seconds, 0.0) for batch in batches for seconds in batch]

    counts = [0] * (len(histogram.bounds) + 1)
    for seconds in each:
        counts[bisect_left(histogram.bounds, seconds)] += 1
    assert histogram.counts == counts
    assert abs(histogram.total - sum(each)) < 1e-3


@given(st.lists(SECONDS, min_size=1))
def test_the_last_example_of_a_bucket_is_kept(each: list[float]) -> None:
    """And nothing is counted by it."""
    histogram = Histogram("delivery_delay_seconds")
    for number, seconds in enumerate(each):
        histogram.exemplify(seconds, f"trace-{number}")

    assert sum(histogram.counts) == 0
    last = max(each[-1], 0.0)
    trace_id, seconds, _ = histogram.exemplars[bisect_left(histogram.bounds, last)]
    assert (trace_id, seconds) == (f"trace-{len(each) - 1}", last)
