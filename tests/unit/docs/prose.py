"""The pages as tests read them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from reference.pages import PAGES

ROOT: Final = Path(__file__).parents[3]
#: Its past need not be there any more.
_HISTORY: Final = "CHANGELOG.md"
_FOLDERS: Final = ("", "bench", "deploy", "docs", "docs/decisions", "docs/runbooks", "grafana")

#: Every page that people read.
ALL: Final = [page for folder in _FOLDERS for page in sorted((ROOT / folder).glob("*.md"))]
#: Those that people write and that tell of what is there now.
WRITTEN: Final = [
    page for page in ALL if page.name != _HISTORY and (page.parent.name, page.name) not in
    {("docs", name) for name in PAGES}
]  # fmt: skip

_fences = re.compile(r"^```\w*\n(.*?)^```", re.MULTILINE | re.DOTALL)
_spans = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")


def name_of(page: Path) -> str:
    """A page's place, for the names of tests."""
    return str(page.relative_to(ROOT))


def blocks(text: str) -> Iterator[str]:
    """What stands between fences."""
    yield from _fences.findall(text)


def spans(text: str) -> Iterator[str]:
    """What stands between backticks in sentences."""
    yield from _spans.findall(_fences.sub("", text))
