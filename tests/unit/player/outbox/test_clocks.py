"""Clocks that are set while a play is shown, and hours that are there twice or not at all."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import orjson
import pytest

from pop_stream.player.outbox.facts import facts
from pop_stream.player.outbox.row import Row
from tests.support.eventually import eventually
from tests.support.outbox import HandClock, account_of, copy_of, event_of, outbox_at

HOUR_MS = 3_600_000


def epoch_ms(text: str) -> int:
    """A moment in UTC."""
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def shown_at(path: Path, moment: str, *, seconds: float, zone: str) -> Row:
    """One play at a site, which begins at a moment in UTC."""
    hand = HandClock(epoch_ms(moment))
    with outbox_at(path, zone=zone, clock=hand.clock) as outbox:
        play = outbox.start(event_of("0"))
        hand.pass_by(seconds)
        play.end()
    return account_of(path).rows[-1]


@pytest.mark.parametrize(
    "moment",
    ["1970-01-01", "1969-12-30", "1900-01-01", "2038-01-19T03:14:08", "9999-12-31T23:59:59"],
)
@pytest.mark.parametrize("first", ["2026-07-01T12:00", "1970-01-01T00:00"])
def test_a_clock_that_is_set_far_away_disturbs_nothing(
    tmp_path: Path, first: str, moment: str
) -> None:
    """Ids only grow, numbers go on, and how long it was shown is known all the same."""
    hand = HandClock(epoch_ms(first))
    with outbox_at(tmp_path / "pops", clock=hand.clock) as outbox:
        for _ in range(3):
            play = outbox.start(event_of("0"))
            hand.pass_by(15)
            play.end()
        play = outbox.start(event_of("0"))
        hand.pass_by(15)
        is_set = abs(hand.wall_ms - epoch_ms(moment)) > 1500
        hand.wall_ms = epoch_ms(moment)
        play.end()
        for _ in range(3):
            play = outbox.start(event_of("0"))
            hand.pass_by(15)
            play.end()

    account = account_of(tmp_path / "pops")

    rows = account.rows
    assert [row.seq for row in rows] == list(range(1, 8))
    assert [row.lasted for row in rows] == [15_000] * 7
    ids = [UUID(bytes=row.pop_id) for row in rows]
    assert ids == sorted(set(ids))
    assert {each.version for each in ids} == {7}
    assert rows[3].clock == ("stepped" if is_set else "synced")
    assert {row.clock for row in rows[:3] + rows[4:]} == {"synced"}
    assert rows[3].ended == rows[3].started + 15_000 or not is_set


@pytest.mark.parametrize("step", [-HOUR_MS, HOUR_MS, -2000, 2000])
def test_a_step_of_the_clock_is_told_of_and_not_taken_for_time(tmp_path: Path, step: int) -> None:
    """A play of fifteen seconds is one of fifteen seconds."""
    hand = HandClock()
    with outbox_at(tmp_path / "pops", clock=hand.clock) as outbox:
        play = outbox.start(event_of("0"))
        hand.pass_by(15)
        hand.wall_ms += step
        play.end()

    (row,) = account_of(tmp_path / "pops").rows

    assert row.clock == "stepped"
    assert (row.ended or 0) - row.started == row.lasted == 15_000


def test_a_clock_that_drifts_is_not_one_that_was_set(tmp_path: Path) -> None:
    """A second in a long play is nothing to tell of."""
    hand = HandClock()
    with outbox_at(tmp_path / "pops", clock=hand.clock) as outbox:
        play = outbox.start(event_of("0"))
        hand.pass_by(60)
        hand.wall_ms += 1000
        play.end()

    (row,) = account_of(tmp_path / "pops").rows

    assert row.clock == "synced"
    assert (row.ended or 0) - row.started == 61_000


def test_a_clock_that_was_set_between_two_starts_makes_no_end_before_its_start(
    tmp_path: Path,
) -> None:
    """The last sign of life may be of a time that has not come yet, or is long over."""
    hand = HandClock()
    outbox = outbox_at(tmp_path / "live" / "pops", clock=hand.clock)
    hand.wall_ms += HOUR_MS
    outbox.start(event_of("0"))
    copy = copy_of(tmp_path / "live" / "pops", tmp_path / "copy")
    outbox.close()

    outbox_at(copy, clock=hand.clock).close()

    (row,) = account_of(copy).rows
    assert row.ended == row.started


FOLDS = [
    ("America/New_York", "2026-11-01T05:59:50", "2026-11-01 01:59:50", "2026-11-01 01:00:05", -240),
    ("America/Chicago", "2026-11-01T06:59:50", "2026-11-01 01:59:50", "2026-11-01 01:00:05", -300),
    ("America/Denver", "2026-11-01T07:59:50", "2026-11-01 01:59:50", "2026-11-01 01:00:05", -360),
    ("America/Los_Angeles", "2026-11-01T08:59:50", "2026-11-01 01:59:50", "2026-11-01 01:00:05",
     -420),
    ("America/Indiana/Indianapolis", "2026-11-01T05:59:50", "2026-11-01 01:59:50",
     "2026-11-01 01:00:05", -240),
    # Arizona changes nothing.
    ("America/Phoenix", "2026-11-01T08:59:50", "2026-11-01 01:59:50", "2026-11-01 02:00:05", -420),
]  # fmt: skip
GAPS = [
    ("America/New_York", "2026-03-08T06:59:50", "2026-03-08 01:59:50", "2026-03-08 03:00:05", -300),
    ("America/Chicago", "2026-03-08T07:59:50", "2026-03-08 01:59:50", "2026-03-08 03:00:05", -360),
    ("America/Denver", "2026-03-08T08:59:50", "2026-03-08 01:59:50", "2026-03-08 03:00:05", -420),
    ("America/Los_Angeles", "2026-03-08T09:59:50", "2026-03-08 01:59:50", "2026-03-08 03:00:05",
     -480),
    ("America/Indiana/Indianapolis", "2026-03-08T06:59:50", "2026-03-08 01:59:50",
     "2026-03-08 03:00:05", -300),
    ("America/Phoenix", "2026-03-08T08:59:50", "2026-03-08 01:59:50", "2026-03-08 02:00:05", -420),
]  # fmt: skip
#: Indiana has daylight-saving time since 2006.
BEFORE = [
    ("America/Indiana/Indianapolis", "2005-04-03T06:59:50", "2005-04-03 01:59:50",
     "2005-04-03 02:00:05", -300),
]  # fmt: skip


@pytest.mark.parametrize(("zone", "moment", "begin", "end", "offset"), FOLDS + GAPS + BEFORE)
def test_a_play_over_a_change_of_the_clocks_shows_what_the_site_s_clock_shows(
    tmp_path: Path, zone: str, moment: str, begin: str, end: str, offset: int
) -> None:
    """In autumn it ends before it begins; the headers tell the truth."""
    row = shown_at(tmp_path / "pops", moment, seconds=15, zone=zone)

    event = orjson.loads(row.body)
    assert (event["startTimestamp"], event["endTimestamp"]) == (begin, end)
    assert (row.offset, row.zone) == (offset, zone)
    assert (row.started, row.ended) == (epoch_ms(moment), epoch_ms(moment) + 15_000)
    assert row.lasted == 15_000
    assert row.clock == "synced"


def test_the_two_passes_of_the_repeated_hour_differ_by_their_offset(tmp_path: Path) -> None:
    """Local times, screen and spot are the same; the offset and the id are not."""
    one = shown_at(
        tmp_path / "1" / "pops", "2026-11-01T06:30:00", seconds=15, zone="America/Chicago"
    )
    two = shown_at(
        tmp_path / "2" / "pops", "2026-11-01T07:30:00", seconds=15, zone="America/Chicago"
    )

    assert one.body == two.body
    assert (one.offset, two.offset) == (-300, -360)
    assert one.pop_id < two.pop_id


def lived(path: Path) -> int:
    """When the player of an outbox lived last."""
    connection = sqlite3.connect(path)
    try:
        return facts(connection)["heartbeat"]
    finally:
        connection.close()


def test_a_cut_off_play_in_the_fold_ends_by_the_site_s_clock(tmp_path: Path) -> None:
    """Closed at the next start, in the zone that it was begun in."""
    hand = HandClock(epoch_ms("2026-11-01T06:59:50"))
    outbox = outbox_at(tmp_path / "live" / "pops", clock=hand.clock, heartbeat_seconds=0.01)
    outbox.start(event_of("0"))
    hand.pass_by(15)
    eventually(lambda: lived(tmp_path / "live" / "pops") == hand.wall_ms, "it says that it lives")
    copy = copy_of(tmp_path / "live" / "pops", tmp_path / "copy")
    outbox.close()

    outbox_at(copy, zone="America/New_York").close()

    (row,) = account_of(copy).rows
    assert orjson.loads(row.body)["endTimestamp"] == "2026-11-01 01:00:05"
    assert row.zone == "America/Chicago"
    assert row.lasted is None
    assert orjson.loads(row.extra or b"") == {"pop-interrupted": "true"}
