"""`pop-stream player check`: whether a player's events are as the contract wants them."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from pop_stream.cli.output import print_json, print_table
from pop_stream.cli.player_progress import telling
from pop_stream.cli.settings_options import with_settings
from pop_stream.cli.value_types import FILE
from pop_stream.errors import UsageError
from pop_stream.player.checking.check import Check, Tally, Verdict
from pop_stream.player.checking.file import evidence_of_file
from pop_stream.player.checking.rules import Level
from pop_stream.pop.event import Rules
from pop_stream.pop.play_times import latest_local_time
from pop_stream.settings import Settings


@click.command()
@click.option("--topic", metavar="TOPIC", help="Read the events of this topic, from its beginning "
                                               "to where it ends now.")  # fmt: skip
@click.option("--file", "file", type=FILE, metavar="FILE",
              help="Read a file: what `events search --json` printed, or one event a line. Of bare "
                   "events the rules for keys and headers are not checked.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@with_settings("kafka_", "max_event_bytes", "max_overlong_seconds")
def check(*, settings: Settings, topic: str | None, file: Path | None, as_json: bool) -> int:
    r"""Check a player's events against every rule that pop-stream has for them.

    For players of others, before they go to the pumps, and in their tests. Prints each rule, how
    often it is broken, and where for the first time. What is odd but possible is counted and is
    no fault. Ids are compared exactly, with a file on the disk that takes about 150 bytes an
    event (TMPDIR says where). An event that comes again under its old id is no fault either.

    The exit code is 1 when a rule is broken, and when there was no event.

    \b
    Example:
      pop-stream player check --topic pop-events-trial
      pop-stream player check --file events.ndjson --json
    """
    if (topic is None) == (file is None):
        raise UsageError("give either --topic or --file")
    if topic == "":
        raise UsageError("--topic is empty; write the topic's name")
    rules = Rules(
        max_bytes=settings.max_event_bytes,
        overlong=timedelta(seconds=settings.max_overlong_seconds),
    )
    with (
        Check(rules=rules, latest=latest_local_time(datetime.now(UTC))) as checked,
        telling("checking") as told,
    ):
        if file is not None:
            for evidence in evidence_of_file(file, told):
                checked.take(evidence)
        elif topic is not None:
            _read_topic(settings, topic, checked, told)
        verdict = checked.verdict()
    _print(verdict, topic or str(file), as_json=as_json)
    return 0 if verdict.conforms else 1


def _read_topic(
    settings: Settings, topic: str, checked: Check, told: Callable[[int, int], None]
) -> None:
    # Not at the top: aiokafka takes its time to import, and a file needs none of it.
    from pop_stream.player.checking.topic import read_evidence  # noqa: PLC0415

    asyncio.run(read_evidence(settings, topic, checked.take, told))


def _print(verdict: Verdict, source: str, *, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "source": source,
                "conforms": verdict.conforms,
                "events": verdict.events,
                "repeats": verdict.repeats,
                "replayed": verdict.replayed,
                "rules": [_as_object(each) for each in verdict.tallies],
            }
        )
    else:
        print_table(
            ("rule", "what", "broken", "first example"),
            ((each.rule.name, each.rule.asks, _broken(each), _example(each))
             for each in verdict.tallies),
        )  # fmt: skip
    click.echo(_verdict(verdict, source), err=True)


def _verdict(verdict: Verdict, source: str) -> str:
    further = "".join(
        f", {number:,} {what}"
        for number, what in ((verdict.repeats, "of them repeats"),
                             (verdict.replayed, "others replayed by pop-stream"))
        if number
    )  # fmt: skip
    head = f"{source}: {verdict.events:,} events{further}: "
    unchecked = sum(not each.is_checked for each in verdict.tallies)
    rest = f"; {unchecked} rules could not be checked" if unchecked and verdict.events else ""
    if not verdict.events:
        return head + "there is nothing to judge"
    if verdict.conforms:
        return head + "no rule is broken" + rest
    names = ", ".join(each.rule.name for each in verdict.broken)
    return head + f"broken: {names}" + rest


def _broken(tally: Tally) -> str:
    if not tally.is_checked:
        return "not checked"
    return f"{tally.broken} odd" if tally.rule.level is Level.ODD else f"{tally.broken}"


def _example(tally: Tally) -> str:
    return f"{tally.place}: {tally.reason}" if tally.broken else ""


def _as_object(tally: Tally) -> dict[str, object]:
    return {
        "rule": tally.rule.name,
        "what": tally.rule.asks,
        "level": str(tally.rule.level),
        "checked": tally.is_checked,
        "broken": tally.broken,
        "example": {"place": tally.place, "reason": tally.reason} if tally.broken else None,
    }
