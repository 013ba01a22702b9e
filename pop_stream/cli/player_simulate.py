"""`pop-stream player simulate`: the plays of fuel stations that are not there."""

import asyncio
import secrets
import signal
import sys
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from pathlib import Path
from random import Random
from typing import Any

import click
import orjson
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from pop_stream.cli.settings_options import with_settings
from pop_stream.cli.value_types import FILE, Amount, Whole
from pop_stream.errors import UsageError
from pop_stream.kafka.clients import producer_of
from pop_stream.kafka.writable import require_writable
from pop_stream.player.ledger import PlayerLedger, open_ledger
from pop_stream.player.simulation.outage import Outage, parse_outage
from pop_stream.player.simulation.players import Sending, Sent, SimulatedPlayers
from pop_stream.player.simulation.playlist_file import SitePlaylist, read_playlist
from pop_stream.player.simulation.plays import Network, latest_begin, plays
from pop_stream.pop.identity import PopIdMaker
from pop_stream.settings import Settings

_PROGRESS_SECONDS = 0.1
_SITES = 12
_BATCH_BYTES = 128 * 1024
#: Midnight in California: everywhere else in the States the day has begun.
_ALL_ON_THAT_DAY = timedelta(hours=8)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """What was asked for: the flags of `simulate`."""

    events: int
    rate: float
    sites: int | None
    screens: int
    seed: int
    begins_at: datetime | None
    playlist_path: Path | None
    outage: Outage | None
    clock_jumps: float
    ledger_path: Path | None
    as_json: bool

    def network(self, now: datetime) -> Network:
        """Raises UsageError for a playlist that cannot be read, or has fewer sites."""
        playlists = self._playlists()
        sites = len(playlists) or self.sites or _SITES
        return Network(
            sites=sites,
            screens_per_site=self.screens,
            seed=self.seed,
            begins_at=self._begin(playlists, now, screens=sites * self.screens),
            playlists=playlists,
            clock_jumps=self.clock_jumps,
        )

    def _playlists(self) -> list[SitePlaylist]:
        if self.playlist_path is None:
            return []
        found = read_playlist(self.playlist_path, seed=self.seed)
        if self.sites is not None and self.sites > len(found):
            raise UsageError(f"{self.playlist_path}: it has {len(found)} sites, not {self.sites}")
        return found[: self.sites]

    def _begin(self, playlists: list[SitePlaylist], now: datetime, *, screens: int) -> datetime:
        if self.begins_at is not None:
            return self.begins_at.replace(tzinfo=UTC)
        if not playlists:
            return latest_begin(now, number=self.events, screens=screens)
        first = min(next(iter(site.days)) for site in playlists)
        try:
            day = date.fromisoformat(first)
        except ValueError as error:
            raise UsageError(f"{self.playlist_path}: {first!r} is no date") from error
        return datetime.combine(day, clock_time(), UTC) + _ALL_ON_THAT_DAY


