"""Reads a file from GSTV's side: ids one a line, CSV with a header, or one JSON object a line."""

import csv
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import orjson

from pop_stream.analysis.lines import lines_of
from pop_stream.errors import UsageError, why
from pop_stream.pop.identity import parse_pop_id

#: What a column of ids may be called, in any case.
ID_NAMES = (
    "popid",
    "pop-id",
    "pop_id",
    "idempotency-key",
    "idempotencykey",
    "idempotency_key",
    "id",
)
_DELIMITERS = ",;\t|"


class Row(NamedTuple):
    """One line of a file."""

    #: From 1.
    number: int
    fields: Mapping[str, Any]

    def id(self, column: str | None) -> str | None:
        """Its pop-id; None when it has none. `column` None: under any of the usual names."""
        for name, value in self.fields.items():
            if name == column or (column is None and name.strip().lower() in ID_NAMES):
                text = value.strip().strip('"') if type(value) is str else ""
                if pop_id := parse_pop_id(text.encode("utf-8", "replace")):
                    return pop_id
        return None


def read_rows(path: Path) -> Iterator[Row]:
    """Read a file, whatever form it has. Raises UsageError that says what is wrong, and where."""
    try:
        # Not of one of its own dialects: a byte-order mark comes with many exports.
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = _first_line(file)
            file.seek(0)
            if first.lstrip().startswith("{"):
                yield from _objects(path, lines_of(file, path))
            elif parse_pop_id(first.strip().encode()) is not None:
                yield from (
                    Row(number, {"popId": line.strip()})
                    for number, line in enumerate(lines_of(file, path), 1)
                    if line.strip()
                )
            else:
                yield from _csv(path, file, first)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read ({why(error)})") from error


def _first_line(file: TextIO) -> str:
    # One line may be the whole of a file that is none of ours.
    return file.readline(1_000_000)


def _objects(path: Path, lines: Iterable[str]) -> Iterator[Row]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            fields = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise UsageError(f"{path}, line {number}: not JSON ({error})") from error
        if type(fields) is not dict:
            raise UsageError(f"{path}, line {number}: not a JSON object")
        yield Row(number, fields)


def _csv(path: Path, file: TextIO, header: str) -> Iterator[Row]:
    reader = csv.DictReader(
        lines_of(file, path), delimiter=max(_DELIMITERS, key=header.count), restkey="", restval=""
    )
    try:
        reader.fieldnames = [name.strip() for name in reader.fieldnames or ()]
        for row in reader:
            yield Row(reader.line_num, row)
    except csv.Error as error:
        raise UsageError(f"{path}, line {reader.line_num}: not CSV ({error})") from error
