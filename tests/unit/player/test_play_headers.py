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


def test_offsets_have_a_sign_and_minutes():
    """Newfoundland and Nepal are as good as any."""
    assert [offset_text(each) for each in (0, -210, 345, -360)] == [
        "+00:00", "-03:30", "+05:45", "-06:00",
    ]  # fmt: skip
