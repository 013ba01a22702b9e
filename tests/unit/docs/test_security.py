"""SECURITY.md claims nothing that is not shown: its tests are there, its items are answered."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import pytest

from tests.unit.docs.prose import ROOT

PAGE: Final = ROOT / "SECURITY.md"
TEXT: Final = PAGE.read_text(encoding="utf-8")
_TITLE: Final = "## OWASP ASVS 5.0"
_MOST_LINES: Final = 300


def _items(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: What the page must answer.
_MUST: Final = _items("""
1.2.1 1.3.6 1.4.2 1.5.2 1.5.3 2.2.1 2.4.1 4.1.5 4.2.5 11.2.1 11.5.1 12.1.1 12.1.3 12.2.1
12.3.1 12.3.2 12.3.3 12.3.4 12.3.5 13.1.1 13.1.2 13.1.3 13.1.4 13.2.1 13.2.2 13.2.3 13.2.4
13.2.5 13.2.6 13.3.1 13.3.2 13.3.4 13.4.2 13.4.5 15.1.1 15.1.2 15.1.3 15.1.4 15.2.1 15.2.2
15.2.3 15.2.4 15.3.2 15.4.2 16.1.1 16.2.5 16.3.2 16.3.3 16.3.4 16.4.1 16.5.1 16.5.2 16.5.3
16.5.4
""")
#: What it may answer besides.
_MAY: Final = _items("""
1.2.4 1.2.10 1.3.12 4.1.1 4.2.1 10.1.1 10.2.3 10.4.10 10.4.16 11.2.4 11.4.1 12.1.4 13.4.6
14.2.1 14.3.2 15.1.5 15.2.5 15.4.1 16.2.1 16.2.2 16.2.4 16.3.1 16.4.2
""")
#: The levels of all these in the standard; what is in neither list is of level 2.
_LEVEL_1: Final = _items("1.2.1 1.2.4 2.2.1 4.1.1 11.4.1 12.1.1 12.2.1 14.2.1 15.1.1 15.2.1")
_LEVEL_3: Final = _items("""
1.2.10 1.3.12 1.5.3 4.1.5 4.2.5 10.2.3 10.4.16 11.2.4 12.1.4 12.3.5 13.1.2 13.1.3 13.1.4 13.2.6
13.3.4 13.4.6 15.1.4 15.1.5 15.2.4 15.2.5 15.4.1 15.4.2 16.5.4
""")

_ANSWERS: Final = ("met", "partly", "not met", "does not apply", "by documents")
#: Answers that no test need show.
_UNSHOWN: Final = ("not met", "does not apply", "by documents")
_test_links = re.compile(r"\[`([^`\]]+)::(\w+)`\]\(([^)]*)\)").findall
_named_tests = re.compile(r"([\w./-]+\.py)::(\w+)").findall


@dataclass(frozen=True, slots=True)
class Row:
    """An item of the standard, and our answer."""

    item: str
    level: str
    asks: str
    answer: str
    shown: str

    @property
    def kind(self) -> str | None:
        """Which of the answers it is; None: none of them."""
        return next((each for each in _ANSWERS if re.match(rf"{each}\b", self.answer)), None)


def _rows(text: str) -> Iterator[Row]:
    _, _, table = text.partition(_TITLE)
    for line in table.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("|") and cells[0] != "item" and not line.startswith("| ---"):
            yield Row(*cells)


ROWS: Final = tuple(_rows(TEXT))


def _complaints(row: Row) -> Iterator[str]:
    """What is wrong with a row."""
    if row.kind is None:
        yield "its answer is none"
    if row.kind in ("partly", "not met", "does not apply") and ":" not in row.answer:
        yield "its answer has no reason"
    if row.kind not in _UNSHOWN and not _test_links(row.shown):
        yield "no test shows it"
    if row.kind == "by documents" and not re.search(r"\]\([^)]+\)", row.shown):
        yield "it names no document"
    if not row.asks:
        yield "it asks for nothing"


def _level(item: str) -> str:
    return "1" if item in _LEVEL_1 else "3" if item in _LEVEL_3 else "2"


@cache
def _functions(path: Path) -> frozenset[str]:
    """The names of a file's functions, those of its classes among them."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, kinds))


def _is_there(path: str, name: str) -> bool:
    file = ROOT / path
    return path.startswith("tests/") and file.is_file() and name in _functions(file)


def test_every_test_that_is_named_is_there() -> None:
    """Its file, and a function of its name in it."""
    named = _named_tests(TEXT)

    assert named
    assert [f"{path}::{name}" for path, name in named if not _is_there(path, name)] == []


def test_a_test_that_is_not_there_is_missed() -> None:
    """The test above can fail."""
    own = "tests/unit/docs/test_security.py"

    assert _is_there(own, "test_a_test_that_is_not_there_is_missed")
    assert not _is_there(own, "test_of_nothing")
    assert not _is_there("tests/unit/docs/test_nothing.py", "test_of_nothing")


def test_the_name_of_a_test_leads_to_its_file() -> None:
    """Every one is a link, and to no other."""
    links = _test_links(TEXT)

    assert len(links) == len(_named_tests(TEXT))
    assert [link for link in links if link[0] != link[2]] == []


def test_every_item_that_fits_is_answered_once() -> None:
    """Those that must be, and no number that the standard or this list does not know."""
    items = [row.item for row in ROWS]

    assert sorted(items) == sorted(set(items))
    assert _MUST <= set(items) <= _MUST | _MAY


def test_items_stand_in_the_order_of_the_standard() -> None:
    """So that one is found."""
    numbers = [tuple(map(int, row.item.split("."))) for row in ROWS]

    assert numbers == sorted(numbers)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.item)
def test_an_item_has_an_answer_that_is_shown(row: Row) -> None:
    """By a test; or it says that it is not met, and why; or it leads to the document."""
    assert list(_complaints(row)) == []
    assert row.level == _level(row.item)


@pytest.mark.parametrize(
    ("answer", "shown", "complaint"),
    [
        ("yes", "[`tests/x.py::test_x`](tests/x.py)", "its answer is none"),
        ("metal", "[`tests/x.py::test_x`](tests/x.py)", "its answer is none"),
        ("met", "-", "no test shows it"),
        ("partly", "[`tests/x.py::test_x`](tests/x.py)", "its answer has no reason"),
        ("not met", "-", "its answer has no reason"),
        ("by documents", "-", "it names no document"),
    ],
)
def test_an_answer_that_is_not_shown_is_found(answer: str, shown: str, complaint: str) -> None:
    """The test above can fail."""
    assert complaint in list(_complaints(Row("1.2.1", "1", "something", answer, shown)))


def test_the_page_is_one_that_is_read() -> None:
    """No longer than that."""
    assert len(TEXT.splitlines()) <= _MOST_LINES
