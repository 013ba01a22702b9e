"""GSTV's playlists: which plays were outside the dates or the dayparts of their asset.

As GSTV publishes them: for each site a schedule for each day, whose loops hold assets; an asset may
have a first and a last day, and dayparts in the time of the site. What swaps an asset at play time
(evergreen files) is not looked at.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson

from pop_stream.analysis.play import Play
from pop_stream.errors import UsageError

#: What a play can be told of; those that are not in order.
VIOLATIONS: Final = ("not-in-playlist", "outside-dates", "outside-dayparts")
_MINUTE: Final = len("HH:MM")


class _Slot(NamedTuple):
    """When an asset may play on a day of one site."""

    first_day: str
    last_day: str
    #: Each from the first minute to before the last; none: at any time.
    dayparts: tuple[tuple[str, str], ...]


class Playlists:
    """Judges plays by playlists."""

    def __init__(self) -> None:
        #: By site, day and asset.
        self._slots: dict[str, defaultdict[str, dict[str, set[_Slot]]]] = {}
        self._alike: dict[_Slot, _Slot] = {}
        self.counts: Counter[str] = Counter()

    def add(self, entries: Iterable[Mapping[str, Any]]) -> None:
        """Take a playlist's entries, one a site. Raises KeyError, TypeError where it is none."""
        for entry in entries:
            site = str(entry.get("siteId") or entry["site"])
            days = self._slots.setdefault(site, defaultdict(dict))
            for schedule in entry["schedules"]:
                assets = days[str(schedule["date"])]
                for loop in schedule["loops"]:
                    for asset in loop["assets"]:
                        slot = _slot(asset)
                        slots = assets.setdefault(str(asset["assetId"]), set())
                        slots.add(self._alike.setdefault(slot, slot))

    def judge(self, play: Play) -> str:
        """Say how a play fits, and count that: `in-order`, `unknown-site` or `-day`, or why not."""
        judged = self._judged(play)
        self.counts[judged] += 1
        return judged

    def _judged(self, play: Play) -> str:
        day, minute = _day_and_minute(play)
        days = self._slots.get(play.get("siteId", ""))
        if days is None:
            return "unknown-site"
        if day not in days:
            # It is another playlist that tells of that day.
            return "unknown-day"
        slots = days[day].get(play.get("assetId", ""))
        if slots is None:
            return "not-in-playlist"
        of_day = [slot for slot in slots if slot.first_day <= day <= slot.last_day]
        if not of_day:
            return "outside-dates"
        if any(_is_in_daypart(slot, minute) for slot in of_day):
            return "in-order"
        return "outside-dayparts"


def _day_and_minute(play: Play) -> tuple[str, str]:
    day, _, clock = play.get("startTimestamp", "").partition(" ")
    return day, clock[:_MINUTE]


def _is_in_daypart(slot: _Slot, minute: str) -> bool:
    if not slot.dayparts:
        return True
    return any(start <= minute < end for start, end in slot.dayparts)


def _slot(asset: Mapping[str, Any]) -> _Slot:
    return _Slot(
        str(asset.get("start") or ""),
        str(asset.get("end") or "9999-12-31"),
        tuple((str(part["start"]), str(part["end"])) for part in asset.get("dayparts") or ()),
    )


def read_playlists(paths: Iterable[Path]) -> Playlists:
    """Read files of playlists. Raises UsageError for one that is none."""
    playlists = Playlists()
    for path in paths:
        try:
            document = orjson.loads(path.read_bytes())
        except OSError as error:
            raise UsageError(f"{path}: cannot be read ({error.strerror})") from error
        except orjson.JSONDecodeError as error:
            raise UsageError(f"{path}: not JSON ({error})") from error
        try:
            playlists.add(document["playlist"] if type(document) is dict else document)
        except (AttributeError, KeyError, TypeError) as error:
            raise UsageError(
                f"{path}: not a playlist as GSTV publishes it: playlist, siteId, schedules, date, "
                f"loops, assets, assetId ({error!r})"
            ) from error
    return playlists
