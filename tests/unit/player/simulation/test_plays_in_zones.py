"""Days on which the clocks change, at all kinds of sites."""

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import orjson
import pytest

from pop_stream.player.simulation.playlist_file import SitePlaylist, Slot
from pop_stream.player.simulation.plays import Network, plays
from pop_stream.player.simulation.sites import ZONES
from pop_stream.player.simulation.spots import Spot

AUTUMN = datetime(2026, 11, 1, 4, tzinfo=UTC)
SPRING = datetime(2026, 3, 8, 5, tzinfo=UTC)
UNCHANGED = "America/Phoenix"


def day_of(begin):
    """What six sites play in the 27 hours from then on, by zone: start in UTC, and on the wall."""
    network = Network(sites=6, screens_per_site=1, seed=3, begins_at=begin)
    found = defaultdict(list)
    for play in plays(network, 6 * 27 * 240):
        told = {name: value.decode() for name, value in play.times}
        start = datetime.fromisoformat(told["pop-start-utc"])
        found[told["pop-tz"]].append((start, orjson.loads(play.body), told))
    return found


def hours(plays_of_zone, day):
    """The hours of a day on the wall with plays, by their offset from UTC."""
    return {
        (told["pop-utcoffset"], event["startTimestamp"][11:13])
        for _, event, told in plays_of_zone
        if event["startTimestamp"].startswith(day)
    }


def test_six_sites_have_all_zones():
    """Arizona and Indiana among them."""
    assert set(day_of(AUTUMN)) == set(ZONES)


@pytest.mark.parametrize(
    ("begin", "day", "number"), [(AUTUMN, "2026-11-01", 25), (SPRING, "2026-03-08", 23)]
)
def test_a_day_with_a_change_of_the_clocks_has_23_or_25_hours(begin, day, number):
    """But in Arizona."""
    for zone, found in day_of(begin).items():
        first = datetime.fromisoformat(f"{day} 00:00:00").replace(tzinfo=ZoneInfo(zone))
        covered = first >= found[0][0]
        expected = 24 if zone == UNCHANGED else number

        assert not covered or len(hours(found, day)) == expected, zone


@pytest.mark.parametrize("begin", [AUTUMN, SPRING])
def test_the_wall_shows_what_utc_and_the_offset_say(begin):
    """For each play: no hour is told twice without being told apart."""
    for zone, found in day_of(begin).items():
        for start, event, told in found:
            wall = start.astimezone(ZoneInfo(zone))
            assert event["startTimestamp"] == f"{wall:%Y-%m-%d %H:%M:%S}"
            assert told["pop-utcoffset"] == f"{wall:%z}"[:3] + ":" + f"{wall:%z}"[3:]


def test_some_clocks_jump_and_say_so():
    """Of 20 screens 3: stepped once, unsynced afterwards; how long they showed is right."""
    begin = datetime(2026, 6, 1, 12, tzinfo=UTC)
    network = Network(sites=5, screens_per_site=4, seed=3, begins_at=begin, clock_jumps=0.15)
    right = Network(sites=5, screens_per_site=4, seed=3, begins_at=begin)
    clocks = defaultdict(list)
    for play, as_it_was in zip(plays(network, 2000), plays(right, 2000), strict=True):
        told, true = dict(play.times), dict(as_it_was.times)
        clocks[play.key].append(told["pop-clock"])
        assert told["pop-mono-ms"] == true["pop-mono-ms"]
        is_right = told["pop-clock"] != b"unsynced"
        assert (told["pop-start-utc"] == true["pop-start-utc"]) is is_right
        assert (play.body == as_it_was.body) is is_right

    jumped = [seen for seen in clocks.values() if set(seen) != {b"synced"}]
    assert len(jumped) == 3
    for seen in jumped:
        before, after = seen.index(b"stepped"), len(seen) - seen.index(b"stepped") - 1
        assert seen == [b"synced"] * before + [b"stepped"] + [b"unsynced"] * after
        assert before >= 30
        assert after >= 30


def test_equal_networks_have_equal_clocks_and_headers():
    """Byte for byte, the headers too."""
    network = Network(sites=5, screens_per_site=2, seed=9, begins_at=AUTUMN, clock_jumps=0.5)

    assert list(plays(network, 500)) == list(plays(network, 500))
    assert max(play.seq for play in plays(network, 500)) == 50


def test_a_dark_hour_is_passed_over():
    """A site whose spots have their hours waits for them, and plays on the minute."""
    spot = Spot(filename="a.webm", asset_id="a", io_number=None, duration_seconds=30)
    slot = Slot(spot, "", "2026-06-03", (("06:00", "06:01"),))
    network = Network(
        sites=1, screens_per_site=2, seed=1, begins_at=datetime(2026, 6, 1, 12, 0, 7, tzinfo=UTC),
        playlists=[SitePlaylist("7", {"2026-06-01": [slot]})],
    )  # fmt: skip
    starts = [orjson.loads(play.body)["startTimestamp"] for play in plays(network, 1000)]

    # Two a morning on two screens, and no morning after the last day.
    assert 4 * 2 <= len(starts) <= 4 * 3
    assert all(start[11:16] == "06:00" for start in starts)
    assert (
        timedelta(0)
        < (datetime.fromisoformat(starts[-1]) - datetime.fromisoformat(starts[0]))
        < timedelta(days=3)
    )
