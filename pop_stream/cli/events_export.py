"""`pop-stream events export`: events as files, with a manifest."""

from pathlib import Path
from typing import Any

import click

from pop_stream.analysis.export.formats import FORMATS
from pop_stream.analysis.export.manifest import MANIFEST, differences, read_manifest
from pop_stream.analysis.export.order import Order
from pop_stream.analysis.export.run import exporting, finished_export
from pop_stream.analysis.scan import Topics
from pop_stream.cli.output import print_json, print_table
from pop_stream.cli.scan_progress import Style, progress_option, telling
from pop_stream.cli.selection_options import SETTINGS, Asked, with_selection
from pop_stream.cli.settings_options import with_settings
from pop_stream.cli.value_types import ANY_PATH
from pop_stream.errors import UsageError
from pop_stream.settings import Settings


@click.command()
@click.option("--format", "form", type=click.Choice(list(FORMATS)), help="The form of the files.")
@click.option("--to", "folder", type=ANY_PATH, metavar="FOLDER",
              help="Where the files are put: a new or empty folder, or that of an export that was "
                   "interrupted.")  # fmt: skip
@click.option("--by-day", is_flag=True,
              help="One file for each day of play, as day=2026-11-20/; what tells no day is in "
                   "day=unknown/.")  # fmt: skip
@click.option("--verify", "verified", type=ANY_PATH, metavar="FOLDER",
              help="Export nothing: compare the files of a folder with its manifest.")  # fmt: skip
@with_selection(default=("events",))
@click.option("--json", "as_json", is_flag=True, help="Print the manifest, or what differs.")
@progress_option
@with_settings(*SETTINGS)
def export(  # noqa: PLR0913 - a flag each
    *,
    settings: Settings,
    asked: Asked,
    form: str | None,
    folder: Path | None,
    by_day: bool,
    verified: Path | None,
    as_json: bool,
    progress_style: Style,
) -> int:
    r"""Export events to Parquet, CSV or NDJSON files, with a manifest.

    An export that was killed goes on where it was when the same command is given again, and ends
    with the same files. Prints the path, events, bytes and SHA-256 of each file; manifest.json
    has the same, what was asked for, and which offsets were read.

    In CSV a text that a spreadsheet would take for a formula has a ' in front (docs/analysts.md).

    \b
    Example:
      pop-stream events export --format parquet --to plays --day 2026-11-20
      pop-stream events export --format csv --to refused --topic failure \
        --where reason=rejected
      pop-stream events export --format ndjson --by-day --to november \
        --played-from 2026-11-01
      pop-stream events export --verify plays
    """
    if verified is not None:
        if folder is not None or form is not None:
            raise UsageError("give either --verify FOLDER, or --format and --to")
        return _verify(verified, as_json=as_json)
    if folder is None or form is None:
        raise UsageError("say which --format, and --to which folder")
    order = _order(asked, settings, form=form, by_day=by_day)
    manifest = finished_export(order, folder)
    if manifest is None:
        manifest = _export(settings, order, folder, progress_style)
    else:
        click.echo(
            f"{folder} holds this export already, finished {manifest['finished']}; "
            "for what came later name another folder",
            err=True,
        )
    _print(manifest, folder, as_json=as_json)
    return 0


def _order(asked: Asked, settings: Settings, *, form: str, by_day: bool) -> Order:
    chosen = asked.of(settings)
    typed = click.get_current_context().params
    return Order(
        format=form,
        by_day=by_day,
        topics=dict(zip(asked.roles, chosen.topics, strict=True)),
        selection=chosen.selection,
        stored_as_typed=(typed["stored_from"], typed["stored_to"], typed["zone"])
        if typed["stored_from"] or typed["stored_to"]
        else (),
    )


def _export(settings: Settings, order: Order, folder: Path, style: Style) -> dict[str, Any]:
    try:
        with exporting(order, folder) as export, Topics(settings) as topics:
            if export.goes_on:
                click.echo(f"going on with the export in {folder}", err=True)
            with telling(style, "exporting") as told:
                export.read(topics, progress=told)
            with telling(style, "joining files") as told:
                return export.finish(progress=told)
    except KeyboardInterrupt:
        click.echo(
            f"\nInterrupted. The same command goes on where it was; what is done is in {folder}.",
            err=True,
        )
        raise


def _print(manifest: dict[str, Any], folder: Path, *, as_json: bool) -> None:
    if as_json:
        print_json(manifest)
    else:
        print_table(
            ("file", "events", "bytes", "sha256"),
            ((str(folder / each["path"]), str(each["rows"]), str(each["bytes"]), each["sha256"])
             for each in manifest["files"]),
        )  # fmt: skip
    records = sum(span["to"] - span["from"] for span in manifest["read"]["spans"])
    click.echo(
        f"{manifest['rows']:,} events of {records:,} records of "
        f"{', '.join(manifest['asked']['topics'].values())}: "
        f"{'; '.join(manifest['asked']['selection'])}. All of it is told in {folder / MANIFEST}",
        err=True,
    )


def _verify(folder: Path, *, as_json: bool) -> int:
    manifest = read_manifest(folder)
    found = [{"path": name, "wrong": wrong} for name, wrong in differences(folder, manifest)]
    if as_json:
        print_json({"folder": str(folder), "files": len(manifest["files"]), "wrong": found})
    else:
        print_table(("file", "wrong"), ((each["path"], each["wrong"]) for each in found))
    files, rows = len(manifest["files"]), manifest["rows"]
    click.echo(
        f"{len(found):,} of {files:,} files are not as the manifest tells" if found
        else f"all {files:,} files with {rows:,} events are as the manifest tells",
        err=True,
    )  # fmt: skip
    return 1 if found else 0
