"""The formats of exported files: how a part is written, and how parts become one file.

A part is small and is written at once. Files grow from parts one after the other, so that memory
stays flat whatever their number.
"""

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import orjson
import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet

from pop_stream.analysis.as_object import as_object
from pop_stream.analysis.event_view import EventView
from pop_stream.analysis.export.columns import row_of
from pop_stream.analysis.export.tables import SCHEMA, table_of, without_formulas

#: Readers of Parquet work on row groups at the same time, and want them large.
_GROUP_ROWS: Final = 100_000
_GROUP_BYTES: Final = 16 * 1024 * 1024


class Format(NamedTuple):
    """One format."""

    #: What is kept of an event until its part is written.
    keep: Callable[[EventView], Any]
    write_part: Callable[[Sequence[Any], Path], None]
    #: Makes a file of parts; of none, one without events.
    join: Callable[[Iterable[Path], Path], None]


def _line(event: EventView) -> bytes:
    # A copy: what orjson gives takes as much room as it was given at first, twice what it needs.
    return orjson.dumps(as_object(event)) + b"\n"


def _write_lines(lines: Sequence[bytes], path: Path) -> None:
    with path.open("wb") as file:
        file.writelines(lines)


def _join_lines(parts: Iterable[Path], path: Path) -> None:
    _concatenate(parts, path, head=b"")


def _write_csv(rows: Sequence[Any], path: Path) -> None:
    # Texts stand in quotes, numbers do not, and what is not told is empty, without quotes.
    options = pyarrow.csv.WriteOptions(include_header=False)
    pyarrow.csv.write_csv(without_formulas(table_of(rows)), path, options)


def _join_csv(parts: Iterable[Path], path: Path) -> None:
    _concatenate(
        parts, path, head=(",".join(f'"{name}"' for name in SCHEMA.names)).encode() + b"\n"
    )


def _concatenate(parts: Iterable[Path], path: Path, *, head: bytes) -> None:
    with path.open("wb") as file:
        file.write(head)
        for part in parts:
            with part.open("rb") as each:
                shutil.copyfileobj(each, file, 1024 * 1024)


def _write_arrow(rows: Sequence[Any], path: Path) -> None:
    pyarrow.feather.write_feather(table_of(rows), path, compression="lz4")


def _join_parquet(parts: Iterable[Path], path: Path) -> None:
    with pyarrow.parquet.ParquetWriter(path, SCHEMA, compression="zstd") as writer:
        for group in _groups(parts):
            writer.write_table(group, row_group_size=group.num_rows)


def _groups(parts: Iterable[Path]) -> Iterator[pa.Table]:
    waiting: list[pa.Table] = []
    rows = size = 0
    for part in parts:
        table = pyarrow.feather.read_table(part, memory_map=False)
        waiting.append(table)
        rows, size = rows + table.num_rows, size + table.nbytes
        if rows >= _GROUP_ROWS or size >= _GROUP_BYTES:
            yield pa.concat_tables(waiting)
            waiting, rows, size = [], 0, 0
            # The pool would keep what this group took beside what the next one takes.
            pa.default_memory_pool().release_unused()
    if waiting:
        yield pa.concat_tables(waiting)


FORMATS: Final = {
    "ndjson": Format(_line, _write_lines, _join_lines),
    "csv": Format(row_of, _write_csv, _join_csv),
    "parquet": Format(row_of, _write_arrow, _join_parquet),
}
