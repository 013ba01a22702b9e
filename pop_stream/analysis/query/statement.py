"""What a statement of SQL is and needs, before anything is read for it."""

from collections.abc import Collection
from typing import Final

import duckdb

from pop_stream.analysis.query.closed_room import close_doors, complaint
from pop_stream.errors import UsageError

_READS: Final = (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN)


def tables_of(sql: str, tables: Collection[str]) -> set[str]:
    """Which of these tables a statement reads.

    Raises UsageError when it is none, more than one, or one that would change something.
    """
    with duckdb.connect(":memory:") as connection:
        close_doors(connection)
        try:
            statements = connection.extract_statements(sql)
            if len(statements) != 1:
                raise UsageError(f"give one statement of SQL; these are {len(statements)}")
            if statements[0].type not in _READS:
                raise UsageError(
                    "only what reads can be asked: SELECT, FROM, WITH, DESCRIBE, SUMMARIZE, "
                    "EXPLAIN; PIVOT only with its values: PIVOT ... ON column IN (...)"
                )
            named = connection.get_table_names(sql)
        except duckdb.Error as error:
            raise complaint(error, tables) from error
    return {name.lower() for name in named} & set(tables)
