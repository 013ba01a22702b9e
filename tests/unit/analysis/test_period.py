"""Times, as people write them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from pop_stream.analysis.period import (
    Clock,
    Played,
    Stored,
    parse_played,
    parse_stored,
    parse_zone,
)
from pop_stream.errors import UsageError

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
CLOCK = Clock(now=NOW, zone=ZoneInfo("America/Chicago"))


def ms(text: str) -> int:
    """Epoch milliseconds."""
    return int(datetime.fromisoformat(text).timestamp() * 1000)


def test_a_day_ends_where_the_next_begins() -> None:
    """In the time of the site, as events write it."""
    assert parse_played(None, None, day="2026-02-28") == Played(
        "2026-02-28 00:00:00", "2026-03-01 00:00:00"
    )
    assert parse_played("2026-11-20 10:00", None) == Played("2026-11-20 10:00:00", "")
    assert parse_played(None, None) is None


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-20", "2026-11-20T06:00:00+00:00"),
        ("2026-07-20 10:00", "2026-07-20T15:00:00+00:00"),
        ("2026-11-20T10:00:00Z", "2026-11-20T10:00:00+00:00"),
        ("2h", "2026-11-20T10:00:00+00:00"),
        ("3d ago", "2026-11-17T12:00:00+00:00"),
    ],
)
def test_when_it_was_stored_is_in_the_zone_that_is_given(text: str, moment: str) -> None:
    """Unless the time has one of its own, or is so long ago."""
    assert parse_stored(text, None, CLOCK) == Stored(ms(moment), None)
    assert parse_stored(None, None, CLOCK) is None


@pytest.mark.parametrize(
    ("played", "stored", "day", "says"),
    [
        (("x", None), (None, None), None, "is no time"),
        (("2026-11-20T10:00Z", None), (None, None), None, "without a zone"),
        (("2026-11-20", "2026-11-20"), (None, None), None, "is not after"),
        (("2026-11-20", None), (None, None), "2026-11-20", "either --day"),
        ((None, None), (None, None), "2026-11-20 10:00", "write a day"),
        ((None, None), ("soon", None), None, "or how long ago"),
        ((None, None), ("1h", "2h"), None, "is not after"),
    ],
)
def test_what_is_no_time_is_refused(
    played: tuple[str | None, str | None],
    stored: tuple[str | None, str | None],
    day: str | None,
    says: str,
) -> None:
    """With what to write instead."""
    with pytest.raises(UsageError, match=says):
        (parse_played(*played, day=day), parse_stored(*stored, CLOCK))


@pytest.mark.parametrize("name", ["Mars/Base", "", "../etc/passwd"])
def test_what_is_no_zone_is_refused(name: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(UsageError, match="is no zone"):
        parse_zone(name)
