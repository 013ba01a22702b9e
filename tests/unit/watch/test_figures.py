import pytest

from pop_stream.watch.figures import count, forecast, full_moment, moment, rate, short_count, span

#: 2026-11-20 03:12:45 UTC.
NOW = 1_795_144_365.0


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (-5.0, "0 s"), (0.0, "0 s"), (0.4, "0 s"), (59.6, "60 s"), (119.0, "119 s"),
        (240.0, "4 min"), (7199.0, "120 min"), (7200.0, "2 h"), (172_800.0, "2 d"),
        (1.8e9, "20,833 d"),
    ],
)  # fmt: skip
def test_a_span_is_said_in_the_unit_that_says_it(seconds: float, words: str) -> None:
    """A clock that went back is no time."""
    assert span(seconds) == words


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "0"), (1_204_331, "1,204,331"), (9_999_999, "9,999,999"), (12_040_000, "12.0 M"),
        (3.21e9, "3.2 bn"), (4.5e12, "4.5 tn"), (2**63, "9,223,372.0 tn"),
    ],
)  # fmt: skip
def test_a_large_count_is_said_short_in_the_picture(number: float, words: str) -> None:
    """In full as long as that is short."""
    assert short_count(number) == words
    assert count(1e13) == "10,000,000,000,000"


@pytest.mark.parametrize(
    ("per_second", "words"),
    [
        (0.0, "0/s"), (-3.0, "0/s"), (0.001, "0/s"), (0.05, "3/min"), (0.99, "59/min"),
        (1.0, "1.0/s"), (3.14, "3.1/s"), (512.4, "512/s"), (1.5e7, "15.0 M/s"),
    ],
)  # fmt: skip
def test_a_slow_rate_is_said_by_the_minute(per_second: float, words: str) -> None:
    """Three a minute is something; 0.05 a second looks like nothing."""
    assert rate(per_second) == words


def test_a_moment_has_its_day_when_that_is_not_obvious() -> None:
    """Yesterday's half past three is not today's."""
    assert moment(NOW - 60, NOW) == "03:11:45 UTC"
    assert moment(NOW - 90_000, NOW) == "2026-11-19 02:12:45 UTC"
    assert full_moment(NOW) == "2026-11-20 03:12:45 UTC"


@pytest.mark.parametrize("at", [-1e18, 0.0, 1e18])
def test_a_moment_beyond_the_calendar_is_said_all_the_same(at: float) -> None:
    """What a record says of its time may be anything."""
    assert full_moment(at).endswith("UTC")


@pytest.mark.parametrize(
    ("events", "growth", "words"),
    [
        (0, None, "nothing waits"),
        (0, 5.0, "nothing waits"),
        (600, None, "not known yet whether it drains"),
        (600, -2.0, "drained in about 5 min"),
        (600, 0.04, "it stands still"),
        (600, -0.04, "it stands still"),
        (600, 2.0, "it grows by 7,200 an hour"),
    ],
)
def test_a_backlog_has_an_outlook(events: int, growth: float | None, words: str) -> None:
    """When it is gone as things go; or how fast it grows."""
    assert forecast(events, growth) == words
