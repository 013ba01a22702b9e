"""Events on stdout, one a line, and on stderr what they are of."""

import itertools
from collections.abc import Iterable, Sequence

import click
import orjson

from pop_stream.analysis.as_object import as_line, as_object
from pop_stream.analysis.event_view import EventView
from pop_stream.analysis.scan import Span
from pop_stream.cli.selection_options import Chosen


def print_events(events: Iterable[EventView], *, limit: int | None, as_json: bool) -> int:
    """Print the first of them, as lines for people or as JSON; how many they were."""
    printed = 0
    for event in itertools.islice(events, limit):
        click.echo(orjson.dumps(as_object(event)) if as_json else as_line(event))
        printed += 1
    return printed


def tell_found(found: str, spans: Sequence[Span], chosen: Chosen) -> None:
    """Say what was found, among how many records, and what was asked for."""
    records = sum(span.end - span.begin for span in spans)
    click.echo(
        f"{found} among {records:,} records of {', '.join(chosen.topics)}: "
        f"{'; '.join(chosen.selection.told())}",
        err=True,
    )
