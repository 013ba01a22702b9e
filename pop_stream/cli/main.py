"""The command `pop-stream`: its table of commands, its error boundary, its exit codes.

Exit codes: 0 done, 1 the work failed or something is missing or lost, 2 wrong use or
configuration, 3 cannot reach Kafka, 130 interrupted. A command returns None or its exit code.
"""

import errno
import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import suppress

import click

from pop_stream.cli.lazy import LazyCommand, LazyGroup
from pop_stream.cli.streams import UnwrittenError, give_up, prepare_streams
from pop_stream.errors import PopStreamError, SettingsError, UsageError, why

PROGRAM = "pop-stream"
INTERRUPTED = 130
#: By this variable a shell asks for completions; click makes its name of the program's.
COMPLETE = "_POP_STREAM_COMPLETE"

COMMANDS = {
    "demo": LazyCommand(
        "pop_stream.cli.demo:demo", "Run the whole system here and account for every event."
    ),
    "worker": LazyCommand(
        "pop_stream.cli.worker:worker", "Deliver events from Kafka to GSTV, and lose none."
    ),
    "kafka": LazyCommand("pop_stream.cli.kafka:kafka", "Run an Apache Kafka for development."),
    "topics": LazyCommand(
        "pop_stream.cli.topics:topics",
        "Create and check the topics, and say who needs which rights.",
    ),
    "gstv": LazyCommand("pop_stream.cli.gstv:gstv", "Stand in for GSTV."),
    "player": LazyCommand(
        "pop_stream.cli.player:player",
        "Write plays down, send them, and look after the outbox that keeps them meanwhile.",
    ),
    "events": LazyCommand(
        "pop_stream.cli.events:events",
        "Find, export, count and replay events, without disturbing the workers.",
    ),
    "explain": LazyCommand(
        "pop_stream.cli.explain:explain",
        "Say what became of an event, where it is now, and what happens next.",
    ),
    "audit": LazyCommand(
        "pop_stream.cli.audit:audit",
        "Account for every offset of the players' topic, and name those without an outcome.",
    ),
    "reconcile": LazyCommand(
        "pop_stream.cli.reconcile:reconcile",
        "Compare what was delivered with GSTV's file, with insertion orders, and with playlists.",
    ),
    "failures": LazyCommand(
        "pop_stream.cli.failures:failures", "Decide what becomes of parked events."
    ),
    "status": LazyCommand(
        "pop_stream.cli.status:status",
        "Say what is going on: GSTV, the backlog, and when it will be done.",
    ),
    "watch": LazyCommand(
        "pop_stream.cli.watch:watch",
        "Show what is owed, how old it is, and how long it is kept.",
    ),
    "metrics": LazyCommand(
        "pop_stream.cli.metrics:metrics", "List the metrics of workers and of the watch."
    ),
    "config": LazyCommand("pop_stream.cli.config:config", "Show the settings in force."),
    "doctor": LazyCommand("pop_stream.cli.doctor:doctor", "Say what is wrong with this machine."),
    "completion": LazyCommand(
        "pop_stream.cli.completion:completion",
        "Print the script that completes commands, flags and files with the Tab key.",
    ),
}