class Moment(click.DateTime):
    """A time in UTC; what is none is told how to write one."""

    def __init__(self) -> None:
        super().__init__(["%Y-%m-%dT%H:%M:%SZ"])

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Give the time, without a zone."""
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            self.fail(f"{value!r} is no time: write 2026-11-01T04:00:00Z, which is UTC", param, ctx)


def _as_outage(_context: object, _parameter: object, text: str | None) -> Outage | None:
    return None if text is None else parse_outage(text)


@click.command()
@click.option(
    "--events", type=Whole(1), default=1000, show_default=True, metavar="N",
    help="How many events to send.",
)  # fmt: skip
@click.option(
    "--rate", type=Amount(min=0), default=0, show_default=True, metavar="N",
    help="Events a second; 0: as fast as Kafka takes them.",
)  # fmt: skip
@click.option(
    "--sites", type=click.IntRange(min=1, max=50_000), default=None, metavar="N",
    help=f"How many fuel stations.  [default: {_SITES}, or all of the playlist]",
)  # fmt: skip
@click.option(
    "--screens", type=click.IntRange(min=1, max=100), default=4, show_default=True, metavar="N",
    help="How many screens each has.",
)  # fmt: skip
@click.option(
    "--playlist", "playlist_path", type=FILE,
    metavar="FILE", help="Show what this playlist of GSTV's says, site by site, by its dates and "
    "dayparts.  [default: a loop of 18 spots]",
)  # fmt: skip
@click.option(
    "--seed", type=int, default=1, show_default=True, metavar="N",
    help="The same seed and start give the same events, byte for byte (ids are always new).",
)  # fmt: skip
@click.option(
    "--start", "begins_at", type=Moment(), default=None,
    help="When the first spot starts to play, in UTC.  [default: early enough for all to be over; "
    "with a playlist, its first day]",
)  # fmt: skip
@click.option(
    "--outage", callback=_as_outage, metavar="LENGTH/EVERY",
    help="No contact for LENGTH at the end of each EVERY, like 30s/5m: players go on playing, and "
    "send what they kept when it is over, oldest first. Needs --rate.",
)  # fmt: skip
@click.option(
    "--clock-jumps", type=Amount(min=0, max=1), default=0, show_default=True,
    metavar="SHARE", help="The share of the screens, 0 to 1, whose clock jumps in the middle: an "
    "hour back, an hour on, or to 1970.",
)  # fmt: skip
@click.option(
    "--ledger", "ledger_path", type=FILE,
    metavar="FILE", help="Append a line of JSON to this file for every confirmed event.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@with_settings("kafka_", "events_topic", "log_")
def simulate(*, settings: Settings, **flags: Any) -> int:
    r"""Send the events of simulated screens to Kafka.

    Each event is sent until every replica in sync has it; then it stands in the ledger. Ctrl-C
    sends no more, waits for what is under way, and exits with 130.

    The sites lie in all time zones from New York to Los Angeles, Arizona and Indiana among them:
    let them play over a change of the clocks, and their days have 23 or 25 hours.

    \b
    Example:
      pop-stream player simulate --events 5000 --rate 200 --ledger sent.ndjson
      pop-stream player simulate --events 100000 --rate 500 --outage 30s/2m \
        --clock-jumps 0.1
      pop-stream player simulate --events 60000 --sites 6 --screens 1 \
        --start 2026-11-01T04:00:00Z
      pop-stream player simulate --playlist playlist.json --screens 12
    """
    order = _Order(**flags)
    if order.outage is not None and not order.rate:
        raise UsageError("--outage needs --rate: else nobody knows what is played meanwhile")
    network = order.network(datetime.now(UTC))
    with open_ledger(order.ledger_path) as ledger:
        sent, interrupted = asyncio.run(_simulate(order, network, settings, ledger))
    if not sent.events and not interrupted:
        raise UsageError(
            f"{order.playlist_path}: nothing to show from {network.begins_at:%Y-%m-%d} on: "
            "say another --start"
        )
    _print(sent, settings.events_topic, as_json=order.as_json)
    return 130 if interrupted else 0


async def _simulate(
    order: _Order, network: Network, settings: Settings, ledger: PlayerLedger | None
) -> tuple[Sent, bool]:
    await require_writable(settings, settings.events_topic)
    producer = producer_of(
        settings,
        acks="all",
        enable_idempotence=True,
        max_batch_size=_BATCH_BYTES,
    )
    await producer.start()
    players = SimulatedPlayers(
        producer,
        Sending(topic=settings.events_topic, events_per_second=order.rate, outage=order.outage),
        # An id is minted when its play is over, also in an outage.
        make_pop_id=PopIdMaker(
            lambda: time.time_ns() // 1_000_000 - round(players.age_seconds * 1000),
            Random(secrets.randbits(128)).getrandbits,  # noqa: S311 - unique is enough
        ),
        make_boot_id=lambda: uuid.uuid4().hex,
        ledger=ledger,
    )
    interrupted = _stop_on_signals(players)
    drawing = asyncio.create_task(_draw(players, order.events))
    try:
        return await players.send(plays(network, order.events)), interrupted.is_set()
    finally:
        drawing.cancel()
        with suppress(asyncio.CancelledError):
            await drawing
        await producer.stop()


def _stop_on_signals(players: SimulatedPlayers) -> asyncio.Event:
    interrupted = asyncio.Event()

    def stop() -> None:
        interrupted.set()
        players.stop()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    return interrupted


async def _draw(players: SimulatedPlayers, events: int) -> None:
    if not sys.stderr.isatty():
        return
    columns = (
        TextColumn("sending"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("", total=events)
        while True:
            progress.update(task, completed=players.confirmed_events)
            await asyncio.sleep(_PROGRESS_SECONDS)


def _print(sent: Sent, topic: str, *, as_json: bool) -> None:
    rate = sent.events / sent.seconds if sent.seconds else 0.0
    if as_json:
        summary = {
            "events": sent.events,
            "repeats": sent.repeats,
            "late": sent.late,
            "seconds": round(sent.seconds, 3),
            "events_per_second": round(rate, 1),
            "topic": topic,
        }
        click.echo(orjson.dumps(summary).decode())
        return
    late = f", {sent.late:,} of them after an outage" if sent.late else ""
    click.echo(
        f"{sent.events:,} events confirmed on {topic} in {sent.seconds:.1f} s ({rate:,.0f}/s){late}"
    )
