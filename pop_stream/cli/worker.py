"""`pop-stream worker`: the three agents."""

import click

from pop_stream.cli.settings_options import with_settings
from pop_stream.settings import Settings


@click.command()
@with_settings(
    "kafka_", "gstv_", "retries", "retry_backoff_seconds", "validation", "events_topic",
    "retry_topic", "failure_topic", "notification_", "group", "stages", "commit_interval_seconds",
    "drain_seconds", "session_timeout_seconds", "max_", "progress_timeout_seconds", "metrics_",
    "log_", required=("gstv_url",),
)  # fmt: skip
def worker(*, settings: Settings) -> int:
    r"""Deliver events from Kafka to GSTV, and lose none.

    Runs until SIGTERM (exit 0) or Ctrl-C (exit 130): what is under way then ends, what is done is
    committed, and the rest is read again by whoever comes next.

    \b
    Example:
      pop-stream worker --gstv-url https://pop.example.com/v1/pops
      POP_STREAM_GSTV_URL=http://127.0.0.1:8080/pops pop-stream worker \
        --stages forward,retry
    """
    # Not at the top: Faust takes half a second to import, and --help should not wait for it.
    from pop_stream.stream.worker import run_worker  # noqa: PLC0415

    return run_worker(settings)
