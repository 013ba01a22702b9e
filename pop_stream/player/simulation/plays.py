"""The plays of simulated screens, one after the other, with the events that tell of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from random import Random
from typing import Final, NamedTuple

import orjson

from pop_stream.player.outbox.clock import Sync, local_time
from pop_stream.player.play_headers import Header, time_headers
from pop_stream.player.simulation.clocks import JumpingClock, Reading, jumping_clocks
from pop_stream.player.simulation.playlist_file import SitePlaylist
from pop_stream.player.simulation.sites import Site, looping_sites, scheduled_sites
from pop_stream.player.simulation.spots import Spot

#: The longest that one play and the pause after it take.
LONGEST_PLAY: Final = timedelta(seconds=31)
_MINUTE_MS: Final = 60_000
#: A site that has had nothing to show for so long has nothing any more.
_DARK_MINUTES: Final = 2 * 24 * 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """The simulated sites and screens. Equal networks make equal plays, byte for byte."""

    sites: int
    screens_per_site: int
    seed: int
    #: When the first spot starts; aware.
    begins_at: datetime
    #: What the sites show, one each; none: the built-in loop.
    playlists: Sequence[SitePlaylist] = ()
    #: The share of the screens whose clock is set to a wrong time in the middle, 0 to 1.
    clock_jumps: float = 0.0

    def __post_init__(self) -> None:
        """Raises ValueError for playlists that are not one a site."""
        if self.playlists and len(self.playlists) != self.sites:
            raise ValueError(f"{len(self.playlists)} playlists for {self.sites} sites")


class Play(NamedTuple):
    """One spot played on one screen."""

    site_id: str
    screen_id: str
    #: The key of its record: events of one screen stay in order.
    key: bytes
    #: How many plays the screen has told of with this one; starts with 1.
    seq: int
    #: The proof-of-play event, ready to be sent.
    body: bytes
    #: What the player knows of it besides: those of its headers that tell of its times.
    times: tuple[Header, ...]


@dataclass(frozen=True, slots=True)
class _Shown:
    """What all screens of a site show at once."""

    site: Site
    spot: Spot
    seq: int
    is_partial: bool


def plays(network: Network, number: int) -> Iterator[Play]:
    """Yield that many plays of the network, site by site and round by round.

    All screens of a site play the same spot at the same time, as they do at real pumps. They are
    fewer when no playlist has anything to show any more.
    """
    screens = network.sites * network.screens_per_site
    clocks = jumping_clocks(
        screens=screens,
        share=network.clock_jumps,
        plays_per_screen=-(-number // screens),
        seed=network.seed,
    )
    return islice(_endless_plays(network, clocks), number)


def latest_begin(now: datetime, *, number: int, screens: int) -> datetime:
    """Say when a network must begin so that none of its first plays ends after now."""
    rounds = -(-number // screens)
    return (now - rounds * LONGEST_PLAY).replace(microsecond=0)


def _endless_plays(network: Network, clocks: Mapping[int, JumpingClock]) -> Iterator[Play]:
    # Nothing here is secret: the seed is there to get the same plays again.
    random = Random(network.seed)  # noqa: S311
    sites = _sites(network, random)
    begin = network.begins_at.astimezone(UTC)
    #: When each site is done with what it shows; None: it has nothing to show any more.
    free_at: list[int | None] = [round(begin.timestamp() * 1000)] * len(sites)
    for seq in count(1):
        for index, site in enumerate(sites):
            started, spot = _next_spot(site, free_at[index])
            if started is None or spot is None:
                free_at[index] = None
                continue
            # Now and then a payment prompt holds the picture for a moment.
            pause = random.random() < 0.05
            free_at[index] = started + 1000 * (spot.duration_seconds + pause)
            shown = _Shown(site, spot, seq, site.twelve_inch and random.random() < 0.2)
            first = index * network.screens_per_site
            wrong = {n: clocks[n] for n in range(first, first + network.screens_per_site)
                     if n in clocks} if clocks else {}  # fmt: skip
            yield from _on_screens(shown, started, network.screens_per_site, first, wrong)
        if all(each is None for each in free_at):
            return


def _sites(network: Network, random: Random) -> list[Site]:
    if network.playlists:
        return scheduled_sites(network.playlists, random)
    return looping_sites(network.sites, random)


def _next_spot(site: Site, free_at: int | None) -> tuple[int | None, Spot | None]:
    """What a site shows next, and when that starts: it waits for its time, minute by minute."""
    if free_at is None:
        return None, None
    started = free_at
    for _ in range(_DARK_MINUTES):
        spot = site.programme.next(started, site.zone)
        if spot is not None:
            return started, spot
        started += _MINUTE_MS - started % _MINUTE_MS
    return None, None


def _on_screens(
    shown: _Shown, started: int, screens: int, first: int, wrong: Mapping[int, JumpingClock]
) -> Iterator[Play]:
    """The play on each screen, the first of which has that number."""
    lasted = 1000 * shown.spot.duration_seconds
    right = _told(shown, Reading(started, started + lasted, Sync.SYNCED), lasted)
    site_id, seq = shown.site.site_id, shown.seq
    for n in range(screens):
        head, times = right
        if first + n in wrong:
            reading = wrong[first + n].read(seq, started, lasted)
            head, times = _told(shown, reading, lasted)
        screen_id = str(n + 1)
        # Not encoded anew for each screen: that would be half of all the work.
        body = b'%s,"screenId":"%s"}' % (head, screen_id.encode())
        key = f"{site_id}/{screen_id}".encode()
        yield Play(site_id, screen_id, key, seq, body, times)


def _told(shown: _Shown, reading: Reading, lasted: int) -> tuple[bytes, tuple[Header, ...]]:
    """The event up to its last field, the screen, and its times: for all screens of a site."""
    site, spot = shown.site, shown.spot
    start = local_time(reading.started, site.zone)
    event = {"filename": spot.filename, "assetId": spot.asset_id}
    if spot.io_number is not None:
        event["ioNumber"] = spot.io_number
    event["startTimestamp"] = start.text
    event["endTimestamp"] = local_time(reading.ended, site.zone).text
    if site.twelve_inch:
        event["screenState"] = "Partial" if shown.is_partial else "Full"
    event["siteId"] = site.site_id
    times = time_headers(
        started=reading.started,
        ended=reading.ended,
        lasted=lasted,
        offset=start.offset,
        zone=site.zone.key,
        clock=reading.sync,
    )
    return orjson.dumps(event)[:-1], tuple(times)
