"""What a spreadsheet would compute is only a text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pop_stream.analysis.csv_cell import formula_safe
from pop_stream.analysis.export.columns import Row
from pop_stream.analysis.export.tables import table_of, without_formulas


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        " =1",
        "\u00a0=1",
        "\uff1d1",
        "\u200b\uff20x",
        "'quoted'",
    ],
)
def test_a_formula_is_neutralised(text: str) -> None:
    """By an apostrophe, which spreadsheets do not show."""
    assert formula_safe(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "0007", "GSTV.BO__.webm", "a=b", "1-2", "it's"])
def test_other_texts_are_left_alone(text: str) -> None:
    """Names of files and ids are as they were."""
    assert formula_safe(text) == text


@given(st.text())
def test_an_export_says_the_same(text: str) -> None:
    """There the rule is one for whole columns."""
    text = text.encode("utf-8", "ignore").decode()
    row = Row._make([text if name == "filename" else None for name in Row._fields])
    table = without_formulas(table_of([row]))

    assert table["filename"].to_pylist() == [formula_safe(text)]


@given(st.text())
def test_nothing_begins_like_a_formula(text: str) -> None:
    """Whatever a player wrote."""
    assert not formula_safe(text).strip().startswith(("=", "+", "-", "@"))
