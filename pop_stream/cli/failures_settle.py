"""`pop-stream failures settle`: marks parked events that were settled in another way."""

import asyncio
import getpass
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import click

from pop_stream.cli.output import print_json
from pop_stream.cli.settings_options import with_settings
from pop_stream.errors import PopStreamError, UsageError, why
from pop_stream.pop.identity import parse_pop_id
from pop_stream.pop.settlement import Settlement
from pop_stream.settings import Settings

_SHOWN = 5


@click.command()
@click.argument("pop_ids", nargs=-1, required=True, metavar="POP_ID...")
@click.option("--reason", required=True, metavar="TEXT", help="Why, for those who ask later.")
@click.option(
    "--operator", metavar="NAME", help="Who decided it. Defaults to the name of this login."
)
@click.option("--undo", is_flag=True, help="Take the marks back.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@with_settings("kafka_", "settled_topic")
def settle(
    *,
    settings: Settings,
    pop_ids: tuple[str, ...],
    reason: str,
    operator: str | None,
    undo: bool,
    as_json: bool,
) -> None:
    r"""Mark parked events as settled: workers send them back no more.

    For events that were settled in another way, such as an invoice written by hand. They stay on
    the failure topic. @FILE stands for the ids in a file, one a line; @- for those on stdin.

    A mark is known to the workers within seconds. What is on its way back already is attempted
    once more.

    \b
    Example:
      pop-stream failures settle 019af0c2-6b5e-7a51-9c0e-3f2b8d1c4e77 \
        --reason "credited, IO 4711"
      pop-stream failures settle @ids.txt --reason "screen was dark" \
        --operator kim
      pop-stream failures settle @ids.txt --reason "wrong list" --undo
    """
    # Not at the top: aiokafka takes its time to import, and --help should not wait for it.
    from pop_stream.kafka import settlements  # noqa: PLC0415

    if not reason.strip():
        raise UsageError("--reason is empty; nothing was marked: somebody will ask why")
    wanted = _parsed(_listed(pop_ids))
    mark = Settlement(
        settled=not undo,
        reason=reason,
        operator=operator or getpass.getuser(),
        at=datetime.now(UTC),
    )
    with click.progressbar(
        length=len(wanted), label="marking", file=sys.stderr, hidden=not sys.stderr.isatty()
    ) as bar:
        done = 0

        def progress(confirmed: int) -> None:
            nonlocal done
            bar.update(confirmed - done)
            done = confirmed

        try:
            asyncio.run(settlements.settle(settings, wanted, mark, progress=progress))
        except (KeyboardInterrupt, PopStreamError):
            if done:
                click.echo(
                    f"\n{done:,} of {len(wanted):,} are done. The same command does all of them.",
                    err=True,
                )
            raise
    if as_json:
        print_json({"settled": mark.settled, "events": len(wanted), "operator": mark.operator})
    else:
        events = "1 event" if len(wanted) == 1 else f"{len(wanted):,} events"
        click.echo(
            f"{events}: the mark is taken back." if undo else f"{events} marked as settled.",
            err=True,
        )


def _listed(given: Iterable[str]) -> Iterator[str]:
    for each in given:
        if not each.startswith("@"):
            yield each
            continue
        try:
            text = sys.stdin.read() if each == "@-" else Path(each[1:]).read_text("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{each}: cannot be read as a list of ids ({why(error)})") from error
        yield from text.split()


def _parsed(texts: Iterable[str]) -> list[str]:
    """Every id once, in order. Raises UsageError with those that are none, before any is marked."""
    parsed = {text: parse_pop_id(text.encode()) for text in texts}
    if wrong := [text for text, pop_id in parsed.items() if pop_id is None]:
        more = f" and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        shown = ", ".join(repr(text[:60]) for text in wrong[:_SHOWN])
        raise UsageError(f"not the form of a pop-id: {shown}{more}; nothing was marked")
    if not parsed:
        raise UsageError("the list has no ids; nothing was marked")
    return list(dict.fromkeys(pop_id for pop_id in parsed.values() if pop_id is not None))
