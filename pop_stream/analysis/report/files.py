"""Writes a report: a folder of CSV, or one object of JSON."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import orjson

from pop_stream.analysis.csv_cell import formula_safe
from pop_stream.analysis.report.report import Report
from pop_stream.analysis.report.table import Cell, Table
from pop_stream.errors import WorkFailedError, why


def write_csv(folder: Path, tables: Iterable[Table]) -> None:
    """Write each table to a file of its own. Raises WorkFailedError when that cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for table in tables:
            path = folder / f"{table.name}.csv"
            with path.open("w", encoding="utf-8", errors="replace", newline="") as file:
                # Texts in quotes: an id is a text, also where it looks like a number.
                writer = csv.writer(file, quoting=csv.QUOTE_NONNUMERIC)
                writer.writerow([column.name for column in table.columns])
                writer.writerows(map(_safe, table.rows()))
    except OSError as error:
        raise WorkFailedError(f"--csv {folder}: cannot be written ({why(error)})") from error


def _safe(row: Sequence[Cell]) -> list[Cell]:
    return [formula_safe(cell) if isinstance(cell, str) else cell for cell in row]


def json_pieces(report: Report, tables: Iterable[Table]) -> Iterator[str]:
    """One object of JSON, in pieces: it may be larger than memory."""
    head = orjson.dumps(about(report)).decode()
    yield f'{head[:-1]},"tables":{{'
    for number, table in enumerate(tables):
        yield f'{"," if number else ""}"{table.name}":['
        names = [column.name for column in table.columns]
        for at, row in enumerate(table.rows()):
            one = orjson.dumps(dict(zip(names, row, strict=True))).decode()
            yield f",{one}" if at else one
        yield "]"
    yield "}}"


def about(report: Report) -> dict[str, object]:
    """What the report is of."""
    return {
        "madeAt": report.made_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "source": report.source.name,
        "asked": list(report.asked),
        "zones": report.zones.told(),
        "gapSeconds": report.gap_seconds,
        "balanced": report.is_balanced,
        "plays": report.counted.plays,
        "airtimeSeconds": report.counted.seconds,
    }
