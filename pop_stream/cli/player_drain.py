"""`pop-stream player drain`: sends what an outbox holds."""

import asyncio
import logging
import signal
import sqlite3
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from pop_stream.cli.output import print_json
from pop_stream.cli.settings_options import with_settings
from pop_stream.cli.value_types import OUTBOX, Amount
from pop_stream.errors import UsageError, WorkFailedError, why
from pop_stream.settings import Settings

if TYPE_CHECKING:
    from pop_stream.player.sending.leases import Waiting
    from pop_stream.player.sending.sender import Conduct, Sender
    from pop_stream.player.sending.store import Store

log = logging.getLogger(__name__)

_PROGRESS_SECONDS: Final = 0.2
_OPEN_AGAIN_SECONDS: Final = 2.0
_INTERRUPTED: Final = 130


@click.command()
@click.option(
    "--outbox", "path", required=True, metavar="FILE",
    type=OUTBOX, help="The outbox of this player.",
)  # fmt: skip
@click.option(
    "--follow", is_flag=True,
    help="Go on: send what is recorded later, too, and wait for Kafka however long it is away.",
)  # fmt: skip
@click.option(
    "--rate", type=Amount(min=0, min_open=True), metavar="N",
    help="Plays a second, at most.  [default: as many as Kafka takes]",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@with_settings("kafka_", "events_topic", "log_")
def drain(
    *, settings: Settings, path: Path, follow: bool, rate: float | None, as_json: bool
) -> int:
    r"""Send what an outbox holds to Kafka, oldest first with fresh plays in between.

    A play is done with once every replica in sync has it. After a kill, or an acknowledgement that
    was lost on its way, some are sent again under their same pop-id; none is lost. What the broker
    refuses for what it is, is set aside and kept.

    Ctrl-C and SIGTERM wait for what is under way. One process may send from an outbox, beside the
    one that records into it. Without --follow the exit code is 1 when something is set aside or
    left, and 3 when Kafka cannot be reached.

    \b
    Example:
      pop-stream player drain --outbox /var/lib/player/pops.outbox
      pop-stream player drain --outbox /var/lib/player/pops.outbox --follow \
        --rate 50
    """
    if not path.exists() and not follow:
        raise UsageError(
            f"there is no outbox {path}: its player makes it with the first play; "
            "--follow waits for that"
        )
    # Not at the top: aiokafka takes its time to import, and --help should not wait for it.
    from pop_stream.player.sending.sender import Conduct  # noqa: PLC0415

    if follow:
        # A service that is stopped ends well, also before there is anything to send.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with _opened(path, waits=follow) as store:
        conduct = Conduct(follow=follow, rate=rate)
        return asyncio.run(_drain(settings, store, conduct, as_json=as_json))


def _opened(path: Path, *, waits: bool) -> "Store":
    """Open the outbox; with `waits`, when its player has made it, and its disk can be read."""
    from pop_stream.player.sending.store import Store  # noqa: PLC0415

    if waits and not path.exists():
        log.info("outbox.awaited", extra={"path": str(path)})
    while True:
        try:
            if not waits or path.exists():
                return Store(path)
        except (OSError, sqlite3.Error) as error:
            if not waits:
                raise WorkFailedError(
                    f"{path} cannot be opened ({why(error)}); this user must be able to "
                    "write to it, and to its folder"
                ) from error
            log.warning("outbox.not_opened", extra={"path": str(path), "error": str(error)})
        time.sleep(_OPEN_AGAIN_SECONDS)


async def _drain(settings: Settings, store: "Store", conduct: "Conduct", *, as_json: bool) -> int:
    from pop_stream.player.sending.broker import Broker  # noqa: PLC0415
    from pop_stream.player.sending.sender import Sender  # noqa: PLC0415

    until = None if conduct.follow else store.newest()
    sender = Sender(store, Broker(settings), conduct)
    told = _stop_on_signals(sender)
    began = time.monotonic()
    try:
        async with _drawn(sender, store.waiting(until).ready, follow=conduct.follow):
            await sender.run()
    finally:
        left = store.waiting(until)
        _print(sender, left, time.monotonic() - began, as_json=as_json)
    if told:
        return _INTERRUPTED if told[0] is signal.SIGINT else 0
    return 1 if left.ready or left.aside else 0


def _stop_on_signals(sender: "Sender") -> list[signal.Signals]:
    """The first one is waited for; the next ends it at once. Gives a list of what came."""
    told: list[signal.Signals] = []
    loop = asyncio.get_running_loop()

    def stop(number: signal.Signals) -> None:
        told.append(number)
        sender.stop()
        loop.remove_signal_handler(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop, number)
    return told


@asynccontextmanager
async def _drawn(sender: "Sender", rows: int, *, follow: bool) -> AsyncIterator[None]:
    if not sys.stderr.isatty():
        yield
        return
    drawing = asyncio.create_task(_draw(sender, None if follow else rows))
    try:
        yield
    finally:
        drawing.cancel()
        with suppress(asyncio.CancelledError):
            await drawing


async def _draw(sender: "Sender", rows: int | None) -> None:
    from rich import progress as rich  # noqa: PLC0415
    from rich.console import Console  # noqa: PLC0415

    columns = (
        rich.TextColumn("sending"),
        rich.BarColumn(),
        rich.MofNCompleteColumn(),
        rich.TextColumn("{task.fields[rate]} plays a second, left"),
        rich.TimeRemainingColumn(),
    )
    began = time.monotonic()
    with rich.Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=rows, rate="")
        while True:
            rate = sender.sent.plays / max(time.monotonic() - began, 0.001)
            bar.update(task, completed=sender.sent.rows, rate=f"{rate:,.0f}")
            await asyncio.sleep(_PROGRESS_SECONDS)


def _print(sender: "Sender", left: "Waiting", seconds: float, *, as_json: bool) -> None:
    sent = sender.sent.plays
    rate = sent / seconds if seconds else 0.0
    if as_json:
        print_json({
            "confirmed": sent,
            "left": left.ready,
            "aside": left.aside,
            "seconds": round(seconds, 3),
            "plays_per_second": round(rate, 1),
        })  # fmt: skip
        return
    click.echo(
        f"{sent:,} plays confirmed in {seconds:.1f} s ({rate:,.0f}/s); {left.ready:,} left, "
        f"{left.aside:,} set aside."
    )
