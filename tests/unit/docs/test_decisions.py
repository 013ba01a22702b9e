"""Decisions are short, of one form, and all in their index."""

import re
from pathlib import Path

import pytest

from tests.unit.docs.prose import ROOT

FOLDER = ROOT / "docs" / "decisions"
DECISIONS = sorted(page for page in FOLDER.glob("*.md") if page.name != "README.md")
PARTS = ["Context", "Decision", "Consequences", "What would change our mind"]


def test_they_are_numbered_without_a_gap() -> None:
    """0001, 0002 and so on."""
    numbers = [int(page.name.partition("-")[0]) for page in DECISIONS]

    assert numbers == list(range(1, len(numbers) + 1))
    assert numbers


@pytest.mark.parametrize("page", DECISIONS, ids=lambda page: page.stem)
def test_a_decision_is_short_and_has_its_parts(page: Path) -> None:
    """At most 40 lines: context, decision, consequences, and what would change our mind."""
    text = page.read_text(encoding="utf-8")

    assert len(text.splitlines()) <= 40
    assert re.match(rf"# {int(page.name[:4])}\. \S", text)
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == PARTS


def test_the_index_lists_each_by_its_title() -> None:
    """In their order, and nothing else."""
    index = (FOLDER / "README.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| \[(.+)\]\((.+\.md)\)", index, re.MULTILINE)
    titles = [
        (page.read_text().splitlines()[0].removeprefix("# "), page.name) for page in DECISIONS
    ]

    assert listed == titles
