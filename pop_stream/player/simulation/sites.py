"""The simulated sites: where they are, what screens they have, and what these show."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final
from zoneinfo import ZoneInfo

from pop_stream.player.outbox.clock import zone_of
from pop_stream.player.simulation.playlist_file import Scheduled, SitePlaylist
from pop_stream.player.simulation.spots import Loop, Programme, spot_loop

#: All ways in which clocks go between the Atlantic and the Pacific: Arizona's are never changed;
#: Indiana has had its own rules. None is nearer to UTC than Eastern Time.
ZONES: Final = (
    "America/New_York",
    "America/Chicago",
    "America/Denver",
    "America/Phoenix",
    "America/Los_Angeles",
    "America/Indiana/Indianapolis",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One fuel station."""

    site_id: str
    zone: ZoneInfo
    #: Only the 12-inch screens have a state.
    twelve_inch: bool
    programme: Programme


def looping_sites(number: int, random: Random) -> list[Site]:
    """Make sites that show the built-in loop, each from a place of its own in it."""
    loop = spot_loop(random)
    # Texts, not numbers: some begin with zeros.
    names = [f"{each:04d}" for each in random.sample(range(1, 100_000), number)]
    return [
        Site(
            site_id=name,
            zone=zone,
            twelve_inch=random.random() < 0.5,
            programme=Loop(loop, random.randrange(len(loop))),
        )
        for name, zone in zip(names, _zones(number, random), strict=True)
    ]


def scheduled_sites(playlists: Sequence[SitePlaylist], random: Random) -> list[Site]:
    """Make the sites of a playlist."""
    return [
        Site(
            site_id=playlist.site_id,
            zone=zone,
            twelve_inch=random.random() < 0.5,
            programme=Scheduled(playlist),
        )
        for playlist, zone in zip(playlists, _zones(len(playlists), random), strict=True)
    ]


def _zones(number: int, random: Random) -> list[ZoneInfo]:
    """In turn, so that half a dozen sites have them all."""
    first = random.randrange(len(ZONES))
    return [zone_of(ZONES[(first + n) % len(ZONES)]) for n in range(number)]
