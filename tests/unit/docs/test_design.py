"""DESIGN.md: its map is of what is there, and its lessons say what taught them."""

import re
import shutil
import subprocess

import pytest

from tests.unit.docs.prose import ROOT, spans

DESIGN = (ROOT / "DESIGN.md").read_text(encoding="utf-8")
#: Folders without code of their own.
_ASIDE = {"__pycache__", "images", "results", "decisions", "runbooks", "certs"}


def _section(title: str) -> str:
    return DESIGN.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_every_file_and_folder_of_the_map_is_there() -> None:
    """A path that is renamed is renamed in the map, too."""
    paths = {span for span in spans(_section("File map")) if "/" in span}

    assert len(paths) > 50
    assert {path for path in paths if not (ROOT / path).exists()} == set()


def test_every_folder_with_code_is_in_the_map() -> None:
    """Of pop_stream each room, of the rest each folder at the top."""
    named = {span.rstrip("/") for span in spans(_section("File map"))}
    rooms = {
        str(path.parent.relative_to(ROOT)) for path in (ROOT / "pop_stream").rglob("__init__.py")
    }
    tops = {
        str(path.relative_to(ROOT))
        for path in ROOT.iterdir()
        if path.is_dir() and not path.name.startswith(".") and any(path.rglob("*.*"))
    } - {"build", "dist", "htmlcov"}

    assert rooms <= named
    assert tops <= named


def test_everything_that_is_not_obvious_ends_in_what_taught_it() -> None:
    """A bug with its commit, a measurement, something read, or thinking: but said."""
    items = re.findall(r"^- \*\*.*$", _section("What is not obvious"), re.MULTILINE)
    untaught = [item[:80] for item in items if not re.search(r"\*Taught by .+\*$", item)]

    assert len(items) > 30
    assert untaught == []


def _git(*words: str) -> str:
    git = shutil.which("git")
    if git is None:
        pytest.skip("no git is here")
    ran = subprocess.run([git, *words], cwd=ROOT, capture_output=True, text=True, check=False)
    return ran.stdout.strip()


def test_every_commit_that_taught_something_is_in_the_log() -> None:
    """A lesson can be read where it was learned."""
    if _git("rev-parse", "--is-shallow-repository") != "false":
        pytest.skip("the whole log is not here")
    pages = [ROOT / "DESIGN.md", *(ROOT / "docs" / "decisions").glob("*.md")]
    named = {
        span
        for page in pages
        for span in spans(page.read_text())
        if re.fullmatch("[0-9a-f]{7}", span)
    }

    assert len(named) > 30
    assert {commit for commit in named if _git("cat-file", "-t", commit) != "commit"} == set()


def test_the_map_of_files_names_those_of_the_journey() -> None:
    """Files that the text names by their room are there."""
    named = {span for span in spans(DESIGN) if re.fullmatch(r"[a-z]+/[a-z_/]+\.py", span)}
    gone = {
        path
        for path in named
        if not ((ROOT / path).exists() or (ROOT / "pop_stream" / path).exists())
    }

    assert gone == set()
