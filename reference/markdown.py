"""Pieces of Markdown."""

from collections.abc import Iterable, Iterator, Sequence


def made_by(where: str) -> str:
    """The line that begins each page: who writes it, and what to change instead."""
    return f"<!-- Made by `make docs` from {where}. Change these, not this page. -->"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """The lines of a table."""
    yield _row(head)
    yield _row(["---"] * len(head))
    for row in rows:
        yield _row([_cell(text) for text in row])


def code(text: str) -> str:
    """Text as code, also where it holds a backtick or is empty."""
    if not text:
        return ""
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
