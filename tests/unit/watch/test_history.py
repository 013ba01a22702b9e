"""The last hour: what is kept, and what follows from it."""

import sys
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pop_stream.watch.history import (
    MOST_SAMPLES,
    Backlog,
    History,
    Point,
    Sample,
    Totals,
    backlog_points,
    delivered_points,
    failures_of,
    flows_of,
    growth_of,
    in_flight_points,
    since,
)

AT = 1_795_000_000.0


def sample(at: float, delivered: int = 0, backlog: Backlog | None = None) -> Sample:
    """A sample so many seconds after the first."""
    return Sample(
        at=AT + at,
        totals=Totals(delivered=delivered),
        retried={"transient": int(at)},
        parked={"rejected": int(at) // 2},
        in_flight=7,
        backlog=backlog,
    )


def hour(step: float = 10.0, per_second: int = 5) -> list[Sample]:
    """An hour of samples in which all went evenly."""
    return [sample(index * step, int(index * step * per_second)) for index in range(361)]


def test_a_sample_is_due_each_ten_seconds() -> None:
    """However often it is asked."""
    history = History()
    taken = []
    for second in range(100, 160):
        if history.is_due(float(second)):
            history.add(sample(float(second)), float(second))
            taken.append(second)

    assert taken == [100, 110, 120, 130, 140, 150]


def test_the_history_is_bounded() -> None:
    """A month of samples is an hour of them, and no more memory."""
    history = History()
    for index in range(30 * 24 * 360):
        history.add(sample(index * 10.0), index * 10.0)

    assert len(history.samples) == MOST_SAMPLES == 361
    assert history.samples[-1].at - history.samples[0].at == 3600
    assert sum(sys.getsizeof(each) for each in history.samples) < 100_000


def test_a_clock_that_is_put_back_begins_a_new_history() -> None:
    """Two hours on top of each other would be no curve."""
    history = History()
    for index, at in enumerate((0.0, 10.0, 20.0, -3600.0, -3590.0)):
        history.add(sample(at), index * 10.0)

    assert [each.at - AT for each in history.samples] == [-3600, -3590]


def test_it_can_be_read_while_it_is_written() -> None:
    """The page is made in another thread than the samples."""
    history, errors = History(), []
    ended = threading.Event()

    def read() -> None:
        try:
            while not ended.is_set():
                seen = history.samples
                assert list(seen) == sorted(seen, key=lambda each: each.at)
        except Exception as error:  # noqa: BLE001
            errors.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    for index in range(20_000):
        history.add(sample(index * 10.0), index * 10.0)
    ended.set()
    reader.join()

    assert errors == []


@pytest.mark.parametrize(("ago", "found"), [(0, 3600), (60, 3540), (65, 3530), (1e6, 0)])
def test_what_is_compared_with_is_the_last_from_before(ago: float, found: int) -> None:
    """Without one from before, the oldest."""
    before = since(hour(), AT + 3600 - ago)

    assert before is not None
    assert before.at - AT == found
    assert since([], AT) is None


def test_rates_are_those_of_the_last_minute() -> None:
    """Totals are those of now: the last sample may be some seconds old."""
    samples = [*hour(per_second=5)[:355], *(sample(3550 + n * 10, 17_700 + n) for n in range(6))]
    flows = flows_of(samples, Totals(taken=3, delivered=18_240), AT + 3604)

    assert flows.keys() == {
        "taken", "delivered", "retried", "due", "parked", "notified", "redriven"}  # fmt: skip
    assert flows["delivered"].total == 18_240
    # At 3540 there were 17,700.
    assert flows["delivered"].per_second == pytest.approx(540 / 64)
    assert flows["notified"].per_second == 0


def test_a_young_worker_has_the_rate_of_its_life() -> None:
    """Nobody waits a minute for the first number; before the first sample it is none."""
    assert flows_of([sample(0)], Totals(delivered=30), AT + 3)["delivered"].per_second == 10
    assert flows_of([sample(0)], Totals(delivered=30), AT)["delivered"].per_second == 0
    assert flows_of([], Totals(delivered=30), AT)["delivered"].per_second == 0


def backlogs(*events: int, assignment: int = 1) -> list[Sample]:
    """Backlogs ten seconds apart."""
    return [
        sample(10.0 * n, backlog=Backlog(each, AT + 10.0 * n, assignment))
        for n, each in enumerate(events)
    ]


def test_a_backlog_grows_or_drains_as_in_the_last_minute() -> None:
    """What was before that does not count."""
    samples = backlogs(0, 9_000, 8_000, 7_000, 6_000, 5_000, 4_000, 3_000, 2_000)

    assert growth_of(samples, samples[-1].backlog) == -100
    assert growth_of(samples[:2], samples[1].backlog) == 900


def test_the_backlog_of_other_partitions_is_no_growth() -> None:
    """After an assignment it is not known at first whether the backlog grows."""
    before = backlogs(50_000, 50_000, 50_000)
    now = Backlog(10, AT + 30, 2)

    assert growth_of(before, now) is None
    assert growth_of([*before, sample(30, backlog=now)], now) is None
    assert growth_of([*before, sample(30, backlog=now)], Backlog(40, AT + 40, 2)) == 3


def test_a_backlog_that_kafka_did_not_tell_of_anew_has_no_growth() -> None:
    """Standing numbers are no standing backlog."""
    old = Backlog(500, AT, 1)

    assert growth_of([sample(n * 10.0, backlog=old) for n in range(9)], old) is None
    assert growth_of([sample(0)], None) is None
    assert growth_of([], old) is None


def test_failures_are_told_by_reason_the_latest_first() -> None:
    """In the last hour, and since the start."""
    samples = [sample(n * 10.0) for n in range(721)][-361:]
    found = failures_of(
        samples, {"transient": 7_300}, {"rejected": 3_600}, {"transient": AT, "rejected": AT + 9},
        now=AT + 7200,
    )  # fmt: skip

    assert [(one.reason, one.last_at - AT) for one in found] == [("rejected", 9), ("transient", 0)]
    rejected, transient = found
    assert (transient.retried_in_hour, transient.retried, transient.parked) == (3_700, 7_300, 0)
    assert (rejected.parked_in_hour, rejected.parked, rejected.retried) == (1_800, 3_600, 0)


def test_without_a_history_all_failures_are_of_the_last_hour() -> None:
    """The worker has just begun."""
    (one,) = failures_of([], {"transient": 5}, {}, {"transient": AT}, AT)

    assert (one.retried_in_hour, one.retried) == (5, 5)


def test_curves_are_made_of_what_was_sampled() -> None:
    """Rates between two samples; and what was, where it was known."""
    samples = [sample(0, 0), sample(10, 50, Backlog(9, AT, 1)), sample(20, 70)]

    assert delivered_points(samples) == [Point(AT + 10, 5.0), Point(AT + 20, 2.0)]
    assert backlog_points(samples) == [Point(AT + 10, 9)]
    assert in_flight_points(samples) == [Point(AT, 7), Point(AT + 10, 7), Point(AT + 20, 7)]
    assert delivered_points([]) == delivered_points(samples[:1]) == []


@given(st.lists(st.tuples(st.floats(0.1, 1e4), st.integers(0, 10**12)), max_size=40))
def test_no_rate_is_below_nothing(steps: list[tuple[float, int]]) -> None:
    """However unevenly it was looked, and however much went through."""
    samples, at, delivered = [], 0.0, 0
    for seconds, events in steps:
        at, delivered = at + seconds, delivered + events
        samples.append(sample(at, delivered))
    flow = flows_of(samples, Totals(delivered=delivered), AT + at + 1)["delivered"]

    assert flow.total == delivered
    assert flow.per_second >= 0
    assert all(point.value >= 0 for point in delivered_points(samples))
