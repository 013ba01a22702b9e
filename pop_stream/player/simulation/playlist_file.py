"""A playlist as GSTV publishes it: what each site shows on which day, at which time of the day.

`playlist[] -> siteId, schedules[] -> date, loops[] -> assets[] -> assetId, filename, start and end
(dates), dayparts[] (start and end, in the time of the site), tiNumber`. Loops play in their order,
again and again. A playlist does not say how long a spot is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path
from random import Random
from typing import Any, Final

import orjson

from pop_stream.errors import UsageError
from pop_stream.player.outbox.clock import local_time
from pop_stream.player.simulation.spots import Spot

_MINUTE: Final = slice(len("yyyy-mm-dd "), len("yyyy-mm-dd HH:MM"))
_DAY: Final = len("yyyy-mm-dd")


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in a site's loops, and when it is filled."""

    spot: Spot
    first_day: str
    last_day: str
    #: Each from the first minute to before the last; none: at any time.
    dayparts: tuple[tuple[str, str], ...]

    def is_on(self, local: str) -> bool:
        """Whether it plays at that time of the site, `yyyy-mm-dd HH:MM:SS`."""
        if not self.first_day <= local[:_DAY] <= self.last_day:
            return False
        minute = local[_MINUTE]
        return not self.dayparts or any(start <= minute < end for start, end in self.dayparts)


@dataclass(frozen=True, slots=True)
class SitePlaylist:
    """What one site shows."""

    site_id: str
    #: By day, in the order of days; none is empty.
    days: Mapping[str, Sequence[Slot]]

    def of(self, day: str) -> Sequence[Slot]:
        """What is shown on a day: where it has none of its own, that of the last day before.

        A site that gets no new playlist goes on with the one that it has.
        """
        found = next(iter(self.days.values()))
        for known, slots in self.days.items():
            if known > day:
                break
            found = slots
        return found


class Scheduled:
    """The programme of a site with a playlist."""

    def __init__(self, playlist: SitePlaylist) -> None:
        self._playlist = playlist
        self._day = ""
        self._slots: Sequence[Slot] = ()
        self._next = 0

    def next(self, started_ms: int, zone: tzinfo) -> Spot | None:
        """The next spot of the loops that may play then; None: none may."""
        local = local_time(started_ms, zone).text
        if local[:_DAY] != self._day:
            self._day = local[:_DAY]
            slots = self._playlist.of(self._day)
            if slots is not self._slots:
                self._slots, self._next = slots, 0
        for _ in self._slots:
            slot = self._slots[self._next % len(self._slots)]
            self._next += 1
            if slot.is_on(local):
                return slot.spot
        return None


def read_playlist(path: Path, *, seed: int) -> list[SitePlaylist]:
    """Read a playlist, site by site; of equal seeds its spots are equally long.

    Raises UsageError for a file that is none.
    """
    try:
        document = orjson.loads(path.read_bytes())
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror})") from error
    except orjson.JSONDecodeError as error:
        raise UsageError(f"{path}: not JSON ({error})") from error
    try:
        entries = document["playlist"] if type(document) is dict else document
        sites = [_site(entry, seed) for entry in entries]
    except (AttributeError, KeyError, TypeError) as error:
        raise UsageError(
            f"{path}: not a playlist as GSTV publishes it: playlist, siteId, schedules, date, "
            f"loops, assets, filename ({error!r})"
        ) from error
    shown = [site for site in sites if site.days]
    if not shown:
        raise UsageError(f"{path}: a playlist without anything to show")
    return shown


def _site(entry: Mapping[str, Any], seed: int) -> SitePlaylist:
    days = {
        str(schedule["date"]): tuple(
            _slot(asset, seed) for loop in schedule["loops"] for asset in loop["assets"]
        )
        for schedule in entry["schedules"]
    }
    shown = {day: days[day] for day in sorted(days) if days[day]}
    return SitePlaylist(str(entry.get("siteId") or entry["site"]), shown)


def _slot(asset: Mapping[str, Any], seed: int) -> Slot:
    filename = str(asset["filename"])
    # The first playlists had no ids; an event without one is not taken.
    asset_id = str(asset.get("assetId") or filename)
    number = asset.get("tiNumber") or asset.get("ioNumber")
    # Its length is not told, and is the same each time. Nothing here is secret.
    length = Random(f"{seed}/{asset_id}").randint(15, 30)  # noqa: S311
    spot = Spot(
        filename=filename,
        asset_id=asset_id,
        io_number=None if number is None else str(number),
        duration_seconds=length,
    )
    return Slot(
        spot,
        str(asset.get("start") or ""),
        str(asset.get("end") or "9999-12-31"),
        tuple((str(part["start"]), str(part["end"])) for part in asset.get("dayparts") or ()),
    )
