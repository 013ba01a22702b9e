"""`pop-stream player`: the players' side."""

import click

from pop_stream.cli.lazy import LazyCommand, LazyGroup

COMMANDS = {
    "send": LazyCommand(
        "pop_stream.cli.player_send:send",
        "Tell of plays that were shown: they are kept in an outbox, or sent to Kafka.",
    ),
    "simulate": LazyCommand(
        "pop_stream.cli.player_simulate:simulate", "Send the events of simulated screens to Kafka."
    ),
    "drain": LazyCommand(
        "pop_stream.cli.player_drain:drain",
        "Send what an outbox holds to Kafka, oldest first with fresh plays in between.",
    ),
    "status": LazyCommand(
        "pop_stream.cli.player_status:status",
        "Say how an outbox stands: what waits and since when, what is lost, who records and sends.",
    ),
    "verify": LazyCommand(
        "pop_stream.cli.player_verify:verify",
        "Look at everything in an outbox, and name what is not as it was written.",
    ),
    "resend": LazyCommand(
        "pop_stream.cli.player_resend:resend",
        "Have plays wait again that Kafka has confirmed, or that were set aside.",
    ),
    "export": LazyCommand(
        "pop_stream.cli.player_export:export",
        "Write the plays that wait into a signed file, for a terminal without a network.",
    ),
    "import": LazyCommand(
        "pop_stream.cli.player_import:import_",
        "Send the plays of a file that `player export` wrote to Kafka.",
    ),
    "check": LazyCommand(
        "pop_stream.cli.player_check:check",
        "Check a player's events against every rule that pop-stream has for them.",
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
