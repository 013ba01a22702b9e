"""`pop-stream failures`: what becomes of parked events."""

import click

from pop_stream.cli.lazy import LazyCommand, LazyGroup

COMMANDS = {
    "list": LazyCommand(
        "pop_stream.cli.failures_list:list_", "List the parked events that still wait."
    ),
    "summary": LazyCommand(
        "pop_stream.cli.failures_summary:summary",
        "Count parked events: by how it stands with them, and those that wait by kind.",
    ),
    "redrive": LazyCommand(
        "pop_stream.cli.failures_redrive:redrive",
        "Send parked events back to be delivered: tells first, and runs only a plan.",
    ),
    "settle": LazyCommand(
        "pop_stream.cli.failures_settle:settle",
        "Mark parked events as settled: workers send them back no more.",
    ),
}


@click.group(cls=LazyGroup, lazy=COMMANDS)
def failures() -> None:
    r"""Decide what becomes of parked events.

    \b
    Example:
      pop-stream failures summary
      pop-stream failures redrive --where reason=rejected --plan fixed.json \
        --reason "GSTV fixed it"
      pop-stream failures redrive run fixed.json
    """
