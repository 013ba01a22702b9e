"""How rows of a query are printed."""

import json
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pop_stream.cli.sql_output import _cell, print_rows

ROW = ["a\tb", None, True, 7, 1.5, date(2026, 11, 20), datetime(2026, 11, 20, 10, tzinfo=UTC),
       [1, "ü"], {"k": None}]  # fmt: skip


def test_a_pipe_gets_a_line_for_each_row(capsys: pytest.CaptureFixture[str]) -> None:
    """Columns by tabs, without a header; what is not told is empty."""
    print_rows(["x"] * len(ROW), iter([ROW]), as_json=False)

    assert capsys.readouterr().out == (
        'a\\tb\t\ttrue\t7\t1.5\t2026-11-20\t2026-11-20 10:00:00+00:00\t[1, "ü"]\t{"k": null}\n'
    )


def test_a_program_gets_an_object_for_each_row(capsys: pytest.CaptureFixture[str]) -> None:
    """With every column, also where two have one name."""
    print_rows(["a", "a", "b"], iter([[1, 2, date(2026, 11, 20)]]), as_json=True)

    assert json.loads(capsys.readouterr().out) == {"a": 1, "a_2": 2, "b": "2026-11-20"}


def test_a_terminal_gets_a_table_of_the_first_rows(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said that there are more, and no more are read than are needed to know it."""
    read = 0

    def rows() -> Iterator[list[int]]:
        nonlocal read
        while True:
            read += 1
            yield [read]

    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    print_rows(["number"], rows(), as_json=False)
    told = capsys.readouterr()

    assert read == 1001
    assert "number" in told.out
    assert "1000" in told.out
    assert "1001" not in told.out
    assert "the first 1,000 rows" in told.err


@given(text=st.text())
def test_what_a_player_wrote_stays_in_its_column(text: str) -> None:
    """Nothing that breaks a line or moves a cursor; and other texts look other."""
    told = _cell(text)

    assert told.isprintable()
    assert text == told or text == told.encode("latin-1", "backslashreplace").decode(
        "unicode_escape"
    )
