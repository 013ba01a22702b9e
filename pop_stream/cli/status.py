"""`pop-stream status`: what is going on, as the worker says and as Kafka shows."""

import asyncio
import time

import click

from pop_stream.cli.output import print_json
from pop_stream.cli.settings_options import with_settings
from pop_stream.cli.value_types import Amount
from pop_stream.settings import Settings

_SAMPLE_SECONDS = 3.0


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option(
    "--sample-seconds", type=Amount(0.5, 600), default=_SAMPLE_SECONDS,
    show_default=True, metavar="SECONDS",
    help="How long to watch the topics, to tell how fast the backlog grows or drains.",
)  # fmt: skip
@with_settings("kafka_", "events_topic", "retry_topic", "group", "metrics_")
def status(*, settings: Settings, as_json: bool, sample_seconds: float) -> int:
    r"""Say what is going on: GSTV, the backlog, and when it will be done.

    Asks the worker at --metrics-host and --metrics-port, and Kafka. Disturbs nobody and joins no
    group. The exit code is 1 when no worker answers there.

    \b
    Example:
      pop-stream status
      pop-stream status --json --sample-seconds 10
    """
    # Not at the top: aiokafka takes its time to import, and --help should not wait for it.
    from pop_stream.cli.status_report import as_lines, as_object, watch  # noqa: PLC0415

    report = asyncio.run(watch(settings, seconds=sample_seconds))
    if as_json:
        print_json(as_object(report))
    else:
        for line in as_lines(report, now=time.time()):
            click.echo(line)
    return 1 if report.worker is None else 0
