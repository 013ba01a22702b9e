"""`pop-stream reconcile`: our side against GSTV's, against orders, and against playlists."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import click

from pop_stream.analysis.csv_files import WriteRow, csv_files
from pop_stream.analysis.reconcile import reconciling
from pop_stream.analysis.reconcile.orders import read_orders
from pop_stream.analysis.reconcile.playlists import read_playlists
from pop_stream.analysis.reconcile.reconciling import HEADERS, Theirs, Wanted
from pop_stream.analysis.reconcile.sides import parse_columns
from pop_stream.cli.output import print_json
from pop_stream.cli.reconcile_report import as_object, print_found
from pop_stream.cli.scan_progress import Style, progress_option, telling
from pop_stream.cli.selection_options import SETTINGS, Asked, with_selection
from pop_stream.cli.settings_options import with_settings
from pop_stream.cli.value_types import FILE, FOLDER
from pop_stream.errors import UsageError
from pop_stream.settings import Settings


@click.command()
@click.option(
    "--theirs",
    type=FILE,
    metavar="FILE",
    help="GSTV's side: CSV with a header, NDJSON, or ids one a line.",
)
@click.option(
    "--key",
    type=click.Choice(["id", "play"]),
    default="id",
    show_default=True,
    help="What tells that two rows are one play: the pop-id; or site, screen, asset and "
    "start, where GSTV has no ids.",
)
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="NAME=COLUMN",
    help="With --theirs: the column that holds a field, or popId, under another name; "
    "may be repeated.",
)
@click.option(
    "--orders",
    "orders_file",
    type=FILE,
    metavar="FILE",
    help="Insertion orders: CSV with ioNumber, from, to, plays, and where wanted assetId "
    "and sites (several with spaces or semicolons; none or * for all).",
)
@click.option(
    "--playlist",
    "playlist_files",
    type=FILE,
    multiple=True,
    metavar="FILE",
    help="A playlist as GSTV publishes it; may be repeated.",
)
@click.option(
    "--from",
    "ours",
    type=FILE,
    metavar="FILE",
    help="Our side from a file of `events search --json`, instead of the topics.",
)
@click.option(
    "--as-of",
    metavar="TIME",
    help="Look at orders as at this time of their sites. Defaults to now in UTC.",
)
@click.option(
    "--csv",
    "folder",
    type=FOLDER,
    metavar="FOLDER",
    help="Write every difference there, a file for each kind.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@progress_option
@with_selection(default=("events",), topics=("events",))
@with_settings(*SETTINGS, "settled_topic", "group", "auto_redrive")  # fmt: skip
def reconcile(  # noqa: PLR0913 - each is a flag
    *,
    settings: Settings,
    asked: Asked,
    theirs: Path | None,
    key: Literal["id", "play"],
    columns: tuple[str, ...],
    orders_file: Path | None,
    playlist_files: tuple[Path, ...],
    ours: Path | None,
    as_of: str | None,
    folder: Path | None,
    as_json: bool,
    progress_style: Style,
) -> int:
    r"""Compare what was delivered with GSTV's file, with insertion orders, and with playlists.

    Our side is what counts as delivered by the rules of `audit`, each event once. Of GSTV's file
    the fields that it has are compared. Exit code 1: something differs, an order that is over is
    short, or a play was outside its playlist.

    \b
    Example:
      pop-stream reconcile --theirs gstv.csv --day 2026-11-20 --csv differences
      pop-stream reconcile --theirs gstv.csv --key play --column siteId=Site
      pop-stream reconcile --orders orders.csv --playlist playlist.json \
        --stored-from 30d
    """
    if theirs is None and orders_file is None and not playlist_files:
        raise UsageError("there is nothing to compare with: give --theirs, --orders or --playlist")
    selection = asked.selection
    if ours is not None and (selection.conditions or selection.stored or selection.pop_ids):
        raise UsageError("of --from, only --day, --played-from and --played-to choose a part")
    moment = _time(as_of)
    wanted = Wanted(
        ours=ours,
        selection=selection,
        theirs=None if theirs is None else Theirs(theirs, key, parse_columns(columns)),
        orders=None if orders_file is None else read_orders(orders_file),
        playlists=read_playlists(playlist_files) if playlist_files else None,
        as_of=moment,
    )
    with _differences(folder) as write:
        found = reconciling.run(
            settings, wanted, write, stage=lambda label: telling(progress_style, label)
        )
    if as_json:
        print_json(as_object(found))
    else:
        print_found(found)
    for doubt in () if found.audit is None else found.audit.doubts:
        click.echo(f"DOUBT about our side: {doubt.text}", err=True)
    return 1 if found.needs_acting else 0


@contextmanager
def _differences(folder: Path | None) -> Iterator[WriteRow]:
    if folder is None:
        yield lambda *_: None
        return
    with csv_files(folder, HEADERS) as write:
        yield write


def _time(text: str | None) -> datetime:
    if text is None:
        return datetime.now(UTC).replace(tzinfo=None)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"--as-of {text!r} is no time: write 2026-11-20 or '2026-11-20 10:00'"
        ) from error
    if moment.tzinfo is not None:
        raise UsageError(f"--as-of {text!r}: give the time of the sites, without a zone")
    return moment
