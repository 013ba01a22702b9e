"""Plays outside the dates or the dayparts of their asset."""

import json
from pathlib import Path
from typing import Any

import pytest

from pop_stream.analysis.reconcile.playlists import read_playlists
from pop_stream.errors import UsageError

ASSETS: list[dict[str, Any]] = [
    {"assetId": "a", "start": "2026-11-01", "end": "2026-11-20"},
    {"assetId": "b", "dayparts": [{"start": "06:00", "end": "10:00"},
                                  {"start": "20:00", "end": "24:00"}]},
    {"assetId": "c", "start": "2026-11-21", "end": "2026-11-30", "dayparts": []},
    {"assetId": "a", "start": "2026-11-22", "end": "2026-11-22"},
]  # fmt: skip


def playlist(path: Path) -> Path:
    """As GSTV publishes it: one site, the 20th and the 21st, the assets in two loops."""
    loops = [{"loopNumber": 1, "assets": ASSETS[:2]}, {"loopNumber": 2, "assets": ASSETS[2:]}]
    schedules = [{"date": day, "loops": loops} for day in ("2026-11-20", "2026-11-21")]
    path.write_text(json.dumps({"playlist": [{"siteId": "7", "schedules": schedules}]}))
    return path


@pytest.mark.parametrize(
    ("site", "asset", "start", "judged"),
    [
        ("7", "a", "2026-11-20 23:59:59", "in-order"),
        ("7", "a", "2026-11-21 00:00:00", "outside-dates"),
        ("7", "b", "2026-11-20 06:00:00", "in-order"),
        ("7", "b", "2026-11-20 09:59:59", "in-order"),
        ("7", "b", "2026-11-20 10:00:00", "outside-dayparts"),
        ("7", "b", "2026-11-20 23:59:59", "in-order"),
        ("7", "c", "2026-11-20 12:00:00", "outside-dates"),
        ("7", "c", "2026-11-21 12:00:00", "in-order"),
        ("7", "z", "2026-11-20 12:00:00", "not-in-playlist"),
        ("7", "a", "2026-11-19 12:00:00", "unknown-day"),
        ("8", "a", "2026-11-20 12:00:00", "unknown-site"),
        ("7", "a", "", "unknown-day"),
    ],
)
def test_a_play_is_judged_by_the_day_and_the_time_of_its_site(
    site: str, asset: str, start: str, judged: str, tmp_path: Path
) -> None:
    """The last day belongs to the dates, the last minute does not to the daypart."""
    playlists = read_playlists([playlist(tmp_path / "playlist.json")])

    assert playlists.judge({"siteId": site, "assetId": asset, "startTimestamp": start}) == judged
    assert playlists.counts == {judged: 1}


@pytest.mark.parametrize("content", ["{", "7", "{}", '{"playlist":[{"siteId":"7"}]}', "[[]]"])
def test_what_is_no_playlist_is_refused(content: str, tmp_path: Path) -> None:
    """With what one looks like."""
    path = tmp_path / "playlist.json"
    path.write_text(content)

    with pytest.raises(UsageError, match=r"playlist|not JSON"):
        read_playlists([path])
    with pytest.raises(UsageError, match="cannot be read"):
        read_playlists([tmp_path / "nowhere.json"])
