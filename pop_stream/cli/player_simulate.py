"""`pop-stream player simulate`: events of simulated screens."""

import asyncio
import secrets
import signal
import sys
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
import orjson
from aiokafka import AIOKafkaProducer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from pop_stream.cli.settings_options import with_settings
from pop_stream.kafka.admin import connected_admin
from pop_stream.kafka.connection import client_options
from pop_stream.player.ledger import PlayerLedger, open_ledger
from pop_stream.player.plays import Network, latest_begin, plays
from pop_stream.player.simulator import Sending, Sent, SimulatedPlayers, missing_topic
from pop_stream.pop.identity import PopIdMaker
from pop_stream.settings import Settings

_PROGRESS_SECONDS = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """What was asked for: the flags of `simulate`."""

    events: int
    rate: float
    sites: int
    screens: int
    seed: int
    begins_at: datetime | None
    ledger_path: Path | None
    as_json: bool

    def network(self, now: datetime) -> Network:
        begins_at = self.begins_at and self.begins_at.replace(tzinfo=UTC)
        return Network(
            sites=self.sites,
            screens_per_site=self.screens,
            seed=self.seed,
            begins_at=begins_at
            or latest_begin(now, number=self.events, screens=self.sites * self.screens),
        )


@click.command()
@click.option(
    "--events", type=click.IntRange(min=1), default=1000, show_default=True, metavar="N",
    help="How many events to send.",
)  # fmt: skip
@click.option(
    "--rate", type=click.FloatRange(min=0), default=0, show_default=True, metavar="N",
    help="Events a second; 0: as fast as Kafka takes them.",
)  # fmt: skip
@click.option(
    "--sites", type=click.IntRange(min=1, max=50_000), default=12, show_default=True, metavar="N",
    help="How many fuel stations.",
)  # fmt: skip
@click.option(
    "--screens", type=click.IntRange(min=1, max=100), default=4, show_default=True, metavar="N",
    help="How many screens each has.",
)  # fmt: skip
@click.option(
    "--seed", type=int, default=1, show_default=True, metavar="N",
    help="The same seed and start give the same events, byte for byte (ids are always new).",
)  # fmt: skip
@click.option(
    "--start", "begins_at", type=click.DateTime(["%Y-%m-%dT%H:%M:%SZ"]), default=None,
    help="When the first spot starts to play, in UTC.  [default: early enough for all to be over]",
)  # fmt: skip
@click.option(
    "--ledger", "ledger_path", type=click.Path(dir_okay=False, writable=True, path_type=Path),
    metavar="FILE", help="Append a line of JSON to this file for every confirmed event.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@with_settings("kafka_", "events_topic", "log_")
def simulate(*, settings: Settings, **flags: Any) -> int:
    r"""Send the events of simulated screens to Kafka.

    Each event is sent until every replica in sync has it; then it stands in the ledger. Ctrl-C
    sends no more, waits for what is under way, and exits with 130.

    \b
    Example:
      pop-stream player simulate --events 5000 --rate 200 --ledger sent.ndjson
    """
    order = _Order(**flags)
    with open_ledger(order.ledger_path) as ledger:
        sent, interrupted = asyncio.run(_simulate(order, settings, ledger))
    _print(sent, settings.events_topic, as_json=order.as_json)
    return 130 if interrupted else 0


async def _simulate(
    order: _Order, settings: Settings, ledger: PlayerLedger | None
) -> tuple[Sent, bool]:
    await _require_topic(settings)
    producer = AIOKafkaProducer(**client_options(settings), acks="all", enable_idempotence=True)
    await producer.start()
    players = SimulatedPlayers(
        producer,
        Sending(topic=settings.events_topic, events_per_second=order.rate),
        make_pop_id=PopIdMaker(lambda: time.time_ns() // 1_000_000, secrets.randbits),
        make_boot_id=lambda: str(uuid.uuid4()),
        ledger=ledger,
    )
    network = order.network(datetime.now(UTC))
    interrupted = _stop_on_signals(players)
    drawing = asyncio.create_task(_draw(players, order.events))
    try:
        return await players.send(plays(network, order.events)), interrupted.is_set()
    finally:
        drawing.cancel()
        with suppress(asyncio.CancelledError):
            await drawing
        await producer.stop()


async def _require_topic(settings: Settings) -> None:
    # The producer would look for a missing topic for 40 s.
    async with connected_admin(settings) as admin:
        if settings.events_topic not in await admin.list_topics():
            raise missing_topic(settings.events_topic)


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
            progress.update(task, completed=players.confirmed)
            await asyncio.sleep(_PROGRESS_SECONDS)


def _print(sent: Sent, topic: str, *, as_json: bool) -> None:
    rate = sent.events / sent.seconds if sent.seconds else 0.0
    if as_json:
        summary = {
            "events": sent.events,
            "repeats": sent.repeats,
            "seconds": round(sent.seconds, 3),
            "events_per_second": round(rate, 1),
            "topic": topic,
        }
        click.echo(orjson.dumps(summary).decode())
        return
    click.echo(
        f"{sent.events:,} events confirmed on {topic} in {sent.seconds:.1f} s ({rate:,.0f}/s)"
    )
