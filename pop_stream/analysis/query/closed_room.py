"""DuckDB without doors: it reads the files that it is given, and can do nothing else."""

import os
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Self

import duckdb
import pyarrow as pa

from pop_stream.analysis.query.views import text_of_sql
from pop_stream.errors import UsageError, WorkFailedError

#: Each thread of DuckDB holds blocks of its own; with less, a sort of large rows fails.
_MEGABYTES_PER_THREAD: Final = 128
_ROWS_AT_ONCE: Final = 1000
_OUT_OF_MEMORY: Final = "Out of Memory"


#: No network, no files, no extensions, nothing of this process, and no way back.
_DOORS: Final = (
    "autoinstall_known_extensions = false",
    "autoload_known_extensions = false",
    "allow_community_extensions = false",
    # A table's name would else also mean a variable of this program.
    "python_enable_replacements = false",
    "enable_external_access = false",
    "lock_configuration = true",
)


def close_doors(connection: duckdb.DuckDBPyConnection) -> None:
    """From now on it reads only what it was allowed to, and can do nothing else."""
    for door in _DOORS:
        connection.execute(f"SET {door}")


class ClosedRoom:
    """Tables made of files, for reading by SQL. Use it as a context manager."""

    def __init__(
        self, views: Sequence[str], files: Sequence[Path], *, spill: Path, megabytes: int
    ) -> None:
        """`views` make the tables, out of no other than these files.

        What does not fit into the memory is put into the folder `spill`, which need not be there.
        Raises WorkFailedError when the files cannot be read.
        """
        self._megabytes = megabytes
        self._connection = duckdb.connect(
            ":memory:",
            config={
                "memory_limit": f"{megabytes}MB",
                "threads": max(1, min(os.cpu_count() or 1, megabytes // _MEGABYTES_PER_THREAD)),
                "temp_directory": str(spill),
            },
        )
        allowed = ", ".join(text_of_sql(str(path)) for path in files)
        self._connection.execute("SET TimeZone = 'UTC'")
        self._connection.execute(f"SET allowed_paths = [{allowed}]")
        try:
            for view in views:
                self._connection.execute(view)
        except duckdb.Error as error:
            raise WorkFailedError(
                f"the files cannot be read: {complaint(error, ())}; "
                "`pop-stream events export --verify FOLDER` tells what has changed"
            ) from error
        close_doors(self._connection)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def ask(self, sql: str, tables: Collection[str]) -> tuple[list[str], Iterator[list[Any]]]:
        """The names of the columns, and the rows, as they come.

        Both raise UsageError when the statement is wrong, and WorkFailedError when it needs more
        memory than it may have.
        """
        try:
            # Not execute(): that would hold all rows in memory, beyond every limit.
            reader = self._connection.sql(sql).to_arrow_reader(_ROWS_AT_ONCE)
        except duckdb.Error as error:
            raise self._complaint(error, tables) from error
        return reader.schema.names, self._rows(reader, tables)

    def _rows(self, reader: Any, tables: Collection[str]) -> Iterator[list[Any]]:
        try:
            for batch in reader:
                columns = [column.to_pylist() for column in batch.columns]
                yield from (list(row) for row in zip(*columns, strict=True))
        except (duckdb.Error, OSError, pa.ArrowException) as error:
            raise self._complaint(error, tables) from error

    def _complaint(self, error: Exception, tables: Collection[str]) -> Exception:
        if str(error).startswith(_OUT_OF_MEMORY):
            return WorkFailedError(
                f"the query needs more memory than {self._megabytes} MB; give it more: --memory"
            )
        return complaint(error, tables)


def complaint(error: Exception, tables: Collection[str]) -> UsageError:
    """What is wrong with a statement, for the person who wrote it."""
    # It may quote what a player wrote, which must not move a terminal's cursor.
    text = "".join(c if c.isprintable() or c == "\n" else "?" for c in str(error).strip())
    if "Table with name" in text:
        return UsageError(f"{text.partition(chr(10))[0]} There is: {', '.join(sorted(tables))}")
    return UsageError(text)
