"""The pages that are made from the code say what the code says, all of it and nothing else."""

import ast
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from reference import __main__, pages
from reference.exit_codes import MEANINGS as CODES
from reference.exit_codes import codes_in_use, errors
from reference.header_meanings import HTTP, NO_HEADERS, RECORDS
from reference.header_samples import http_sample, record_samples
from reference.log_events import SOURCE, events
from reference.log_meanings import MEANINGS

_is_like_a_header = re.compile(r"pop(-[a-z]+)+").fullmatch


@pytest.mark.parametrize("name", pages.PAGES)
def test_a_page_made_from_the_code_is_up_to_date(name: str) -> None:
    """If not: make docs."""
    assert (pages.DOCS / name).read_text(encoding="utf-8") == pages.PAGES[name]()


def test_every_header_that_is_written_is_told_of_and_no_other() -> None:
    """If not: reference/header_meanings.py."""
    written = {name for sample in record_samples().values() for name in sample}

    assert set(RECORDS) == written
    assert set(HTTP) == set(http_sample())


def test_no_header_is_named_in_the_code_of_which_the_page_knows_nothing() -> None:
    """A text like `pop-...` is a header of the page, or is known to be none."""
    texts = {
        node.value
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    named = {text for text in texts if _is_like_a_header(text)}

    assert named <= set(RECORDS) | NO_HEADERS
    assert named >= NO_HEADERS


def test_every_line_that_is_logged_is_told_of_and_no_other() -> None:
    """If not: reference/log_meanings.py."""
    told = [name for meanings in MEANINGS.values() for name in meanings]

    assert sorted(told) == list(events())


def test_every_exit_code_is_told_of_and_no_other() -> None:
    """If not: reference/exit_codes.py."""
    assert set(CODES) == codes_in_use()
    assert all(error.__doc__ for error in errors())


def _room(folder: Path, text: str) -> Path:
    (folder / "room").mkdir()
    (folder / "room" / "file.py").write_text(text, encoding="utf-8")
    return folder


def test_a_line_is_found_with_its_levels_and_fields_wherever_they_are_put_together(
    tmp_path: Path,
) -> None:
    """Fields come from a dictionary, a variable, a function or a union of them."""
    source = _room(
        tmp_path,
        "def _names(it):\n    return {'a': it}\n\n"
        "def told(log, it):\n"
        "    facts = {**_names(it), 'b': 1}\n"
        "    what = 'it.began' if it else 'it.ended'\n"
        "    log.warning(what, extra=facts | {'c': 2})\n"
        "    log.log(ERROR if it else logging.INFO, 'it.began', extra=it.as_object())\n",
    )

    found = events(source)

    assert list(found) == ["it.began", "it.ended"]
    assert set(found["it.ended"].fields) == {"a", "b", "c"}
    assert found["it.ended"].levels == {"WARNING"}
    assert not found["it.ended"].has_more
    assert found["it.began"].levels == {"WARNING", "INFO"}
    assert found["it.began"].has_more


def test_a_line_whose_name_is_not_constant_is_refused(tmp_path: Path) -> None:
    """Nobody could look for it, and no page could tell of it."""
    source = _room(tmp_path, "log.warning(f'it.{what}')\n")

    with pytest.raises(ValueError, match="logs no constant name"):
        events(source)


def test_pages_out_of_date_are_named_and_then_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--check` ends with 1 and writes nothing; without it they are written."""
    monkeypatch.setattr(__main__, "DOCS", tmp_path)
    monkeypatch.setattr(__main__, "PAGES", {"settings.md": lambda: "new"})
    (tmp_path / "settings.md").write_text("old")

    checked = CliRunner().invoke(__main__.main, ["--check"])
    kept = (tmp_path / "settings.md").read_text()
    written = CliRunner().invoke(__main__.main, [])

    assert checked.exit_code == 1
    assert "docs/settings.md is out of date" in checked.output
    assert kept == "old"
    assert written.exit_code == 0
    assert (tmp_path / "settings.md").read_text() == "new"
    assert CliRunner().invoke(__main__.main, ["--check"]).exit_code == 0
