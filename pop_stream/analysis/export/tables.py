"""Rows of events as Arrow tables: what Parquet and CSV are made of."""

from collections.abc import Iterable, Sequence
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from pop_stream.analysis.csv_cell import FORMULA_BEGINS
from pop_stream.analysis.export.columns import Row

_NUMBERS: Final = {
    "status": pa.int32(),
    "attempt": pa.int32(),
    "redrives": pa.int32(),
    "partition": pa.int32(),
    "offset": pa.int64(),
    "stored_at": pa.timestamp("ms", "UTC"),
}
#: All that is no number is text: an id like 007 stays what it is.
SCHEMA: Final = pa.schema([(name, _NUMBERS.get(name, pa.string())) for name in Row._fields])
_NEVER_NULL: Final = ("pop_id", "topic")


def table_of(rows: Sequence[Row]) -> pa.Table:
    """Rows as a table."""
    columns = zip(*rows, strict=True) if rows else ((),) * len(SCHEMA)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def without_formulas(table: pa.Table) -> pa.Table:
    """Put a quote before each text that a spreadsheet would take for a formula."""
    columns: Iterable[pa.ChunkedArray] = (
        _quoted(column) if column.type == pa.string() else column for column in table.columns
    )
    return pa.Table.from_arrays(list(columns), schema=table.schema)


def _quoted(column: pa.ChunkedArray) -> pa.ChunkedArray:
    is_formula = pc.match_substring_regex(column, FORMULA_BEGINS)
    if not pc.any(is_formula).as_py():
        return column
    return pc.if_else(is_formula, pc.binary_join_element_wise("'", column, ""), column)
