"""`pop-stream player`: the players' side."""

import click

from pop_stream.cli.lazy import LazyCommand, LazyGroup

COMMANDS = {
    "simulate": LazyCommand(
        "pop_stream.cli.player_simulate:simulate", "Send the events of simulated screens to Kafka."
    ),
}


@click.group(cls=LazyGroup, lazy=COMMANDS)
def player() -> None:
    r"""Write plays down, send them, and look after the outbox that keeps them meanwhile.

    \b
    Example:
      pop-stream player send --outbox pops.outbox --from events.ndjson
      pop-stream player status --outbox pops.outbox
    """
