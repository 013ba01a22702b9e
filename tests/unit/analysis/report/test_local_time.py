"""When a play was, of which only the site's clock tells."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pop_stream.analysis.report.local_time import How, Mark, Placed, SiteClock, place

CHICAGO = SiteClock(ZoneInfo("America/Chicago"))
#: Some of the oddest: by half an hour, at a quarter to, by a quarter, across the date line.
ZONES = [SiteClock(ZoneInfo(name)) for name in (
    "America/Chicago", "Australia/Lord_Howe", "Pacific/Chatham", "Asia/Kathmandu",
    "America/St_Johns", "Pacific/Apia", "UTC",
)]  # fmt: skip

#: Without a zone, as hypothesis wants them.
MOMENTS = st.datetimes(
    datetime.fromisoformat("1975-01-01"), datetime.fromisoformat("2037-01-01")
)  # fmt: skip


def local(text: str) -> int:
    """Seconds since 1970, as a clock shows them."""
    return int(datetime.fromisoformat(f"{text}+00:00").timestamp())


def utc(text: str) -> int:
    """Seconds since 1970."""
    return int(datetime.fromisoformat(text).timestamp())


def placed(start: str, end: str, stored: str | None = None) -> Placed | None:
    """A play in Chicago."""
    at = None if stored is None else utc(stored)
    return place(CHICAGO, local(start), local(end), stored=at, overlong=600)


def test_an_hour_that_is_there_once_is_read_in_one_way() -> None:
    """In winter and in summer."""
    assert placed("2026-11-20 10:00:00", "2026-11-20 10:00:15") == (
        ((utc("2026-11-20T16:00:00Z"), utc("2026-11-20T16:00:15Z")),), 15, Mark.PLAIN, How.PLAIN
    )  # fmt: skip
    summer = placed("2026-07-20 10:00:00", "2026-07-20 10:00:15")
    assert summer is not None
    assert summer.readings[0][0] == utc("2026-07-20T15:00:00Z")


@pytest.mark.parametrize(
    ("start", "end", "began", "length", "mark", "how"),
    [
        # From the first pass into the second: as written it ends before it starts.
        ("01:59:50", "01:00:05", "06:59:50", 15, Mark.FIRST, How.BY_LENGTH),
        # Out of the second pass; in the first it would have taken more than an hour.
        ("01:59:50", "02:00:05", "07:59:50", 15, Mark.SECOND, How.BY_LENGTH),
        # Into the first.
        ("00:59:50", "01:00:05", "05:59:50", 15, Mark.PLAIN, How.PLAIN),
    ],
)
def test_its_two_times_together_may_tell_the_pass(
    start: str, end: str, began: str, length: int, mark: Mark, how: How
) -> None:
    """Where only one reading makes a play of a possible length."""
    found = placed(f"2026-11-01 {start}", f"2026-11-01 {end}")

    assert found is not None
    assert found.readings[0][0] == utc(f"2026-11-01T{began}Z")
    assert (found.length, found.mark, found.how) == (length, mark, how)


@pytest.mark.parametrize(
    ("stored", "mark"),
    [
        ("2026-11-01T06:30:20Z", Mark.FIRST),
        ("2026-11-01T07:30:20Z", Mark.SECOND),
        ("2026-11-01T07:44:00Z", Mark.SECOND),
        # The player's clock is a minute ahead.
        ("2026-11-01T06:29:30Z", Mark.FIRST),
        ("2026-11-01T07:46:00Z", Mark.AMBIGUOUS),
        ("2026-11-01T07:10:00Z", Mark.AMBIGUOUS),
        ("2026-11-02T06:30:20Z", Mark.AMBIGUOUS),
        (None, Mark.AMBIGUOUS),
    ],
)
def test_the_brokers_time_tells_the_pass_where_the_lag_is_small(
    stored: str | None, mark: Mark
) -> None:
    """What came later may have been of either pass: nothing is guessed."""
    found = placed("2026-11-01 01:30:00", "2026-11-01 01:30:15", stored)

    assert found is not None
    assert found.mark is mark
    assert found.length == 15
    assert found.how is (How.AMBIGUOUS if mark is Mark.AMBIGUOUS else How.BY_BROKER)
    assert len(found.readings) == (2 if mark is Mark.AMBIGUOUS else 1)


def test_a_time_that_the_clock_skips_is_told() -> None:
    """It is counted with the length that it was written with."""
    found = placed("2026-03-08 02:30:00", "2026-03-08 02:30:15")

    assert found is not None
    assert (found.length, found.mark, found.how) == (15, Mark.SKIPPED, How.SKIPPED)


def test_a_play_over_the_skipped_hour_is_not_an_hour_longer() -> None:
    """Its end is where the moved clock shows it, or one that nobody has moved."""
    for end in ("03:00:05", "02:00:05"):
        found = placed("2026-03-08 01:59:50", f"2026-03-08 {end}")
        assert found is not None
        assert (found.length, found.how) == (15, How.PLAIN)


@pytest.mark.parametrize("clock", [None, CHICAGO])
def test_an_end_before_its_start_is_no_play(clock: SiteClock | None) -> None:
    """Beyond the one hour in which it may be."""
    start, end = local("2026-11-20 10:00:15"), local("2026-11-20 10:00:00")

    assert place(clock, start, end, stored=None, overlong=600) is None


def test_beyond_the_calendar_no_zone_is_known() -> None:
    """Nothing throws on a clock that shows the year 9999, or 1."""
    for text in ("9999-12-31 23:59:59", "0001-01-01 00:00:00"):
        found = placed(text, text)
        assert found is not None
        assert found.how is How.NO_ZONE


@pytest.mark.parametrize(("day", "hours"), [("2026-03-08", 23), ("2026-11-01", 25),
                                            ("2026-11-20", 24)])  # fmt: skip
def test_a_day_has_as_many_hours_as_it_has(day: str, hours: int) -> None:
    """23 when the clocks go forward, 25 when they go back."""
    assert CHICAGO.hours_of_day(local(f"{day} 00:00:00") // 86_400) == hours


@given(
    clock=st.sampled_from(ZONES),
    moment=MOMENTS,
    length=st.integers(0, 600),
)
def test_whatever_a_clock_shows_is_read_as_what_it_was(
    clock: SiteClock, moment: datetime, length: int
) -> None:
    """Of a play that was, its true moment is always among the readings; never another alone."""
    began = moment.replace(tzinfo=UTC, microsecond=0)
    ended = began + timedelta(seconds=length)
    start, end = (clock.shown(int(at.timestamp()))[0] for at in (began, ended))
    found = place(clock, start, end, stored=ended.timestamp() + 3, overlong=600)

    assert found is not None
    assert (int(began.timestamp()), int(ended.timestamp())) in found.readings
    # It was stored at once: so nothing is ambiguous, but where the clock moved by minutes only.
    assert found.how is not How.SKIPPED
    if clock.zone.key == "America/Chicago":
        assert len(found.readings) == 1
        assert found.length == length
