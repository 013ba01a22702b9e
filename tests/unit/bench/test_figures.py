import pytest

from bench.figures import (
    Mark,
    Sample,
    Spread,
    between,
    memory,
    percentile,
    shown,
    spread,
    times,
)

CPU = "cpu_us_per_event"


def mark(*, at_seconds=0.0, delivered=0, system=0.0, receiver=0.0, broker=0.0, other=0.0):
    """What was seen at a moment."""
    return Mark(
        at_seconds=at_seconds,
        delivered=delivered,
        system_cpu_seconds=system,
        receiver_cpu_seconds=receiver,
        broker_cpu_seconds=broker,
        other_cpu_seconds=other,
    )


def costs(*values):
    """Rounds in which only the cost matters."""
    return [{CPU: value} for value in values]


def test_a_round_is_what_lies_between_two_marks():
    """What happened before the first mark, the start and the warm-up, costs nothing."""
    first = mark(at_seconds=100, delivered=1000, system=7.0, receiver=1, broker=30, other=50)
    last = mark(at_seconds=104, delivered=21_000, system=7.5, receiver=3, broker=30.1, other=51)

    assert between(first, last) == pytest.approx(
        {
            "events": 20_000,
            "events_per_second": 5000,
            CPU: 25,
            "receiver_load": 0.5,
            "other_load": 0.25,
            "broker_cpu_us_per_event": 5,
        }
    )


@pytest.mark.parametrize("last", [mark(at_seconds=1.0), mark(delivered=5)])
def test_a_round_without_events_or_time_has_no_figures(last):
    """Rather an error than a division by zero, or a rate out of nothing."""
    with pytest.raises(ValueError, match="nothing was delivered"):
        between(mark(), last)


def test_a_spread_shows_the_middle_and_both_ends():
    """One bad round moves an end, and the middle hardly."""
    assert spread([90.0, 20.0, 21.0]) == Spread(median=21.0, lowest=20.0, highest=90.0)


def test_rows_are_compared_round_by_round():
    """A machine that was slow for one whole round changes no ratio."""
    assert times(CPU, costs(10, 40, 10), costs(100, 400, 125)) == pytest.approx(0.1)


def test_what_was_measured_once_is_compared_with_the_middle_of_all_rounds():
    """The one round beside it may have been a bad one."""
    assert times(CPU, costs(22), costs(20, 90, 19)) == pytest.approx(1.1)


@pytest.mark.parametrize(("percent", "value"), [(50, 50), (99, 99), (100, 100), (0, 1)])
def test_a_percentile_is_a_value_that_was_seen(percent, value):
    """So many percent are not above it."""
    assert percentile(range(100, 0, -1), percent) == value


def test_the_percentile_of_one_value_is_that_value():
    """There is always one."""
    assert percentile([7.0], 99) == 7.0


def samples(*values):
    """A sample for each percent that is delivered, the values in turn."""
    each = 100 // len(values)
    return [Sample(number, values[number // each]) for number in range(100)]


def test_growth_is_from_the_second_fifth_to_the_last():
    """In the first one everything is made that is kept."""
    assert memory(samples(50, 100, 101, 102, 104), 100) == {
        "rss_mb_fifth_1": 50,
        "rss_mb_fifth_2": 100,
        "rss_mb_fifth_3": 101,
        "rss_mb_fifth_4": 102,
        "rss_mb_fifth_5": 104,
        "growth_mb": 4,
    }


def test_a_peak_that_passes_is_no_growth():
    """A garbage collection that came late is no leak."""
    found = samples(100, 100, 100, 100, 100)
    found += [Sample(99, 190.0)] * 15

    assert memory(found, 100)["growth_mb"] == 0


def test_the_last_sample_is_in_the_last_fifth():
    """When all are delivered."""
    assert memory([*samples(1, 1, 1, 1, 2), Sample(100, 2.0)], 100)["growth_mb"] == 1


def test_growth_is_not_told_from_a_few_samples():
    """It would be noise."""
    assert memory([Sample(10 * n, 100.0) for n in range(10)], 100) == {}


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (0.9012, "0.901"), (1.5, "1.5"), (26.249, "26.2"), (24_277.3, "24,277")],
)
def test_figures_have_three_digits_or_all_before_the_point(value, text):
    """No exponent, and no more than was measured."""
    assert shown(value) == text
