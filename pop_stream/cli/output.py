"""What commands print on stdout: a table for people, columns for programs, or JSON."""

import json
import sys
from collections.abc import Iterable, Sequence

import click


def print_json(value: object) -> None:
    """Print one JSON value, indented on a terminal."""
    click.echo(json.dumps(value, indent=2 if sys.stdout.isatty() else None, default=str))


def as_json_text(value: object) -> str:
    """One JSON value as the content of a file, for people to read, too."""
    return json.dumps(value, indent=1, default=str) + "\n"


def print_columns(rows: Iterable[Sequence[str]]) -> None:
    """Print tab-separated lines, without a header."""
    for row in rows:
        click.echo("\t".join(row))


def print_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table on a terminal, and tab-separated lines without a header elsewhere."""
    if not sys.stdout.isatty():
        print_columns(rows)
        return
    # Not at the top: rich takes a tenth of a second to import, and a pipe needs none of it.
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in header:
        table.add_column(name, overflow="fold", no_wrap=name == header[0])
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)
