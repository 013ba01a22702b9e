import json
from datetime import UTC, datetime

import pytest

from pop_stream.errors import UsageError
from pop_stream.player.simulation.playlist_file import Scheduled, read_playlist


def playlist(path, *, days=("2026-11-20",), assets=None):
    """A playlist of site 7: two loops, of which the second has an asset twice."""
    first = [{"assetId": "a", "filename": "a.webm", "type": "advertising", "tiNumber": "124"}]
    second = [
        {"assetId": "b", "filename": "bumper.webm", "type": "brandedMessaging"},
        {"filename": "news.webm", "type": "programming"},
        {"assetId": "b", "filename": "bumper.webm", "type": "brandedMessaging"},
    ]
    loops = [{"loopNumber": 1, "assets": first}, {"loopNumber": 2, "assets": second}]
    if assets is not None:
        loops = [{"loopNumber": 1, "assets": assets}]
    schedules = [{"segmentId": "s", "date": day, "loops": loops} for day in days]
    path.write_text(json.dumps({"playlist": [{"siteId": "7", "schedules": schedules}]}))
    return path


def shown(path, *times):
    """What site 7 shows at these times, one after the other."""
    programme = Scheduled(read_playlist(path, seed=1)[0])
    moments = [datetime.fromisoformat(each).replace(tzinfo=UTC).timestamp() for each in times]
    spots = [programme.next(round(each * 1000), UTC) for each in moments]
    return [spot and spot.filename for spot in spots]


def test_loops_play_in_order_and_again(tmp_path):
    """An asset that stands twice in a loop plays twice."""
    names = shown(playlist(tmp_path / "p.json"), *["2026-11-20 10:00:00"] * 5)

    assert names == ["a.webm", "bumper.webm", "news.webm", "bumper.webm", "a.webm"]


def test_a_spot_has_the_insertion_order_of_the_playlist(tmp_path):
    """By its present name; programmes have none. Without an id its name stands for it."""
    spots = [slot.spot for slot in read_playlist(playlist(tmp_path / "p.json"), seed=1)[0].of("")]

    assert [spot.io_number for spot in spots] == ["124", None, None, None]
    assert [spot.asset_id for spot in spots] == ["a", "b", "news.webm", "b"]


def test_a_spot_is_equally_long_each_time(tmp_path):
    """15 to 30 seconds, by its id and the seed."""
    path = playlist(tmp_path / "p.json")
    lengths = {
        seed: [slot.spot.duration_seconds for slot in read_playlist(path, seed=seed)[0].of("")]
        for seed in (1, 1, 2)
    }

    assert lengths[1][1] == lengths[1][3]
    assert lengths[1] != lengths[2]
    assert all(15 <= each <= 30 for found in lengths.values() for each in found)


def test_dates_and_dayparts_are_those_of_the_site(tmp_path):
    """The last day belongs to the dates, the last minute does not to the daypart."""
    assets = [
        {"filename": "old.webm", "start": "2026-11-01", "end": "2026-11-20"},
        {"filename": "morning.webm", "dayparts": [{"start": "06:00", "end": "10:00"}]},
    ]
    path = playlist(tmp_path / "p.json", assets=assets)
    times = ["2026-11-20 09:59:59", "2026-11-20 09:59:59", "2026-11-20 10:00:00",
             "2026-11-21 06:00:00", "2026-11-21 05:59:00"]  # fmt: skip

    assert shown(path, *times) == ["old.webm", "morning.webm", "old.webm", "morning.webm", None]


def test_a_site_without_a_new_playlist_goes_on_with_the_old_one(tmp_path):
    """It may be without contact for days."""
    path = playlist(tmp_path / "p.json", days=("2026-11-21", "2026-11-20"))
    site = read_playlist(path, seed=1)[0]

    assert site.of("2026-11-22") is site.of("2026-11-21")
    assert site.of("2026-11-20") is not site.of("2026-11-21")
    assert site.of("2026-11-19") is site.of("2026-11-20")


@pytest.mark.parametrize(
    "content",
    ["{", "7", "{}", '{"playlist":[{"siteId":"7"}]}', "[[]]", '{"playlist":[]}',
     '{"playlist":[{"siteId":"7","schedules":[]}]}'],
)  # fmt: skip
def test_what_is_no_playlist_is_refused(content, tmp_path):
    """With what one looks like."""
    path = tmp_path / "playlist.json"
    path.write_text(content)

    with pytest.raises(UsageError, match=r"playlist|not JSON"):
        read_playlist(path, seed=1)
    with pytest.raises(UsageError, match="cannot be read"):
        read_playlist(tmp_path / "nowhere.json", seed=1)
