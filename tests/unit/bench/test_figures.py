import pytest

from bench.figures import Mark, Round, Spread, round_between, spread, times_the_cpu


def mark(*, at_seconds=0.0, delivered=0, system=0.0, receiver=0.0, broker=0.0):
    """What was seen at a moment."""
    return Mark(
        at_seconds=at_seconds,
        delivered=delivered,
        system_cpu_seconds=system,
        receiver_cpu_seconds=receiver,
        broker_cpu_seconds=broker,
    )


def round_of(cpu_us):
    """A round in which only the cost matters."""
    return Round(
        events=1,
        events_per_second=1.0,
        cpu_us_per_event=cpu_us,
        rss_mb=1.0,
        receiver_load=0.0,
        broker_cpu_us_per_event=0.0,
    )


def test_a_round_is_what_lies_between_two_marks():
    """What happened before the first mark, the start and the warm-up, costs nothing."""
    first = mark(at_seconds=100.0, delivered=1000, system=7.0, receiver=1.0, broker=30.0)
    last = mark(at_seconds=104.0, delivered=21_000, system=7.5, receiver=3.0, broker=30.1)

    one = round_between(first, last, rss_bytes=100 * 2**20)

    assert one.events == 20_000
    assert one.events_per_second == 5000
    assert one.cpu_us_per_event == pytest.approx(25)
    assert one.rss_mb == 100
    assert one.receiver_load == pytest.approx(0.5)
    assert one.broker_cpu_us_per_event == pytest.approx(5)


@pytest.mark.parametrize("last", [mark(at_seconds=1.0), mark(delivered=5)])
def test_a_round_without_events_or_time_has_no_figures(last):
    """Rather an error than a division by zero, or a rate out of nothing."""
    with pytest.raises(ValueError, match="nothing was delivered"):
        round_between(mark(), last, rss_bytes=0)


def test_a_spread_shows_the_middle_and_both_ends():
    """One bad round moves an end, and the middle hardly."""
    assert spread([90.0, 20.0, 21.0]) == Spread(median=21.0, lowest=20.0, highest=90.0)


def test_systems_are_compared_round_by_round():
    """A machine that was slow for one whole round changes no ratio."""
    ours = [round_of(10), round_of(40), round_of(10)]
    base = [round_of(100), round_of(400), round_of(125)]

    assert times_the_cpu(ours, base) == pytest.approx(0.1)
