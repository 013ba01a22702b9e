"""`pop-stream kafka`: an Apache Kafka for development."""

import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from pop_stream.cli.near import NearGroup
from pop_stream.cli.settings_options import with_settings
from pop_stream.cli.value_types import FOLDER
from pop_stream.errors import EmbeddedKafkaError
from pop_stream.settings import Settings

LOOK_SECONDS = 0.5


@click.group(cls=NearGroup)
def kafka() -> None:
    r"""Run an Apache Kafka for development.

    \b
    Example:
      pop-stream kafka up
    """


@kafka.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=9092,
    show_default=True,
    help="The first broker's port; further brokers take the next ones. 0: any free ones.",
)
@click.option(
    "--brokers",
    type=click.Choice(["1", "3"]),
    default="1",
    show_default=True,
    help="How many brokers.",
)
@click.option(
    "--data",
    type=FOLDER,
    help="Keep the records in this folder. Defaults to a temporary one, removed at the end.",
)
@with_settings("log_")
def up(*, settings: Settings, port: int, brokers: str, data: Path | None) -> None:
    r"""Start an Apache Kafka here, and run it until SIGTERM (exit 0) or Ctrl-C (exit 130).

    Needs neither Docker nor Java: the first time, some 40 MB are downloaded. It listens on
    127.0.0.1 only. stdout gets one line, the bootstrap address, once it is ready.

    \b
    Example:
      pop-stream kafka up
      pop-stream kafka up --port 0 --brokers 3 --data ~/kafka
    """
    del settings  # They set up logging; this Kafka has none.
    # Not at the top: --help should not wait for it.
    from pop_stream.kafka.local import LocalKafka, LocalKafkaOptions  # noqa: PLC0415

    # SIGINT too: a shell lets its background jobs begin with that one ignored.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _exit)
    options = LocalKafkaOptions(brokers=int(brokers), port=port, data_dir=data)
    with _progress() as progress:
        running = LocalKafka.start(options, progress=progress)
    with running:
        click.echo(running.bootstrap_servers)
        sys.stdout.flush()
        click.echo(f"Apache Kafka is ready. Its logs: {running.folder}", err=True)
        while all(broker.is_running for broker in running.brokers):
            time.sleep(LOOK_SECONDS)
        raise EmbeddedKafkaError(f"a broker ended by itself; its logs: {running.folder}")


def _exit(number: int, _frame: object) -> None:
    """Leave through every `with` on the way: they end the brokers."""
    sys.exit(0 if number == signal.SIGTERM else 130)


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """Show the download, if there is one: a bar on a terminal, else a line at either end."""
    if sys.stderr.isatty():
        with _bar() as draw:
            yield draw
        return
    said: list[str] = []

    def say(done: int, total: int) -> None:
        if not said:
            said.append("begun")
            click.echo(f"Downloading Apache Kafka, {total / 1e6:.0f} MB", err=True)
        if done == total:
            click.echo("Downloaded. Preparing it, once", err=True)

    yield say


@contextmanager
def _bar() -> Iterator[Callable[[int, int], None]]:
    from rich.console import Console  # noqa: PLC0415 - slow to import
    from rich.progress import (  # noqa: PLC0415
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("Starting Apache Kafka", total=None, visible=False)

        def draw(done: int, total: int) -> None:
            words = "Preparing Apache Kafka, once" if done == total else "Downloading Apache Kafka"
            bar.update(task, description=words, completed=done, total=total, visible=True)

        yield draw
