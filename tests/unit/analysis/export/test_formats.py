"""Parts become files of each format, and nothing is lost or altered on the way."""

import csv
import json
from pathlib import Path

import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pop_stream.analysis.event_view import EventView
from pop_stream.analysis.export.columns import Row, row_of
from pop_stream.analysis.export.formats import FORMATS
from pop_stream.analysis.export.tables import table_of, without_formulas
from tests.unit.analysis.views import view

#: How a text begins that a spreadsheet takes for more than a text; the last four are wide.
SIGNS = "-=+@\t\r\n'\uff1d\uff0b\uff0d\uff20"

ODD = [
    view(siteId="007", filename='a "quoted", name\r\nof two lines'),
    view(b"no JSON, \xff"),
    view(b"[]", key=None, headers=()),
    EventView("pop-events", 0, 5, timestamp=-1, key=b"\xff", value=None, headers=(), is_ours=False),
    view(filename="", ioNumber="=1+1", title="süß \u2603"),
]


def written(form: str, parts: list[list[EventView]], folder: Path) -> Path:
    """The file that is made of parts."""
    paths = []
    for number, events in enumerate(parts):
        paths.append(folder / str(number))
        FORMATS[form].write_part([FORMATS[form].keep(event) for event in events], paths[-1])
    FORMATS[form].join(paths, folder / "file")
    return folder / "file"


@pytest.mark.parametrize("form", FORMATS)
def test_how_events_are_cut_into_parts_does_not_show(form: str, tmp_path: Path) -> None:
    """The same events make the same file, byte for byte."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one = written(form, [ODD], tmp_path / "a")
    three = written(form, [ODD[:1], ODD[1:3], ODD[3:]], tmp_path / "b")

    assert one.read_bytes() == three.read_bytes()


@pytest.mark.parametrize("form", FORMATS)
def test_an_export_without_events_is_a_file_that_can_be_read(form: str, tmp_path: Path) -> None:
    """With the names of the columns, where the format has them."""
    file = written(form, [], tmp_path)

    if form == "parquet":
        assert pyarrow.parquet.read_table(file).schema.names == list(Row._fields)
    else:
        names = ",".join(f'"{name}"' for name in Row._fields)
        assert file.read_text() == (f"{names}\n" if form == "csv" else "")


def test_parquet_holds_rows_as_they_are(tmp_path: Path) -> None:
    """Ids as texts, times in UTC, and nothing where nothing is told."""
    table = pyarrow.parquet.read_table(written("parquet", [ODD], tmp_path))

    assert table.schema.field("siteId").type == "string"
    assert str(table.schema.field("stored_at").type) == "timestamp[ms, tz=UTC]"
    assert table.equals(table_of([row_of(event) for event in ODD]))


def test_ndjson_has_an_object_a_line(tmp_path: Path) -> None:
    """That of `events search --json`."""
    lines = written("ndjson", [ODD], tmp_path).read_bytes().splitlines()

    assert [json.loads(line)["event"] is None for line in lines] == [False, True, True, True, False]


def test_csv_is_read_by_others(tmp_path: Path) -> None:
    """Python's own reader gives what was written; texts stand in quotes, so 007 is a text."""
    path = written("csv", [ODD], tmp_path)
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))

    assert [row["value"] for row in rows] == [row_of(event).value or "" for event in ODD]
    assert rows[0]["filename"] == 'a "quoted", name\r\nof two lines'
    assert '"007"' in path.read_text(encoding="utf-8")
    assert rows[-1]["ioNumber"] == "'=1+1"


@given(text=st.text() | st.sampled_from(SIGNS).map(lambda sign: sign + "cmd|' /C calc'!A0"))
def test_no_text_is_a_formula_and_each_can_be_had_back(text: str) -> None:
    """A quote in front, and in front of what begins with one: so it can be taken away again."""
    row = row_of(view())._replace(filename=text.encode("utf-8", "replace").decode())
    told = without_formulas(table_of([row])).column("filename")[0].as_py()

    assert not told or told[0] == "'" or told[0] not in SIGNS
    assert (told[1:] if told[:1] == "'" else told) == row.filename


@pytest.mark.parametrize("sign", SIGNS)
def test_each_sign_of_a_formula_is_one(sign: str) -> None:
    """Wide signs too; and no other letter is taken for one."""
    for begin, quoted in ((sign, True), ("5", False), ("A", False), ("<", False), (",", False)):
        row = row_of(view())._replace(filename=f"{begin}1+1")
        told = without_formulas(table_of([row])).column("filename")[0].as_py()
        assert told.startswith("'") is quoted
