"""The page of faults and the scenarios tell of the same rows."""

import re
from pathlib import Path

from faults.scenarios import SCENARIOS

_PAGE = (Path(__file__).parents[3] / "docs" / "faults.md").read_text()
#: Row by its name: what happens, how it ends, who tries it.
ROWS = {
    cells[0]: cells[1:]
    for line in _PAGE.splitlines()
    if re.match(r"\| [A-G]\d+ \|", line)
    for cells in [[cell.strip() for cell in line.strip("|").split(" | ")]]
}


def _scenarios_of(row: str) -> set[str]:
    return set(re.findall(r"`([a-z0-9-]+)`", ROWS[row][-1]))


def test_each_scenario_stands_in_the_rows_that_it_plays() -> None:
    """A scenario's rows are on the page, and name it; no other row does."""
    played = {(row, name) for name, one in SCENARIOS.items() for row in one.rows.split()}

    assert played == {(row, name) for row in ROWS for name in _scenarios_of(row)}


def test_each_row_has_a_test_or_a_reason() -> None:
    """Nothing stands on the page that nobody tries, unless it says so."""
    untried = {row for row, cells in ROWS.items() if cells[-1].strip() == "nobody"}

    assert {row for row in untried if "not played" not in ROWS[row][1]} == set()
    assert {
        row
        for row in ROWS.keys() - untried
        if not _scenarios_of(row) and "../tests/" not in ROWS[row][-1]
    } == set()


def test_no_row_is_left_out() -> None:
    """The rows of each letter are numbered without a gap."""
    for letter in "ABCEFG":
        numbers = [int(row[1:]) for row in ROWS if row[0] == letter]

        assert numbers == list(range(1, len(numbers) + 1))
        assert numbers
