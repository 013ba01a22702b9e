"""Values made of files that are replaced."""

import logging
import os
from pathlib import Path

import pytest

from pop_stream.access.reread import Reread


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def put(path: Path, text: str) -> None:
    """Replace a file as a renewal does: another one takes its name."""
    new = path.with_name("new")
    new.write_text(text)
    new.rename(path)


@pytest.fixture
def clock() -> Clock:
    """Begin at 0."""
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Make a file that holds `old`."""
    path = tmp_path / "secret"
    path.write_text("old")
    return path


def number(path: Path) -> int:
    """Read a file that may hold no number."""
    return int(path.read_text())


def test_a_replaced_file_gives_another_value(path: Path, clock: Clock) -> None:
    """A second later, whoever asks gets what the new file holds."""
    value = Reread([path], path.read_text, clock=clock)
    put(path, "new")

    assert value.get() == "old"
    clock.now = 1.0
    assert value.get() == "new"


def test_a_file_that_was_written_over_gives_another_value(path: Path, clock: Clock) -> None:
    """A file need not be replaced: a change of its content of the same length is seen, too."""
    value = Reread([path], path.read_text, clock=clock)
    path.write_text("new")
    os.utime(path, ns=(1, 1))

    clock.now = 1.0
    assert value.get() == "new"


def test_a_link_that_leads_elsewhere_gives_another_value(tmp_path: Path, clock: Clock) -> None:
    """Kubernetes replaces a secret by turning a link to another folder."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "secret").write_text(name)
    link = tmp_path / "now"
    link.symlink_to("a")
    value = Reread([link / "secret"], (link / "secret").read_text, clock=clock)
    (tmp_path / "next").symlink_to("b")
    (tmp_path / "next").rename(link)

    clock.now = 1.0
    assert value.get() == "b"


def test_the_same_files_are_not_read_again(path: Path, clock: Clock) -> None:
    """A value may be costly to make: it is made when a file has changed, and only then."""
    made: list[str] = []

    def make() -> str:
        made.append(path.read_text())
        return made[-1]

    value = Reread([path], make, clock=clock)
    for clock.now in (1.0, 2.0, 3.0):
        value.get()

    assert made == ["old"]


@pytest.mark.parametrize("content", ["no number", None])
def test_files_that_cannot_be_used_leave_the_value(
    path: Path, clock: Clock, caplog: pytest.LogCaptureFixture, content: str | None
) -> None:
    """Half a renewal is seen now and then. It is told once, and tried again until it is whole."""
    path.write_text("1")
    value = Reread([path], lambda: number(path), clock=clock)
    if content is None:
        path.unlink()
    else:
        put(path, content)
    with caplog.at_level(logging.INFO):
        for clock.now in (1.0, 2.0, 3.0):
            assert value.get() == 1
        put(path, "2")
        clock.now = 4.0
        assert value.get() == 2

    assert [each.getMessage() for each in caplog.records] == [
        "access.reread.failed",
        "access.reread",
    ]
    assert str(path) not in caplog.text


def test_what_cannot_be_made_at_first_is_raised(path: Path) -> None:
    """Without a value there is nothing to go on with."""
    with pytest.raises(ValueError, match="invalid literal"):
        Reread([path], lambda: number(path))


def test_a_value_without_files_stays(clock: Clock) -> None:
    """A secret of a variable cannot change."""
    value = Reread((), lambda: "fixed", clock=clock)
    clock.now = 1.0

    assert value.get() == "fixed"
