"""What the pages name is there: commands and their flags, settings, metrics, log lines."""

import re
import shlex
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import TypeGuard

import click
import pytest

from pop_stream.cli.main import cli
from pop_stream.settings import SETTINGS
from pop_stream.watch.table import METRICS, Kind
from reference.log_events import events
from tests.unit.docs.prose import ALL, ROOT, WRITTEN, blocks, name_of, spans

every_written_page = pytest.mark.parametrize("page", WRITTEN, ids=name_of)

#: Read by tests and tools, not by pop-stream.
_OTHER_VARIABLES = {"POP_STREAM_CONFIG", "POP_STREAM_TEST_KAFKA", "POP_STREAM_DASHBOARDS"}
_call = re.compile(r"\s*(?:[A-Z_]+=\S+ )*(?:\S*/)?pop-stream (.+)").match
_ENDS = {"|", "||", "&", "&&", ";", ">", "<", "2>"}
_FILES = (".py", ".md", ".parquet")
_SUFFIXES = ("_bucket", "_count", "_sum", "_created")


def _typed(text: str) -> Iterator[list[str]]:
    """Every call of `pop-stream` that a page shows, as its words."""
    lines = [line for block in blocks(text) for line in block.replace("\\\n", " ").splitlines()]
    for line in [*lines, *spans(text)]:
        if call := _call(line):
            # What stands apart from it is said about it.
            words = shlex.split(re.split(r" {3,}", call[1])[0], comments=True)
            yield list(takewhile(lambda word: word not in _ENDS, words))


def _wrong(words: list[str]) -> str | None:
    """What about a call is not there; None: all is."""
    command: click.Command = cli
    known = {"-h", "--help", "--version"}
    for word in words:
        inner = command.get_command(click.Context(command), word) if _is_group(command) else None
        if inner is not None:
            command = inner
            known.update(flag for each in inner.params for flag in each.opts)
            known.update(flag for each in inner.params for flag in each.secondary_opts)
        elif word.partition("=")[0] not in known and (word.startswith("--") or _asks(command)):
            return word
    return None


def _asks(command: click.Command) -> bool:
    """Whether only a command of it can come next."""
    return _is_group(command) and not command.invoke_without_command


def _is_group(command: click.Command) -> TypeGuard[click.Group]:
    return isinstance(command, click.Group)


@every_written_page
def test_what_a_page_says_to_type_can_be_typed(page: Path) -> None:
    """Each command is there, and has each flag."""
    calls = _typed(page.read_text(encoding="utf-8"))

    assert [(words, wrong) for words in calls if (wrong := _wrong(words))] == []


def test_a_command_or_a_flag_that_is_not_there_is_found() -> None:
    """The test above can fail."""
    page = "```sh\nX=1 pop-stream nothing --at-all   says why\n```\n`kafka --group pop-stream --x`"

    assert list(_typed(page)) == [["nothing", "--at-all"]]
    assert _wrong(["nothing", "--at-all"]) == "nothing"
    assert _wrong(["events", "nothing"]) == "nothing"
    assert _wrong(["events", "search", "--at-all", "x"]) == "--at-all"
    assert _wrong(["events", "search", "--where", "siteId=1"]) is None


@every_written_page
def test_every_setting_that_a_page_names_is_one(page: Path) -> None:
    """Or the file of a secret, or a few that are no settings."""
    known = {setting.variable for setting in SETTINGS.values()} | _OTHER_VARIABLES
    known |= {f"{setting.variable}_FILE" for setting in SETTINGS.values() if setting.secret}
    named = set(re.findall(r"\bPOP_STREAM_[A-Z_]*", page.read_text(encoding="utf-8")))

    assert {name for name in named if not _is_prefix(name, known)} <= known


def _is_prefix(name: str, known: set[str]) -> bool:
    """Whether it stands for many, like `POP_STREAM_KAFKA_`."""
    return name.endswith("_") and any(each.startswith(name) for each in known)


@every_written_page
def test_every_metric_that_a_page_names_is_one(page: Path) -> None:
    """With its suffix; the parts of a histogram are its own."""
    known = {metric.shown_as for metric in METRICS}
    parts = {m.shown_as + end for m in METRICS if m.kind is Kind.HISTOGRAM for end in _SUFFIXES}
    # A colon is of a recording rule; `make dashboards-check` knows these.
    text = page.read_text(encoding="utf-8")
    named = set(re.findall(r"(?<![:\w.])pop_stream_[a-z_]+\b(?![:./])", text))
    ours = {name for name in named if not name.startswith("pop_stream_player_")}

    assert ours <= known | parts


def test_the_log_lines_that_pages_name_are_logged() -> None:
    """A name like `delivery.held`, of a first word that names of ours begin with."""
    logged = set(events())
    first_words = {name.partition(".")[0] for name in logged}
    named = {
        span
        for page in WRITTEN
        for span in spans(page.read_text(encoding="utf-8"))
        if re.fullmatch(r"[a-z]+\.[a-z_.]+", span) and span.partition(".")[0] in first_words
    }

    assert named
    assert {name for name in named if not name.endswith(_FILES)} <= logged


def _anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    plain = (re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower() for heading in headings)
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", ALL, ids=name_of)
def test_every_link_within_the_project_leads_to_a_file_and_a_heading(page: Path) -> None:
    """Runbooks and decisions included."""
    links = re.findall(r"\]\(([^)\s:]*)\)", page.read_text(encoding="utf-8"))
    lost = []
    for link in links:
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            lost.append(link)

    assert lost == []


def test_every_page_of_docs_is_in_its_index() -> None:
    """docs/README.md leads to each."""
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    pages = {page.name for page in (ROOT / "docs").glob("*.md")} - {"README.md"}

    assert {page for page in pages if f"]({page})" not in index} == set()
