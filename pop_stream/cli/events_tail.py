"""`pop-stream events tail`: the last events, and then each that comes."""

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterable

import click
import orjson

from pop_stream.analysis.as_object import as_object
from pop_stream.analysis.event_view import EventView
from pop_stream.analysis.live import LOOKED_THROUGH, LiveTopics, Merge, last_of
from pop_stream.analysis.period import parse_zone
from pop_stream.analysis.roles import roles_of
from pop_stream.cli.selection_options import SETTINGS, Asked, with_selection
from pop_stream.cli.settings_options import with_settings
from pop_stream.cli.tail_line import TailLine
from pop_stream.settings import Settings

Write = Callable[[EventView], str | bytes]


@click.command()
@with_selection(default=("events", "retry", "failure"))
@click.option(
    "-n",
    "--lines",
    "count",
    type=click.IntRange(0, 10_000),
    default=20,
    show_default=True,
    metavar="N",
    help="Begin with the last N of them.",
)
@click.option(
    "--follow/--no-follow",
    "follows",
    default=True,
    show_default=True,
    help="Go on with those that come, or end after the last ones.",
)
@click.option(
    "--show-zone",
    default="UTC",
    show_default=True,
    metavar="ZONE",
    help="The zone in which times of storing are shown.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@with_settings(*SETTINGS)  # fmt: skip
def tail(
    *,
    settings: Settings,
    asked: Asked,
    count: int,
    follows: bool,
    show_zone: str,
    as_json: bool,
) -> None:
    r"""Show events as they come, of all topics in the order in which they were stored.

    Each with when it was stored, its topic, screen and file, what was said of it, its id and place.
    On a terminal lines are cut to its width. Ends with Ctrl-C, exit code 130.

    \b
    Example:
      pop-stream events tail
      pop-stream events tail --topic failure --where reason=rejected -n 50
      pop-stream events tail --where siteId=1202 --json
      pop-stream events tail -n 5 --no-follow
    """
    chosen = asked.of(settings)
    write = _writer(settings, show_zone, as_json=as_json)
    test = chosen.selection.test()
    with LiveTopics(settings) as topics:
        spans = topics.spans(chosen.topics)
        last = last_of(topics, spans, chosen.selection, count)
        _print(last, write)
        looked = sum(span.end - span.begin for span in spans)
        if len(last) < count and any(s.end - s.begin > LOOKED_THROUGH for s in spans):
            click.echo(f"Only {len(last):,} of the last {LOOKED_THROUGH:,} records of each "
                       f"partition; `events search` looks through all {looked:,}.",
                       err=True)  # fmt: skip
        if not follows:
            return
        merge = Merge()
        for events in topics.follow(spans, wants=chosen.selection.glance()):
            now = time.monotonic()
            merge.add([event for event in events if test(event)], now)
            _print(merge.due(now), write)


def _writer(settings: Settings, zone: str, *, as_json: bool) -> Write:
    shown_in = parse_zone(zone)
    if as_json:
        return lambda event: orjson.dumps(as_object(event))
    is_terminal = sys.stdout.isatty()
    roles = roles_of(settings)
    line = TailLine(
        zone=shown_in,
        width=shutil.get_terminal_size().columns if is_terminal else None,
        is_coloured=is_terminal and "NO_COLOR" not in os.environ,
    )
    return lambda event: line.of(event, roles[event.topic])


def _print(events: Iterable[EventView], write: Write) -> None:
    for event in events:
        click.echo(write(event))
