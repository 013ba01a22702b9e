"""`pop-stream explain`: the life of one event."""

import math
import time
from collections.abc import Mapping, Sequence

import click
import orjson

from pop_stream.analysis.audit.commits import read_commits
from pop_stream.analysis.life.life import Life, lives_of
from pop_stream.analysis.life.life_told import life_as_lines, life_as_object
from pop_stream.analysis.life.lives import MOST_RECORDS, Searched, find_records
from pop_stream.analysis.life.receipted import find_receipts
from pop_stream.analysis.life.retention import read_retention
from pop_stream.analysis.life.standing import Circumstances, standings_of
from pop_stream.analysis.roles import roles_of
from pop_stream.analysis.scan import Topics
from pop_stream.cli.scan_progress import Style, progress_option, telling
from pop_stream.cli.selection_options import SETTINGS, parse_pop_ids
from pop_stream.cli.settings_options import with_settings
from pop_stream.errors import UsageError
from pop_stream.settings import Settings
from pop_stream.watch.figures import full_moment, span


@click.command()
@click.argument("pop_ids", nargs=-1, required=True, metavar="POP_ID...")
@click.option(
    "--whole",
    "is_whole",
    is_flag=True,
    help="Search all that the topics keep, and not only from the time in the id on.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@progress_option
@with_settings(*SETTINGS, "settled_topic", "receipts_topic", "group", "auto_redrive",
               "auto_redrive_reasons")  # fmt: skip
def explain(
    *,
    settings: Settings,
    pop_ids: tuple[str, ...],
    is_whole: bool,
    as_json: bool,
    progress_style: Style,
) -> int:
    r"""Say what became of an event, where it is now, and what happens next.

    @FILE stands for the ids in a file, one a line. What is proven by the topics and the group's
    commits, and what is inferred from them, is told apart. Exit code 1: an id is found nowhere.

    \b
    Example:
      pop-stream explain 019af0c2-6b5e-7a51-9c0e-3f2b8d1c4e77
      pop-stream explain @ids.txt --json
    """
    wanted = parse_pop_ids(pop_ids, option="POP_ID")
    if not wanted:
        raise UsageError("the list has no ids")
    roles = roles_of(settings)
    # First: what is committed by then has left all that it will ever leave on other topics.
    commits = read_commits(settings)
    with Topics(settings) as topics, telling(progress_style, "searching") as told:
        searched = find_records(topics, wanted, roles, is_whole=is_whole, progress=told,
                                note=lambda text: click.echo(text, err=True))  # fmt: skip
        receipts = find_receipts(topics, settings, wanted, since_ms=searched.since_ms,
                                 progress=told)  # fmt: skip
    lives = lives_of(sorted(wanted), searched.records, roles, receipts)
    around = Circumstances(commits=commits, now_ms=time.time_ns() // 1_000_000)
    for life in lives.values():
        if life.is_found:
            _print(life, around, as_json=as_json)
    missing = [life.pop_id for life in lives.values() if not life.is_found]
    if missing:
        _say_missing(missing, searched, read_retention(settings, tuple(roles)))
    if len(searched.records) >= MOST_RECORDS:
        click.echo(f"More than {MOST_RECORDS:,} records: not all of them are shown.", err=True)
    if searched.since_ms is not None:
        click.echo(
            f"Searched from {full_moment(searched.since_ms / 1000)} on, when the first id was "
            "minted, less an hour; --whole searches what is older, too.",
            err=True,
        )
    return 1 if missing else 0


def _print(life: Life, around: Circumstances, *, as_json: bool) -> None:
    standings = standings_of(life, around)
    if as_json:
        click.echo(orjson.dumps(life_as_object(life, standings)))
    else:
        click.echo("\n".join(life_as_lines(life, standings)))


def _say_missing(
    missing: Sequence[str], searched: Searched, retention: Mapping[str, float]
) -> None:
    for pop_id in missing:
        click.echo(f"{pop_id}: found nowhere.", err=True)
    click.echo("Searched was all that is kept of:", err=True)
    for topic in sorted({each.topic for each in searched.spans}):
        spans = [each for each in searched.spans if each.topic == topic]
        kept = retention.get(topic)
        keeps = "" if kept is None else ", kept " + ("for ever" if math.isinf(kept) else span(kept))
        places = ", ".join(f"{each.partition}: {each.begin}-{each.end}" for each in spans)
        click.echo(f"  {topic}{keeps}; offsets {places}", err=True)
    click.echo(
        "Either its player has not sent it yet, or it was sent without this id, or it was deleted "
        "after that time.",
        err=True,
    )
