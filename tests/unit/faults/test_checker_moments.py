"""Which moments touch a span of time is the same however it is found out."""

from hypothesis import given
from hypothesis import strategies as st

from faults.checker.moments import Moment, Timeline

_times = st.integers(0, 30).map(float)
_spans = st.tuples(_times, _times).map(sorted)


@given(spans=st.lists(_spans, max_size=8), asked=_spans.filter(lambda span: span[0] < span[1]))
def test_a_timeline_finds_what_looking_at_each_moment_finds(
    spans: list[list[float]], asked: list[float]
) -> None:
    """How many moments touch a span, and where the first does, agree with the plain way."""
    begin, end = asked
    moments = [Moment("crash", *span) for span in spans]
    touching = [each for each in moments if each.start < end and begin <= each.end]
    timeline = Timeline(moments)

    assert timeline.count(begin, end) == len(touching)
    assert timeline.first(begin, end) == min(
        (max(each.start, begin) for each in touching), default=None
    )