@click.group(
    cls=LazyGroup,
    lazy=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""Settings come from flags, POP_STREAM_* variables, .env or a TOML file: see
    `pop-stream config`. `pop-stream COMMAND --help` shows examples.

    Exit codes: 0 done; 1 the work failed, or something is missing or lost; 2 wrong use or
    configuration; 3 Kafka cannot be reached; 130 interrupted.""",
)
# By the package's name: to ask for the version takes a third of the time of a help.
@click.version_option(package_name=PROGRAM, message="pop-stream %(version)s")
def cli() -> None:
    r"""Deliver every proof-of-play event from Kafka to GSTV, and lose none.

    \b
    Example:
      pop-stream demo --events 3000
      pop-stream events search --help
    """


def main(argv: Sequence[str] | None = None) -> None:
    """Run a command and end the process with its exit code."""
    prepare_streams()
    code = run(sys.argv[1:] if argv is None else argv)
    try:
        sys.stderr.flush()
    except UnwrittenError:
        give_up(sys.stderr)
    sys.exit(code)


def run(argv: Sequence[str]) -> int:
    """Run a command; an error becomes one message on stderr and an exit code."""
    try:
        code = _ending(argv)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return INTERRUPTED
    except UnwrittenError as error:
        return _report_unwritten(error)
    return code


def _ending(argv: Sequence[str]) -> int:
    try:
        _require_text(argv)
        return _invoke(argv)
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as error:
        if isinstance(error, click.NoSuchOption):
            _tell_of_secrets(error)
        error.show()
        return error.exit_code
    except click.Abort:
        return INTERRUPTED
    except UnwrittenError:
        raise
    except Exception as error:  # noqa: BLE001 - the last one who can say what happened
        return _report(error)


def describe(error: PopStreamError) -> str:
    """One message for people."""
    if isinstance(error, SettingsError):
        count = len(error.problems)
        head = "1 setting is wrong" if count == 1 else f"{count} settings are wrong"
        return "\n".join(
            [f"Error: {head}; nothing was started.", *(f"  - {line}" for line in error.problems)]
        )
    return f"Error: {str(error) or type(error).__doc__}"


def _invoke(argv: Sequence[str]) -> int:
    # Not cli.main(): that ends quietly at any broken pipe, also at one to Kafka or GSTV.
    if COMPLETE in os.environ:
        return _complete()
    with cli.make_context(PROGRAM, list(argv)) as context:
        result = cli.invoke(context)
    return result if isinstance(result, int) else 0


def _tell_of_secrets(error: click.NoSuchOption) -> None:
    # Not at the top: --help needs no setting.
    from pop_stream.settings import SETTINGS  # noqa: PLC0415

    for setting in SETTINGS.values():
        if setting.secret and setting.flag == error.option_name:
            error.possibilities = None
            error.message += (
                ": what stands on a command line is seen by every user of the machine. Set "
                f"{setting.variable}, or {setting.variable}_FILE to the name of a file"
            )


def _require_text(argv: Sequence[str]) -> None:
    """Raises UsageError for bytes that are no text: no name, id or path that we write has such."""
    for each in argv:
        try:
            each.encode()
        except UnicodeEncodeError as error:
            raise UsageError(f"{each!a} is not text in UTF-8: write it anew") from error


def _complete() -> int:
    """Complete for a shell. A message would stand within the line that is typed: there is none."""
    with suppress(PopStreamError, click.ClickException):
        cli.main(prog_name=PROGRAM)
    return 1


def _report(error: Exception) -> int:
    known = list(_pop_stream_errors(error))
    if known:
        click.echo("\n".join(map(describe, known)), err=True)
        return known[0].exit_code
    traceback.print_exception(error)
    click.echo(
        f"Error: unexpected {type(error).__name__}: this is a defect. Please tell us, with the "
        "lines above and the command.",
        err=True,
    )
    return 1


def _report_unwritten(error: UnwrittenError) -> int:
    give_up(sys.stdout)
    # A reader that has seen enough is no error.
    if error.errno != errno.EPIPE:
        with suppress(UnwrittenError):
            click.echo(
                f"Error: what was printed could not be written ({why(error)}): it is not all "
                "there. Make room, or write it elsewhere, and give the command again.",
                err=True,
            )
    return 1


def _pop_stream_errors(error: Exception) -> Iterator[PopStreamError]:
    """Give the errors raised on purpose; none if any other is among them."""
    if isinstance(error, PopStreamError):
        yield error
    elif isinstance(error, ExceptionGroup) and error.split(PopStreamError)[1] is None:
        for each in error.exceptions:
            yield from _pop_stream_errors(each)
