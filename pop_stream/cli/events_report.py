"""`pop-stream events report`: what was played, counted."""

import itertools
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import click

from pop_stream.analysis.as_object import printable
from pop_stream.analysis.report.feed import require_files, survey_files, survey_topics, why_partial
from pop_stream.analysis.report.files import json_pieces, write_csv
from pop_stream.analysis.report.page import write_page
from pop_stream.analysis.report.play import Reader
from pop_stream.analysis.report.report import Report
from pop_stream.analysis.report.spill import Spill
from pop_stream.analysis.report.survey import Survey
from pop_stream.analysis.report.table import Table
from pop_stream.analysis.report.tables import tables
from pop_stream.cli.output import print_columns, print_table
from pop_stream.cli.report_options import Wanted, with_report_options
from pop_stream.cli.scan_progress import Style, progress_option, telling
from pop_stream.cli.selection_options import SETTINGS, Asked, with_selection
from pop_stream.cli.settings_options import with_settings
from pop_stream.errors import WorkFailedError
from pop_stream.pop.event import Rules
from pop_stream.settings import Settings

_TOPICS = ("events", "retry", "failure")


@click.command()
@with_selection(default=("events",), topics=_TOPICS)
@with_report_options
@progress_option
@with_settings(*SETTINGS, "max_event_bytes", "max_overlong_seconds")
def report(*, settings: Settings, asked: Asked, wanted: Wanted, progress_style: Style) -> None:
    r"""Count what was played: by asset, order, site, screen, hour and day, and what is odd.

    A play counts in the hour in which it starts, its airtime in the hours in which it was. Hours
    are those of the site's own clock, and those of UTC where its zone is known. The first table
    says what became of every record that was read; its lines sum up.

    Gaps and the completeness of days are told when whole screens are selected, and so are the
    plays that players declare lost. For a day to be final, what came after it must be read too:
    --day leaves nothing out that is needed for that.

    Memory grows with the number of assets, orders, sites, screens and hours, never with that of
    events; what has to be sorted is in a temporary file of some 200 bytes for each play (TMPDIR).

    \b
    Example:
      pop-stream events report --day 2026-11-20 --site-zone America/Chicago \
        --html report.html
      pop-stream events report --where 'siteId=@sites.txt' --sites zones.csv \
        --csv november
      pop-stream events report --topic failure --stored-from 1d
      pop-stream events report --from kept.ndjson --json
    """
    require_files(wanted.files)
    made = _survey(settings, asked, wanted, progress_style)
    shown = tables(made)
    if wanted.csv is not None:
        write_csv(wanted.csv, shown)
        click.echo(f"{len(shown)} tables written to {wanted.csv}", err=True)
    if wanted.html is not None:
        write_page(wanted.html, made, shown)
        click.echo(f"page written to {wanted.html}", err=True)
    if wanted.as_json:
        for piece in json_pieces(made, shown):
            click.echo(piece, nl=False)
        click.echo()
    else:
        _print(shown, wanted.top)
    counted = made.counted
    click.echo(
        f"{counted.plays:,} plays among {made.source.places:,} {made.source.unit} of "
        f"{made.source.name}: {'; '.join(made.asked)}; zones: {made.zones.told()}",
        err=True,
    )
    if not made.is_balanced:
        raise WorkFailedError("the sums of the report do not agree: it is wrong; please tell us")


def _survey(settings: Settings, asked: Asked, wanted: Wanted, style: Style) -> Report:
    chosen, now = asked.of(settings), datetime.now(UTC)
    selection = chosen.selection
    rules = Rules(
        max_bytes=settings.max_event_bytes,
        overlong=timedelta(seconds=settings.max_overlong_seconds),
    )
    reader = Reader(rules=rules, zones=wanted.zones, period=selection.played, now=now)
    with Spill() as spill, telling(style, "reading") as told:
        survey = Survey(reader, spill)
        if wanted.files:
            source = survey_files(settings, wanted.files, selection, survey, told)
        else:
            source = survey_topics(settings, chosen.topics, selection, survey, told)
        counted = survey.finish(gap_seconds=wanted.gap_seconds)
    topics = () if wanted.files else chosen.topics
    return Report(
        source=source,
        asked=selection.told(),
        period=selection.played,
        zones=wanted.zones,
        gap_seconds=wanted.gap_seconds,
        counted=counted,
        made_at=now,
        is_partial_because=why_partial(selection, topics, settings.events_topic),
    )


def _print(shown: Sequence[Table], top: int) -> None:
    """Tables on a terminal; elsewhere all rows, each with its table's name before it."""
    if sys.stdout.isatty():
        for table in shown:
            if not table.is_for_programs:
                _print_for_people(table, top)
        return
    for table in shown:
        print_columns(
            (table.name, *(printable("" if cell is None else str(cell)) for cell in row))
            for row in table.rows()
        )


def _print_for_people(table: Table, top: int) -> None:
    every = table.said()
    rows = [tuple(map(printable, row)) for row in itertools.islice(every, top or None)]
    more = sum(1 for _ in every)
    click.echo()
    click.secho(table.title, bold=True)
    if not rows:
        click.echo("none")
        return
    print_table([column.head for column in table.columns], rows)
    if more:
        click.echo(f"and {more:,} more: --top 0 shows all, --csv and --json hold all")
    if table.note:
        click.echo(table.note)
