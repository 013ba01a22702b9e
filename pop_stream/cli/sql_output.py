"""Prints what a query found: a table on a terminal, lines elsewhere, or JSON."""

import itertools
import json
import sys
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

import click
import orjson

from pop_stream.cli.output import print_table

#: A table's widths are known only when all its rows are.
_TABLE_ROWS = 1000


def print_rows(names: Sequence[str], rows: Iterator[Sequence[Any]], *, as_json: bool) -> None:
    """Print rows as they come; on a terminal the first thousand, as a table."""
    if as_json:
        keys = _keys(names)
        for row in rows:
            click.echo(orjson.dumps(dict(zip(keys, row, strict=True)), default=str))
    elif sys.stdout.isatty():
        shown = itertools.islice(rows, _TABLE_ROWS)
        print_table([_cell(name) for name in names], [[*map(_cell, row)] for row in shown])
        if next(rows, None) is not None:
            click.echo(
                f"These are the first {_TABLE_ROWS:,} rows; a pipe or --json gives all.", err=True
            )
    else:
        for row in rows:
            click.echo("\t".join(map(_cell, row)))


def _keys(names: Sequence[str]) -> list[str]:
    """Each name once: an object of JSON has no room for two that are equal."""
    seen: dict[str, int] = {}
    keys = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        keys.append(name if seen[name] == 1 else f"{name}_{seen[name]}")
    return keys


def _cell(value: Any) -> str:
    """A value on one line, which neither breaks columns nor moves a terminal's cursor."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, datetime | date):
        return value.isoformat(" ") if isinstance(value, datetime) else value.isoformat()
    if isinstance(value, list | dict):
        value = json.dumps(value, ensure_ascii=False, default=str)
    text = str(value)
    if text.isprintable() and "\\" not in text:
        return text
    return "".join(
        c if c.isprintable() and c != "\\" else c.encode("unicode_escape").decode() for c in text
    )
