import pytest
from hypothesis import given
from hypothesis import strategies as st

from pop_stream.player.play_headers import NAMES, play_headers, time_headers
from pop_stream.pop.moments import CALENDAR, utc


def test_a_play_tells_who_sent_it_its_times_in_utc_its_zone_and_its_clock() -> None:
    """As docs/players.md has them, and in its order."""
    times = time_headers(
        started=1_795_190_400_250, ended=1_795_190_415_250, lasted=15_001, offset=-360,
        zone="America/Chicago", clock="synced",
    )  # fmt: skip
    told = play_headers(b"019af0c2-6b5e-7a51-9c0e-3f2b8d1c4e77", 48113, b"5f0c", times)

    assert told == [
        ("pop-id", b"019af0c2-6b5e-7a51-9c0e-3f2b8d1c4e77"),
        ("pop-seq", b"48113"),
        ("pop-boot", b"5f0c"),
        ("pop-start-utc", b"2026-11-20T16:00:00.250Z"),
        ("pop-end-utc", b"2026-11-20T16:00:15.250Z"),
        ("pop-tz", b"America/Chicago"),
        ("pop-utcoffset", b"-06:00"),
        ("pop-clock", b"synced"),
        ("pop-mono-ms", b"15001"),
    ]
    assert {name for name, _ in told} == NAMES


def test_what_is_not_known_is_not_told() -> None:
    """A play that the power cut off has no length; one that is being shown has no end."""
    told = dict(
        time_headers(started=0, ended=None, lasted=None, offset=0, zone="UTC", clock="unknown")
    )

    assert told.keys() == {"pop-start-utc", "pop-tz", "pop-utcoffset", "pop-clock"}


@given(st.one_of(st.integers(CALENDAR[0], CALENDAR[-1]), st.integers(-(2**63), 2**63 - 1)))
def test_a_time_is_told_as_everywhere_else_or_not_at_all(epoch_ms: int) -> None:
    """Also one before 1970; what is in no calendar is not made up."""
    told = dict(
        time_headers(started=epoch_ms, ended=0, lasted=0, offset=0, zone="UTC", clock="unknown")
    )

    assert told.get("pop-start-utc") == (utc(epoch_ms).encode() if epoch_ms in CALENDAR else None)


@pytest.mark.parametrize("epoch_ms", [CALENDAR[0], CALENDAR[-1]])
def test_the_edges_of_the_calendar_are_told(epoch_ms: int) -> None:
    """And nothing beyond them."""
    step = 1 if epoch_ms > 0 else -1
    told = [
        dict(time_headers(started=each, ended=0, lasted=0, offset=0, zone="UTC", clock="unknown"))
        for each in (epoch_ms, epoch_ms + step)
    ]

    assert ["pop-start-utc" in each for each in told] == [True, False]


@pytest.mark.parametrize(
    ("minutes", "text"), [(0, b"+00:00"), (-210, b"-03:30"), (345, b"+05:45"), (-360, b"-06:00")]
)
def test_offsets_have_a_sign_and_minutes(minutes: int, text: bytes) -> None:
    """Newfoundland and Nepal are as good as any."""
    told = time_headers(started=0, ended=0, lasted=0, offset=minutes, zone="UTC", clock="unknown")

    assert dict(told)["pop-utcoffset"] == text
