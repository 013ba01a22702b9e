"""`pop-stream events query`: SQL over topics and over exported files."""

import tempfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import click

from pop_stream.analysis.export.manifest import read_manifest
from pop_stream.analysis.export.order import Order
from pop_stream.analysis.export.run import exporting
from pop_stream.analysis.query.closed_room import ClosedRoom
from pop_stream.analysis.query.statement import tables_of
from pop_stream.analysis.query.views import empty_table, view_of
from pop_stream.analysis.scan import Topics
from pop_stream.analysis.selection import Selection
from pop_stream.cli.scan_progress import Style, progress_option, telling
from pop_stream.cli.selection_options import SETTINGS, TOPICS, Asked, with_selection
from pop_stream.cli.settings_options import with_settings
from pop_stream.cli.sql_output import print_rows
from pop_stream.cli.value_types import ANY_PATH, Whole
from pop_stream.errors import UsageError, why
from pop_stream.settings import Settings

_LEAST_MEGABYTES = 64


class _Exported(NamedTuple):
    """A folder that holds an export."""

    folder: Path
    manifest: dict[str, Any]
    #: What can be asked; what the files do not hold is there without events.
    tables: Sequence[str]

    @property
    def files(self) -> list[Path]:
        return [(self.folder / each["path"]).resolve() for each in self.manifest["files"]]

    def view(self, role: str) -> str:
        asked = self.manifest["asked"]
        if role not in asked["topics"] or not self.files:
            return empty_table(role)
        return view_of(role, asked["topics"][role], asked["format"], self.files)


@click.command()
@click.argument("sql", metavar="SQL")
@click.option("--from", "folder", type=ANY_PATH, metavar="FOLDER",
              help="Ask the files of an export, and no topic.")  # fmt: skip
@with_selection(default=("events",), topics=("events",))
@click.option("--memory", "megabytes", type=Whole(_LEAST_MEGABYTES), default=128,
              show_default=True, metavar="MB",
              help="What the query may hold in memory; what is more is put on the disk.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@progress_option
@with_settings(*SETTINGS)
def query(  # noqa: PLR0913 - a flag each
    *,
    settings: Settings,
    asked: Asked,
    sql: str,
    folder: Path | None,
    megabytes: int,
    as_json: bool,
    progress_style: Style,
) -> None:
    r"""Ask events by SQL, on the topics or in exported files.

    The tables are events, retry, failure and notifications; DESCRIBE events tells the columns.
    Each topic that the SQL names is read into a temporary file first; the flags say which of its
    events. With --from an export is asked. SQL is that of DuckDB; it can only read. @FILE stands
    for the SQL in a file.

    \b
    Example:
      pop-stream events query 'SELECT siteId, count(*) FROM events GROUP BY ALL' \
        --day 2026-11-20
      pop-stream events query 'SELECT reason, count(*) FROM failure GROUP BY ALL'
      pop-stream events query @plays.sql --from plays --json
    """
    _require_place()
    sql = _read(sql)
    if folder is None:
        asked_of = _reading(settings, asked.selection, tables_of(sql, TOPICS), progress_style)
    elif asked.selection != Selection():
        raise UsageError("with --from say in the SQL which events are meant: WHERE ...")
    else:
        asked_of = _exported(folder, sql)
    with asked_of as exported, tempfile.TemporaryDirectory(prefix="pop-stream-spill-") as spill:
        views = [exported.view(role) for role in exported.tables]
        with ClosedRoom(views, exported.files, spill=Path(spill), megabytes=megabytes) as room:
            names, rows = room.ask(sql, exported.tables)
            print_rows(names, rows, as_json=as_json)


def _require_place() -> None:
    """Raises UsageError in a folder that was deleted: DuckDB does not start there."""
    try:
        Path.cwd()
    except OSError as error:
        raise UsageError(
            "the folder that this is called in is gone; go to another one, and call it again"
        ) from error


def _read(sql: str) -> str:
    if not sql.startswith("@"):
        return sql
    try:
        return Path(sql[1:]).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{sql}: cannot be read as SQL ({why(error)})") from error


@contextmanager
def _exported(folder: Path, sql: str) -> Iterator[_Exported]:
    manifest = read_manifest(folder)
    tables = list(manifest["asked"]["topics"])
    tables_of(sql, tables)
    yield _Exported(folder, manifest, tables)


@contextmanager
def _reading(
    settings: Settings, selection: Selection, tables: Collection[str], style: Style
) -> Iterator[_Exported]:
    """Read what the SQL needs into a folder that is gone afterwards."""
    roles = sorted(tables, key=TOPICS.index)
    names = Asked(tuple(roles), selection).of(settings).topics
    order = Order(
        format="parquet",
        by_day=False,
        topics=dict(zip(roles, names, strict=True)),
        selection=selection,
    )
    with tempfile.TemporaryDirectory(prefix="pop-stream-query-") as name:
        folder = Path(name)
        with exporting(order, folder) as export, Topics(settings) as topics:
            if roles:
                click.echo(f"reading {' and '.join(names)} into a temporary file", err=True)
            with telling(style, "reading") as told:
                export.read(topics, progress=told)
            manifest = export.finish()
        yield _Exported(folder, manifest, TOPICS)
