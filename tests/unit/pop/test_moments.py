from datetime import UTC, datetime, timedelta

from hypothesis import example, given
from hypothesis import strategies as st

from pop_stream.pop.moments import CALENDAR, utc


@given(st.integers(CALENDAR[0], CALENDAR[-1]))
@example(CALENDAR[0])
@example(CALENDAR[-1])
@example(-3_600_000)
def test_a_moment_is_read_back_as_it_was(epoch_ms: int) -> None:
    """Also one before 1970, of a dead clock in Japan, and one of a clock centuries ahead."""
    read = datetime.fromisoformat(utc(epoch_ms))

    assert (read - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=1) == epoch_ms


@given(st.integers(-(2**63), 2**63 - 1))
def test_whatever_a_dead_clock_says_is_a_time(epoch_ms: int) -> None:
    """The years 1 to 9999 can be written; what lies beyond is shown at the edge."""
    assert datetime.fromisoformat(utc(epoch_ms)).tzinfo is UTC


def test_all_moments_are_equally_long() -> None:
    """Programs sort them as text."""
    assert utc(1_795_190_400_250) == "2026-11-20T16:00:00.250Z"
    assert utc(0) == "1970-01-01T00:00:00.000Z"
    assert utc(CALENDAR[0] - 1) == "0001-01-01T00:00:00.000Z"
    assert utc(CALENDAR[-1] + 1) == "9999-12-31T23:59:59.999Z"
