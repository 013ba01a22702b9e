"""Airtime is shared out over hours, and none of it is lost."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pop_stream.analysis.report.hours import Hour, local_hours, split
from pop_stream.analysis.report.local_time import HOUR, Mark, SiteClock, place
from tests.unit.analysis.report.test_local_time import CHICAGO, MOMENTS, ZONES, local, utc


def shared(clock: SiteClock | None, start: str, end: str, stored: str | None = None) -> list[
    tuple[Hour, int]
]:  # fmt: skip
    """Over which hours a play is shared."""
    began = local(start)
    at = None if stored is None else utc(stored)
    placed = place(clock, began, local(end), stored=at, overlong=86_400)
    assert placed is not None
    sums: dict[Hour, int] = {}
    for hour, seconds in local_hours(clock, began, placed):
        sums[hour] = sums.get(hour, 0) + seconds
    return list(sums.items())


def hour(text: str, mark: Mark = Mark.PLAIN) -> Hour:
    """An hour."""
    return Hour(local(f"{text}:00:00") // HOUR, mark)


@pytest.mark.parametrize("clock", [None, CHICAGO])
def test_a_play_over_the_full_hour_is_of_both(clock: SiteClock | None) -> None:
    """Each has its seconds; the first is where it counts."""
    assert shared(clock, "2026-11-20 09:59:50", "2026-11-20 11:00:05") == [
        (hour("2026-11-20 09"), 10), (hour("2026-11-20 10"), 3600), (hour("2026-11-20 11"), 5)
    ]  # fmt: skip
    assert shared(clock, "2026-11-20 09:59:50", "2026-11-20 10:00:00") == [
        (hour("2026-11-20 09"), 10)
    ]
    assert shared(clock, "2026-11-20 10:00:00", "2026-11-20 10:00:00") == [
        (hour("2026-11-20 10"), 0)
    ]


def test_the_hour_that_comes_twice_is_two_hours() -> None:
    """And the one that is left out is none."""
    assert shared(CHICAGO, "2026-11-01 01:59:50", "2026-11-01 01:00:05") == [
        (hour("2026-11-01 01", Mark.FIRST), 10), (hour("2026-11-01 01", Mark.SECOND), 5)
    ]  # fmt: skip
    # Of a length that has two readings, the broker tells which.
    assert shared(
        CHICAGO, "2026-11-01 01:59:50", "2026-11-01 02:00:05", "2026-11-01T08:00:06Z"
    )[:1] == [(hour("2026-11-01 01", Mark.AMBIGUOUS), 15)]  # fmt: skip
    assert shared(CHICAGO, "2026-03-08 01:59:50", "2026-03-08 03:00:05") == [
        (hour("2026-03-08 01"), 10), (hour("2026-03-08 03"), 5)
    ]  # fmt: skip


@given(
    clock=st.sampled_from([None, *ZONES]),
    start=MOMENTS,
    length=st.integers(0, 86_400),
    lag=st.none() | st.integers(-100, 90_000),
)
def test_the_hours_of_a_play_sum_up_to_it(
    clock: SiteClock | None, start: datetime, length: int, lag: int | None
) -> None:
    """In every zone, on every day; its own hour is the first and holds its start."""
    began = local(start.strftime("%Y-%m-%d %H:%M:%S"))
    stored = None if lag is None else began + length + lag
    placed = place(clock, began, began + length, stored=stored, overlong=600)
    if placed is None:
        return
    hours = list(local_hours(clock, began, placed))

    assert hours[0][0] == Hour(began // HOUR, placed.mark)
    assert sum(seconds for _, seconds in hours) == placed.length
    assert all(seconds >= 0 for _, seconds in hours)


@given(start=st.integers(-10_000, 10_000), length=st.integers(0, 20_000))
def test_seconds_are_shared_out_one_by_one(start: int, length: int) -> None:
    """As if each second were looked at."""
    naive: dict[int, int] = {}
    for second in range(start, start + length):
        naive[second // HOUR] = naive.get(second // HOUR, 0) + 1

    assert {number: seconds for number, seconds in split(start, length) if seconds} == naive
