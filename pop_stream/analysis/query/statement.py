"""What a statement of SQL is and needs, before anything is read for it."""

from collections.abc import Collection
from typing import Final

import duckdb

from pop_stream.analysis.query.closed_room import close_doors, complaint
from pop_stream.analysis.query.views import empty_table
from pop_stream.errors import UsageError

#: These tell of the tables, and not of what they hold.
_ASK_FOR_NO_ROWS: Final = ("describe", "desc", "show")


def tables_of(sql: str, tables: Collection[str]) -> set[str]:
    """Which of these tables a statement reads.

    Raises UsageError when it is none, more than one, one that would change something, or one that
    asks for a table or a column that is not there.
    """
    error = _not_understood(sql, tables)
    if error is not None:
        raise complaint(error, tables) from error
    if sql.split(None, 1)[0].lower() in _ASK_FOR_NO_ROWS:
        return set()
    # Only the database's own parser knows which names are tables. What is needed is that without
    # which it does not understand the statement.
    return {table for table in tables if _not_understood(sql, {*tables} - {table}) is not None}


def _not_understood(sql: str, tables: Collection[str]) -> duckdb.Error | None:
    with duckdb.connect(":memory:") as connection:
        for table in tables:
            connection.execute(empty_table(table))
        close_doors(connection)
        try:
            _require_one_that_reads(connection.extract_statements(sql))
            connection.execute(f"PREPARE asked AS {sql}")
        except duckdb.Error as error:
            return error
    return None


def _require_one_that_reads(statements: Collection[duckdb.Statement]) -> None:
    if len(statements) != 1:
        raise UsageError(f"give one statement of SQL; these are {len(statements)}")
    if any(each.type != duckdb.StatementType.SELECT for each in statements):
        raise UsageError(
            "only what reads can be asked: SELECT, FROM, WITH, DESCRIBE, SUMMARIZE, SHOW; "
            "PIVOT only with its values: PIVOT ... ON column IN (...)"
        )
