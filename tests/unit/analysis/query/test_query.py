"""SQL over files: the same answer of each format, and no way out of the room."""

from pathlib import Path
from typing import Any

import pytest

from pop_stream.analysis.event_view import EventView
from pop_stream.analysis.export.formats import FORMATS
from pop_stream.analysis.query.closed_room import ClosedRoom
from pop_stream.analysis.query.statement import tables_of
from pop_stream.analysis.query.views import view_of
from pop_stream.errors import UsageError, WorkFailedError
from tests.unit.analysis.export.test_columns import SAID
from tests.unit.analysis.export.test_formats import ODD, written
from tests.unit.analysis.views import view

PARKED = [view(headers=SAID, is_ours=True), view(is_ours=True, headers=(), siteId="007")]
#: A player's word for our headers.
FORGED = view(headers=SAID, screenId="9", tiNumber="124")


def asked(sql: str, form: str, events: list[EventView], folder: Path) -> list[list[Any]]:
    """What a query of exported events answers."""
    file = written(form, [events], folder)
    tables = {"events": "pop-events", "failure": "pop-events-failure"}
    views = [view_of(role, topic, form, [file]) for role, topic in tables.items()]
    with ClosedRoom(views, [file], spill=folder / "spill", megabytes=128) as room:
        return [*room.ask(sql, tables)[1]]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("table", ["events", "failure"])
def test_each_format_answers_the_same(form: str, table: str, tmp_path: Path) -> None:
    """With the texts that players wrote, those that look like formulas too."""
    sql = f'FROM {table} SELECT * EXCLUDE (value, value_base64) ORDER BY "offset", screenId, siteId'
    (tmp_path / "other").mkdir()
    events = [*ODD, *PARKED, FORGED]
    answer = asked(sql, form, events, tmp_path)

    assert answer == asked(sql, "parquet", events, tmp_path / "other")
    assert len(answer) == (6 if table == "events" else 2)
    if table == "failure":
        assert [row[9:14] for row in answer] == [
            [None, None, 0, None, 0], ["rejected", 422, 4, "overlong", 2],
        ]  # fmt: skip
        assert answer[0][7] == "007"
    else:
        assert {tuple(row[9:14]) for row in answer} == {(None,) * 5}
        assert {row[3] for row in answer} == {None, "=1+1", "124"}


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_text('/etc/hostname')",
        "SELECT * FROM read_blob('/proc/self/environ')",
        "SELECT * FROM '{file}/../other.parquet'",
        "SELECT * FROM sniff_csv('/etc/passwd')",
        "SELECT * FROM glob('/*')",
        "SELECT * FROM 'https://example.com/x.parquet'",
        "SELECT * FROM duckdb_secrets()",
        "SELECT * FROM SECRET_ROWS",
    ],
)
def test_there_is_no_way_out_of_the_room(sql: str, tmp_path: Path) -> None:
    """No other file, no network, no variable of this program."""
    SECRET_ROWS = pytest.importorskip("pyarrow").table({"a": [1]})  # noqa: N806, F841
    written("parquet", [ODD], tmp_path).rename(tmp_path / "other.parquet")
    with pytest.raises(UsageError):
        asked(sql.format(file=tmp_path / "file"), "parquet", ODD, tmp_path)


@pytest.mark.parametrize(
    "sql",
    [
        "COPY events TO '/tmp/x.csv'",
        "CREATE TABLE x AS SELECT 1",
        "ATTACH '/tmp/x.db'",
        "INSTALL httpfs",
        "LOAD httpfs",
        "SET enable_external_access = true",
        "SET memory_limit = '64GB'",
        "PRAGMA database_size",
        "EXPLAIN ANALYZE SELECT 1",
        "SELECT 1; SELECT 2",
        "",
        "-- nothing",
        "SELEC 1",
        "SELECT * FROM nowhere",
        "SELECT siteID2 FROM events",
    ],
)
def test_only_one_statement_that_reads_is_taken(sql: str) -> None:
    """Before any topic is read for it."""
    with pytest.raises(UsageError):
        tables_of(sql, ["events"])


@pytest.mark.parametrize(
    ("sql", "tables"),
    [
        ("SELECT * FROM events", {"events"}),
        ("FROM Events JOIN main.FAILURE USING (pop_id)", {"events", "failure"}),
        ("WITH a AS (SELECT * FROM retry) SELECT (SELECT count(*) FROM failure) FROM a",
         {"retry", "failure"}),
        ("WITH events AS (SELECT 1) SELECT * FROM events", set()),
        ("SUMMARIZE retry", {"retry"}),
        ("PIVOT retry ON reason IN ('rejected') USING count(*)", {"retry"}),
        ("DESCRIBE retry", set()),
        ("SHOW TABLES", set()),
        ("SELECT 1", set()),
    ],
)  # fmt: skip
def test_only_what_a_query_needs_is_read(sql: str, tables: set[str]) -> None:
    """As the parser of the database sees it."""
    assert tables_of(sql, ["events", "retry", "failure"]) == tables


def test_what_is_wrong_is_said_once_and_clearly(tmp_path: Path) -> None:
    """With the tables that there are; what a player wrote does not move the cursor."""
    with pytest.raises(UsageError, match=r"nowhere does not exist! There is: events, failure"):
        asked("SELECT * FROM nowhere", "parquet", ODD, tmp_path)
    hostile = view(filename="\x1b[2J")
    with pytest.raises(UsageError, match=r"Could not convert string '\?\[2J'"):
        asked("SELECT filename::INT FROM events", "parquet", [hostile], tmp_path)


def test_files_that_cannot_be_read_are_said(tmp_path: Path) -> None:
    """With what tells more of them."""
    file = tmp_path / "events.parquet"
    file.write_bytes(b"PAR1 and no more")
    view_of_it = view_of("events", "pop-events", "parquet", [file])
    with pytest.raises(WorkFailedError, match="--verify"):
        ClosedRoom([view_of_it], [file], spill=tmp_path / "spill", megabytes=128)


def test_a_query_that_needs_more_memory_says_how_to_give_it(tmp_path: Path) -> None:
    """Exit code 1: the question is right."""
    with pytest.raises(WorkFailedError, match="--memory"):
        asked("SELECT len(string_agg(i::VARCHAR || repeat('x', 99), ',')) FROM range(3000000) t(i)",
              "parquet", ODD, tmp_path)  # fmt: skip


def test_what_does_not_fit_into_the_memory_is_put_on_the_disk(tmp_path: Path) -> None:
    """A sort of twice as much as there may be."""
    sql = ("SELECT count(*) FROM (SELECT i, repeat('x', 300) FROM range(1000000) t(i) "
           "ORDER BY hash(i) LIMIT 900000)")  # fmt: skip
    rows = asked(sql, "parquet", ODD, tmp_path)

    assert rows == [[900_000]]
