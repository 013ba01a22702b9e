from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from pop_stream.player.moments import utc
from pop_stream.player.play_headers import PlayTimes, offset_text, time_headers


def test_a_play_tells_its_times_in_utc_its_zone_and_its_clock():
    """As docs/players.md has them."""
    times = PlayTimes(
        started=1_795_190_400_250, ended=1_795_190_415_250, lasted=15_001, offset=-360,
        zone="America/Chicago", clock="synced",
    )  # fmt: skip

    assert time_headers(times) == [
        ("pop-start-utc", b"2026-11-20T16:00:00.250Z"),
        ("pop-end-utc", b"2026-11-20T16:00:15.250Z"),
        ("pop-tz", b"America/Chicago"),
        ("pop-utcoffset", b"-06:00"),
        ("pop-clock", b"synced"),
        ("pop-mono-ms", b"15001"),
    ]


def test_a_length_that_is_not_known_is_not_told():
    """A play that the power cut off has none."""
    times = PlayTimes(started=0, ended=0, lasted=None, offset=0, zone="UTC", clock="unknown")

    assert "pop-mono-ms" not in dict(time_headers(times))


@given(st.integers(-3_600_000, 253_402_300_799_999))
def test_a_moment_is_read_back_as_it_was(epoch_ms):
    """Also one before 1970, of a dead clock in Japan."""
    read = datetime.fromisoformat(utc(epoch_ms))

    assert (read - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(milliseconds=1) == epoch_ms


@given(st.integers(-(2**63), 2**63 - 1))
def test_whatever_a_dead_clock_says_is_a_time(epoch_ms):
    """The years 1 to 9999 can be written; what lies beyond is shown at the edge."""
    assert datetime.fromisoformat(utc(epoch_ms)).tzinfo is UTC


def test_offsets_have_a_sign_and_minutes():
    """Newfoundland and Nepal are as good as any."""
    assert [offset_text(each) for each in (0, -210, 345, -360)] == [
        "+00:00", "-03:30", "+05:45", "-06:00",
    ]  # fmt: skip
