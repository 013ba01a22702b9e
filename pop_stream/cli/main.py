"""The command `pop-stream`: its table of commands, its error boundary, its exit codes.

Exit codes: 0 done, 1 the work failed or something is missing or lost, 2 wrong use or
configuration, 3 cannot reach Kafka, 130 interrupted. A command returns None or its exit code.
"""

import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any

import click

from pop_stream import __version__
from pop_stream.cli.lazy import LazyCommand, LazyGroup
from pop_stream.errors import PopStreamError, SettingsError

COMMANDS = {
    "demo": LazyCommand(
        "pop_stream.cli.demo:demo", "Run the whole system here and account for every event."
    ),
    "worker": LazyCommand("pop_stream.cli.worker:worker", "Deliver events from Kafka to GSTV."),
    "kafka": LazyCommand("pop_stream.cli.kafka:kafka", "Run an Apache Kafka for development."),
    "topics": LazyCommand("pop_stream.cli.topics:topics", "Create and check the topics."),
    "gstv": LazyCommand("pop_stream.cli.gstv:gstv", "Stand in for GSTV."),
    "player": LazyCommand("pop_stream.cli.player:player", "Play the part of the players."),
    "config": LazyCommand("pop_stream.cli.config:config", "Show the settings in force."),
    "doctor": LazyCommand("pop_stream.cli.doctor:doctor", "Say what is wrong with this machine."),
}


@click.group(
    cls=LazyGroup,
    lazy=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Settings come from flags, POP_STREAM_* variables, .env or a TOML file: "
    "see `pop-stream config`.",
)
@click.version_option(__version__, message="pop-stream %(version)s")
def cli() -> None:
    r"""Deliver every proof-of-play event from Kafka to GSTV, and lose none.

    \b
    Example:
      pop-stream demo --events 3000
    """


def main(argv: Sequence[str] | None = None) -> None:
    """Run a command and end the process with its exit code."""
    code = run(sys.argv[1:] if argv is None else argv)
    sys.exit(code)


def run(argv: Sequence[str]) -> int:
    """Run a command; an error becomes one message on stderr and an exit code."""
    try:
        code = _exit_code(cli.main(args=list(argv), prog_name="pop-stream", standalone_mode=False))
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of stdout has seen enough. Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        return 130
    except PopStreamError as error:
        click.echo(describe(error), err=True)
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - the last one who can say what happened
        traceback.print_exc()
        click.echo(f"Error: unexpected {type(error).__name__}: this is a defect.", err=True)
        return 1
    return code


def describe(error: PopStreamError) -> str:
    """One message for people."""
    if isinstance(error, SettingsError):
        count = len(error.problems)
        head = "1 setting is wrong" if count == 1 else f"{count} settings are wrong"
        return "\n".join(
            [f"Error: {head}; nothing was started.", *(f"  - {line}" for line in error.problems)]
        )
    return f"Error: {str(error) or type(error).__doc__}"


def _exit_code(result: Any) -> int:
    return result if isinstance(result, int) else 0
