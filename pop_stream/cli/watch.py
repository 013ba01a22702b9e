"""`pop-stream watch`: how things stand in Kafka, whether or not a worker lives."""

import asyncio
import time
from typing import TYPE_CHECKING

import click

from pop_stream.cli.output import print_json, print_table
from pop_stream.cli.settings_options import with_settings
from pop_stream.settings import Settings
from pop_stream.watch.figures import span

if TYPE_CHECKING:
    from pop_stream.watch.look import Look


@click.command()
@click.option("--once", is_flag=True, help="Look once, print what was seen, and end.")
@click.option("--json", "as_json", is_flag=True, help="With --once: print one JSON object.")
@with_settings(
    "kafka_", "events_topic", "retry_topic", "failure_topic", "settled_topic", "group",
    "auto_redrive", "metrics_host", "watch_", "log_",
)  # fmt: skip
def watch(*, settings: Settings, once: bool, as_json: bool) -> int:
    r"""Show what is owed, how old it is, and how long it is kept.

    Serves metrics for Prometheus at --metrics-host and --watch-port until SIGTERM (exit 0) or
    Ctrl-C (exit 130). Run it apart from the workers: it outlives them, and goes on when Kafka is
    away. Joins no group and commits nothing.

    \b
    Example:
      pop-stream watch
      pop-stream watch --once
      pop-stream watch --once --json
    """
    # Not at the top: aiokafka takes its time to import, and --help should not wait for it.
    from pop_stream.watch import watching  # noqa: PLC0415

    if as_json and not once:
        raise click.UsageError("--json needs --once: without it metrics are served")
    if not once:
        return asyncio.run(watching.keep_watching(settings))
    look = asyncio.run(watching.look_once(settings))
    if as_json:
        print_json(watching.as_object(look))
    else:
        _print(look, now=time.time())
    return 0


def _print(look: "Look", *, now: float) -> None:
    print_table(
        ("topic", "not committed", "oldest that is owed", "kept for another"),
        [_row(look, topic, now) for topic in look.owed],
    )
    click.echo(f"parked events that wait for somebody: {look.parked:,}")
    click.echo(f"workers in the group: {len(look.group.members)} ({look.group.state})")


def _row(look: "Look", topic: str, now: float) -> tuple[str, ...]:
    owed = look.owed[topic]
    lag = look.lag_of(topic)
    if owed.produced_at is None:
        return (topic, f"{lag:,}", "none", "")
    kept = owed.deleted_at - now
    return (
        topic,
        f"{lag:,}",
        f"{span(now - owed.produced_at)} old",
        "ever" if kept == float("inf") else span(kept),
    )
