"""The documents say what is there: commands, targets, links."""

import re
from pathlib import Path

import pytest

from pop_stream.cli.main import COMMANDS

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("grafana/*.md")])
README = (ROOT / "README.md").read_text()


@pytest.mark.parametrize("command", COMMANDS)
def test_the_readme_tells_of_each_command(command: str) -> None:
    """Every command of `pop-stream` stands in the README's table."""
    assert f"`pop-stream {command}" in README


def test_the_readme_names_no_command_that_is_not_there() -> None:
    """What the README says to type can be typed."""
    named = set(re.findall(r"(?:^|`)pop-stream ([a-z]+)", README, re.MULTILINE))

    assert named <= set(COMMANDS)


def test_every_target_that_a_page_names_is_in_the_makefile() -> None:
    """`make x` in a page is a target."""
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    named = {
        target
        for page in PAGES
        for target in re.findall(r"(?:^|`)make ([a-z-]+)", page.read_text(), re.MULTILINE)
    }

    assert named
    assert named <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_local_link_leads_somewhere(page: Path) -> None:
    """A link to a file or a picture of the project finds it."""
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
    missing = [link for link in links if not (page.parent / link).exists()]

    assert missing == []


@pytest.mark.parametrize("lock", ["requirements.lock", "bench/peers/requirements.lock"])
def test_the_lock_names_no_address(lock: str) -> None:
    """A lock file works with whatever index its user has."""
    assert "://" not in (ROOT / lock).read_text()
