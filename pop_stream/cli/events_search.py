"""`pop-stream events search`: finds events, one line each."""

import click

from pop_stream.analysis.matching import matching
from pop_stream.analysis.scan import Topics
from pop_stream.cli.event_lines import print_events, tell_found
from pop_stream.cli.scan_progress import Style, progress_option, telling
from pop_stream.cli.selection_options import SETTINGS, Asked, with_selection
from pop_stream.cli.settings_options import with_settings
from pop_stream.cli.value_types import Whole
from pop_stream.settings import Settings


@click.command()
@with_selection(default=("events",))
@click.option("--limit", type=Whole(1), metavar="N", help="End after so many.")
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
      pop-stream events search --where 'siteId=1202 filename~*.mp4' \
        --day 2026-11-20
      pop-stream events search --topic failure --where reason=rejected \
        --stored-from 2h --json
      pop-stream events search --where 'siteId=@sites.txt ioNumber!=' --limit 10
    """
    chosen = asked.of(settings)
    with Topics(settings) as topics, telling(progress_style, "searching") as told:
        spans = topics.spans(chosen.topics, chosen.selection.stored)
        hits = matching(topics, spans, chosen.selection, progress=told)
        found = print_events(hits, limit=limit, as_json=as_json)
    tell_found(f"{found:,} found", spans, chosen)
