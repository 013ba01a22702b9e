"""Exported files as tables of SQL, the same of each format; pure text."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pop_stream.analysis.export.columns import Row

#: What is no text, and how it is read from CSV.
_TYPES: Final = {
    "status": "INTEGER",
    "attempt": "INTEGER",
    "redrives": "INTEGER",
    "partition": "INTEGER",
    "offset": "BIGINT",
    "stored_at": "TIMESTAMPTZ",
}
_FIELDS: Final = ("filename", "assetId", "ioNumber", "startTimestamp", "endTimestamp",
                  "screenState", "siteId", "screenId")  # fmt: skip
#: The role of the topic that players write.
_PLAYERS: Final = "events"
#: Larger than any record of Kafka as a line.
_LONGEST_LINE_BYTES: Final = 4 * 1024 * 1024


def view_of(role: str, topic: str, form: str, files: Sequence[Path]) -> str:
    """The statement that makes a table of what a topic's role is called, out of files.

    `stored_at` is a time in UTC without a zone.
    """
    paths = "[" + ", ".join(text_of_sql(str(path)) for path in files) + "]"
    columns = _SELECTS[form](is_ours=role != _PLAYERS)
    selected = ", ".join(f"{told} AS {_name(column)}" for column, told in columns.items())
    source = f"{_SOURCES[form](paths)} WHERE topic = {text_of_sql(topic)}"
    # Every text and every name in it is quoted.
    return f"CREATE VIEW {_name(role)} AS SELECT {selected} FROM {source}"  # noqa: S608


def _in_utc(column: str) -> str:
    return f"({column} AT TIME ZONE 'UTC')"


def _of_parquet(*, is_ours: bool) -> dict[str, str]:
    del is_ours  # what is not believed is not in the files
    return {name: _in_utc(name) if name == "stored_at" else _name(name) for name in Row._fields}


def _of_csv(*, is_ours: bool) -> dict[str, str]:
    # The quote that keeps spreadsheets from taking a text for a formula is taken away again.
    return {
        name: told
        if name in _TYPES
        else f"CASE WHEN starts_with({told}, '''') THEN substr({told}, 2) ELSE {told} END"
        for name, told in _of_parquet(is_ours=is_ours).items()
    }


def _of_ndjson(*, is_ours: bool) -> dict[str, str]:
    fields = {name: f"event ->> '$.{name}'" for name in _FIELDS}
    fields["ioNumber"] = "coalesce(event ->> '$.ioNumber', event ->> '$.tiNumber')"
    own = {name: _name(name) for name in ("topic", "partition", "offset", "key")}
    told = {
        "pop_id": '"popId"',
        "stored_at": _in_utc('"storedAt"'),
        "value": "CAST(event AS VARCHAR)",
        "value_base64": '"valueBase64"',
    }
    every = fields | own | told | _said(is_ours=is_ours)
    return {name: every[name] for name in Row._fields}


def _said(*, is_ours: bool) -> dict[str, str]:
    headers = {name: f"headers ->> '$.\"pop-{name}\"'"
               for name in ("reason", "status", "attempt", "flags", "redrives")}  # fmt: skip
    if not is_ours:
        # What players write under our names is not believed.
        return {name: f"CAST(NULL AS {_TYPES.get(name, 'VARCHAR')})" for name in headers}
    counts = {name: f"coalesce(try_cast({headers[name]} AS INTEGER), 0)"
              for name in ("attempt", "redrives")}  # fmt: skip
    return headers | counts | {"status": f"try_cast({headers['status']} AS INTEGER)"}


def _from_parquet(paths: str) -> str:
    return f"read_parquet({paths}, hive_partitioning = false)"


def _from_csv(paths: str) -> str:
    types = ", ".join(
        f"{text_of_sql(name)}: '{_TYPES.get(name, 'VARCHAR')}'" for name in Row._fields
    )
    return (
        f"read_csv({paths}, header = true, delim = ',', quote = '\"', escape = '\"', "
        f"new_line = '\\n', nullstr = '', allow_quoted_nulls = false, hive_partitioning = false, "
        f"max_line_size = {_LONGEST_LINE_BYTES}, buffer_size = {2 * _LONGEST_LINE_BYTES}, "
        f"parallel = false, auto_detect = false, "
        f"columns = {{{types}}})"
    )


def _from_ndjson(paths: str) -> str:
    columns = (
        "popId: 'VARCHAR', topic: 'VARCHAR', partition: 'INTEGER', \"offset\": 'BIGINT', "
        "storedAt: 'TIMESTAMPTZ', key: 'VARCHAR', headers: 'JSON', event: 'JSON', "
        "valueBase64: 'VARCHAR'"
    )
    return (
        f"read_json({paths}, format = 'newline_delimited', hive_partitioning = false, "
        f"maximum_object_size = {_LONGEST_LINE_BYTES}, columns = {{{columns}}})"
    )


_SELECTS: Final = {"parquet": _of_parquet, "csv": _of_csv, "ndjson": _of_ndjson}
_SOURCES: Final = {"parquet": _from_parquet, "csv": _from_csv, "ndjson": _from_ndjson}


def empty_table(role: str) -> str:
    """The statement that makes the same table without events, to try a query on."""
    types = _TYPES | {"stored_at": "TIMESTAMP"}
    columns = ", ".join(f"{_name(name)} {types.get(name, 'VARCHAR')}" for name in Row._fields)
    return f"CREATE TABLE {_name(role)} ({columns})"


def text_of_sql(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
