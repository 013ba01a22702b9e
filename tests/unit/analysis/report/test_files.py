"""What is written to files."""

import csv
import json
from pathlib import Path

import pytest

from pop_stream.analysis.report.files import json_pieces, write_csv
from pop_stream.analysis.report.tables import tables
from pop_stream.errors import WorkFailedError
from tests.support.report_page import report_of
from tests.unit.analysis.report.records import record

ODD = '=HYPERLINK("x")'


def test_each_table_is_a_file(tmp_path: Path) -> None:
    """Ids stay texts, numbers are numbers, and no name is a formula."""
    report = report_of([record(1, site="0007"), record(2, assetId=ODD), record(3, ioNumber="-1")])
    write_csv(tmp_path / "new", tables(report))
    lines = (tmp_path / "new" / "assets.csv").read_text().splitlines()

    assert lines[0] == '"assetId","plays","airtime_seconds","repeats"'
    assert '"a1",2,30,0' in lines
    assert {path.stem for path in (tmp_path / "new").iterdir()} == {
        table.name for table in tables(report)
    }
    cells = [
        cell for path in (tmp_path / "new").iterdir()
        for row in csv.reader(path.read_text().splitlines())
        for cell in row
    ]  # fmt: skip
    assert f"'{ODD}" in cells
    assert "'-1" in cells
    assert "0007" in cells
    assert not [cell for cell in cells if cell.startswith(("=", "+", "@", "-"))]


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """Not with a traceback."""
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkFailedError, match="cannot be written"):
        write_csv(tmp_path / "file", tables(report_of([])))


def test_the_object_of_json_holds_all_tables() -> None:
    """Each row with the names of its columns."""
    report = report_of([record(1), record(2, assetId='"\n')])
    told = json.loads("".join(json_pieces(report, tables(report))))

    assert told["balanced"] is True
    assert (told["plays"], told["airtimeSeconds"]) == (2, 30)
    assert told["tables"]["assets"] == [
        {"assetId": '"\n', "plays": 1, "airtime_seconds": 15, "repeats": 0},
        {"assetId": "a1", "plays": 1, "airtime_seconds": 15, "repeats": 0},
    ]
    assert set(told["tables"]) == {table.name for table in tables(report)}
    empty = report_of([])
    assert json.loads("".join(json_pieces(empty, tables(empty))))["plays"] == 0
