"""`pop-stream failures list`: the parked events that still wait."""

import click

from pop_stream.analysis.matching import matching
from pop_stream.analysis.parked.parked_now import ParkedNow
from pop_stream.analysis.parked.parking import OPEN
from pop_stream.analysis.replay.planning import part, since
from pop_stream.analysis.scan import Topics
from pop_stream.cli.event_lines import print_events, tell_found
from pop_stream.cli.plan_options import PARKED_SETTINGS
from pop_stream.cli.scan_progress import Style, progress_option, telling
from pop_stream.cli.selection_options import Asked, with_selection
from pop_stream.cli.settings_options import with_settings
from pop_stream.cli.value_types import Whole
from pop_stream.settings import Settings


@click.command("list")
@with_selection(default=("failure",), topics=("failure",))
@click.option("--limit", type=Whole(1), metavar="N", help="End after so many.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@progress_option
@with_settings(*PARKED_SETTINGS)
def list_(
    *, settings: Settings, asked: Asked, limit: int | None, as_json: bool, progress_style: Style
) -> None:
    r"""List the parked events that still wait.

    Of each event the latest record counts. Those that people have settled are left out, and those
    that were sent back and have not come back.

    \b
    Example:
      pop-stream failures list --where 'reason=rejected siteId=1202'
      pop-stream failures list --stored-from 2h --json
    """
    chosen, selection = asked.of(settings), asked.selection
    with (
        ParkedNow(settings) as parked,
        Topics(settings) as topics,
        telling(progress_style, "reading") as told,
    ):
        read = parked.read(part(told, 0, 2))
        spans = since(read, topics.spans(chosen.topics, selection.stored))
        hits = matching(topics, spans, selection, progress=part(told, 1, 2))
        waiting = (event for event in hits if parked.parking.state_of(event) in OPEN)
        listed = print_events(waiting, limit=limit, as_json=as_json)
    tell_found(f"{listed:,} waiting", read, chosen)
