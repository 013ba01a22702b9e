"""`pop-stream events search`: finds events, one line each."""

import itertools

import click
import orjson

from pop_stream.analysis.as_object import as_line, as_object
from pop_stream.analysis.matching import matching
from pop_stream.analysis.scan import Topics
from pop_stream.cli.scan_progress import Style, progress_option, telling
from pop_stream.cli.selection_options import SETTINGS, Asked, with_selection
from pop_stream.cli.settings_options import with_settings
from pop_stream.settings import Settings


@click.command()
@with_selection(default=("events",))
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="End after so many.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@progress_option
@with_settings(*SETTINGS)
def search(
    *, settings: Settings, asked: Asked, limit: int | None, as_json: bool, progress_style: Style
) -> None:
    r"""Find events on the topics.

    Prints when each was played, its screen and file, what was said of it, its id and its place.
    What was asked for, and how many were found, is told on stderr.

    \b
    Example:
      pop-stream events search --where 'siteId=1202 filename~*.mp4' --day 2026-11-20
      pop-stream events search --topic failure --where reason=rejected --stored-from 2h --json
      pop-stream events search --where 'siteId=@sites.txt ioNumber!=' --limit 10
    """
    chosen, found = asked.of(settings), 0
    with Topics(settings) as topics, telling(progress_style, "searching") as told:
        spans = topics.spans(chosen.topics, chosen.selection.stored)
        hits = matching(topics, spans, chosen.selection, progress=told)
        for event in itertools.islice(hits, limit):
            click.echo(orjson.dumps(as_object(event)) if as_json else as_line(event))
            found += 1
    records = sum(span.end - span.begin for span in spans)
    click.echo(
        f"{found:,} found among {records:,} records of {', '.join(chosen.topics)}: "
        f"{'; '.join(chosen.selection.told())}",
        err=True,
    )
