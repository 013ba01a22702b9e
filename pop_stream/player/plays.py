"""The plays of simulated screens, one after the other, with the events that tell of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from random import Random

import orjson

from pop_stream.player.playlist import Spot, spot_loop

#: The longest that one play and the pause after it take.
LONGEST_PLAY = timedelta(seconds=31)
#: Local times of the eastern to the pacific United States, winter.
_UTC_OFFSETS_HOURS = (-5, -5, -6, -6, -7, -8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """The simulated sites and screens. Equal networks make equal plays, byte for byte."""

    sites: int
    screens_per_site: int
    seed: int
    #: When the first spot starts; aware.
    begins_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """One spot played on one screen."""

    site_id: str
    screen_id: str
    #: How many plays the screen has told of with this one; starts with 1.
    seq: int
    #: The proof-of-play event, ready to be sent.
    body: bytes

    @property
    def key(self) -> bytes:
        """The key of its record: events of one screen stay in order."""
        return f"{self.site_id}/{self.screen_id}".encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Site:
    site_id: str
    utc_offset: timedelta
    #: Only the 12-inch screens have a state.
    twelve_inch: bool
    #: Where in the loop its screens start.
    first_spot: int


def plays(network: Network, number: int) -> Iterator[Play]:
    """Yield that many plays of the network, site by site and round by round.

    All screens of a site play the same spot at the same time, as they do at real pumps.
    """
    return islice(_endless_plays(network), number)


def latest_begin(now: datetime, *, number: int, screens: int) -> datetime:
    """Say when a network must begin so that none of its first plays ends after now."""
    rounds = -(-number // screens)
    return (now - rounds * LONGEST_PLAY).replace(microsecond=0)


def _endless_plays(network: Network) -> Iterator[Play]:
    # Nothing here is secret: the seed is there to get the same plays again.
    random = Random(network.seed)  # noqa: S311
    loop = spot_loop(random)
    sites = _sites(network, random)
    clocks = [network.begins_at.astimezone(UTC)] * len(sites)
    for seq in count(1):
        for index, site in enumerate(sites):
            spot = loop[(site.first_spot + seq) % len(loop)]
            starts_at = clocks[index] + site.utc_offset
            # Now and then a payment prompt holds the picture for a moment.
            clocks[index] += timedelta(seconds=spot.duration_seconds + (random.random() < 0.05))
            partial = site.twelve_inch and random.random() < 0.2
            for screen in range(1, network.screens_per_site + 1):
                yield Play(
                    site_id=site.site_id,
                    screen_id=str(screen),
                    seq=seq,
                    body=_body(site, str(screen), spot, starts_at=starts_at, partial=partial),
                )


def _sites(network: Network, random: Random) -> list[_Site]:
    numbers = random.sample(range(1, 100_000), network.sites)
    return [
        _Site(
            # Texts, not numbers: some begin with zeros.
            site_id=f"{number:04d}",
            utc_offset=timedelta(hours=random.choice(_UTC_OFFSETS_HOURS)),
            twelve_inch=random.random() < 0.5,
            first_spot=random.randrange(18),
        )
        for number in numbers
    ]


def _body(site: _Site, screen_id: str, spot: Spot, *, starts_at: datetime, partial: bool) -> bytes:
    ends_at = starts_at + timedelta(seconds=spot.duration_seconds)
    event = {"filename": spot.filename, "assetId": spot.asset_id}
    if spot.io_number is not None:
        event["ioNumber"] = spot.io_number
    event["startTimestamp"] = starts_at.strftime("%Y-%m-%d %H:%M:%S")
    event["endTimestamp"] = ends_at.strftime("%Y-%m-%d %H:%M:%S")
    if site.twelve_inch:
        event["screenState"] = "Partial" if partial else "Full"
    event["siteId"] = site.site_id
    event["screenId"] = screen_id
    return orjson.dumps(event)
