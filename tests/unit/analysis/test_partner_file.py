"""Files from GSTV's side, in any of the forms that people have."""

from pathlib import Path

import pytest

from pop_stream.analysis.partner_file import read_rows
from pop_stream.errors import UsageError
from tests.unit.analysis.records import POP_ID


@pytest.mark.parametrize(
    "content",
    [
        f"{POP_ID}\n\n{POP_ID.upper()}\n",
        f"day,Idempotency-Key\n1,{POP_ID}\n2,{POP_ID}\n",
        f'\ufeffid;day\r\n"{POP_ID}";1\r\n{POP_ID};2\r\n',
        f'{{"popId":"{POP_ID}"}}\n\n{{"popId":"\\"{POP_ID}\\""}}\n',
    ],
)
def test_ids_are_read_from_any_form(content: str, tmp_path: Path) -> None:
    """One a line, CSV with any of the usual separators, or NDJSON."""
    path = tmp_path / "theirs"
    path.write_text(content, encoding="utf-8")

    assert [row.id(None) for row in read_rows(path)] == [POP_ID, POP_ID]


def test_a_column_can_be_named(tmp_path: Path) -> None:
    """Where the usual names mean something else."""
    path = tmp_path / "theirs.csv"
    path.write_text(f"id,ref\n7,{POP_ID}\nx,\n")

    assert [row.id("ref") for row in read_rows(path)] == [POP_ID, None]
    assert [row.id(None) for row in read_rows(path)] == [None, None]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b'{"a":1}\n[1]\n', "line 2: not a JSON object"),
        (b'{"a":1}\n{\n', "line 2: not JSON"),
        (b"a,b\n\xff,1\n", "cannot be read"),
        (b"a\n" + b'"' + b"x" * 200_000 + b'"\n', "not CSV"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_line(
    content: bytes, says: str, tmp_path: Path
) -> None:
    """And nothing is passed over."""
    path = tmp_path / "theirs"
    path.write_bytes(content)

    with pytest.raises(UsageError, match=says):
        list(read_rows(path))


def test_nothing_is_in_an_empty_file(tmp_path: Path) -> None:
    """Which is not an error of its own."""
    path = tmp_path / "theirs"
    path.write_text("")

    assert list(read_rows(path)) == []
