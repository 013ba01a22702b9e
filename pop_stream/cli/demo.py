"""`pop-stream demo`: the whole system on this machine, with an account at the end."""

import asyncio
import logging
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from pop_stream.cli.demo_kept import told_of_kept
from pop_stream.cli.output import print_json
from pop_stream.cli.settings_options import with_settings
from pop_stream.cli.value_types import FILE, Whole
from pop_stream.cli.writable import require_writable
from pop_stream.demo.cluster import kafka_for, names_own_kafka
from pop_stream.demo.processes import Children
from pop_stream.demo.run import Listeners, Order, Place, Report, run
from pop_stream.demo.screen import Screen
from pop_stream.demo.svg import save_svg
from pop_stream.demo.view import account_table, picture
from pop_stream.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """What was asked for: the flags of `demo`."""

    events: int
    seed: int
    as_json: bool
    keep: bool
    outage: bool
    svg: Path | None


@click.command()
@click.option(
    "--events", type=Whole(1), default=1000, show_default=True, metavar="N",
    help="How many events to produce.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the account as JSON.")
@click.option("--keep", is_flag=True, help="Leave everything running until Ctrl-C.")
@click.option("--outage", is_flag=True, help="Let GSTV be down for 20 s in the middle.")
@click.option(
    "--seed", type=int, default=1, show_default=True, metavar="N",
    help="Other seeds make other events.",
)  # fmt: skip
@click.option(
    "--svg", type=FILE, metavar="FILE",
    help="Save the picture of the run here.",
)  # fmt: skip
@with_settings("kafka_", "log_")
def demo(*, settings: Settings, **flags: Any) -> int:
    r"""Run the whole system here and account for every event.

    Starts an Apache Kafka, a GSTV that misbehaves, simulated players and a worker, and shows how
    the events go through. It ends when every event is delivered or parked and notified; what
    became of each is taken from the topics and from GSTV's own ledger. Exit 1 if any is lost.

    With --kafka-bootstrap-servers it uses that Kafka, with topics of its own, removed at the end.

    \b
    Example:
      pop-stream demo --events 3000
      pop-stream demo --events 300 --json
      pop-stream demo --outage
    """
    if flags["svg"] is not None:
        require_writable(flags["svg"], "--svg")
    if "log_level" not in settings.model_fields_set:
        # What is worth telling is on the screen, and what fails there fails the run.
        logging.getLogger("pop_stream").setLevel(logging.ERROR)
        logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    folder = Path(tempfile.mkdtemp(prefix="pop-stream-demo-"))
    exit_code = None
    try:
        exit_code = _run(_Wish(**flags), settings, folder)
    finally:
        if exit_code in (0, 130) or not any(folder.iterdir()):
            shutil.rmtree(folder)
        else:
            click.echo(f"The logs and ledgers of the run are in {folder}", err=True)
    return exit_code


def _run(wish: _Wish, settings: Settings, folder: Path) -> int:
    order = Order(
        events=wish.events,
        seed=wish.seed,
        keep=wish.keep,
        outage=wish.outage,
        begun_at=time.monotonic(),
    )
    with Screen(Console(stderr=True)) as screen:
        screen.say("starting Apache Kafka")
        with (
            kafka_for(settings, downloading=screen.downloading) as kafka,
            Children(folder) as children,
        ):
            place = Place(
                settings=kafka,
                is_borrowed=names_own_kafka(settings),
                folder=folder,
                children=children,
                screen=screen,
            )
            listeners = Listeners(
                report=lambda report: _tell(report, wish, screen),
                kept=lambda system: click.echo("\n".join(told_of_kept(system, kafka)), err=True),
            )
            return asyncio.run(run(order, place, listeners))


def _tell(report: Report, wish: _Wish, screen: Screen) -> None:
    """Print the account on stdout; it is all that is printed there."""
    screen.close()
    account = account_table(report.account, seconds=report.seconds)
    if report.failure:
        click.echo(f"Error: {report.failure}", err=True)
    if wish.as_json:
        print_json(_figures(report))
    else:
        Console().print(account)
    if wish.svg and screen.best:
        save_svg(wish.svg, picture(screen.best), account)


def _figures(report: Report) -> dict[str, float]:
    account = report.account
    figures: dict[str, float] = {
        name: getattr(account, name)
        for name in (
            "produced", "delivered", "delivered_after_retry", "parked", "quarantined",
            "notified", "duplicates", "lost",
        )
    }  # fmt: skip
    if account.unfinished:
        figures["unfinished"] = account.unfinished
    return figures | {"seconds": round(report.seconds, 1)}
