"""`pop-stream failures`: what is refused before anything is marked."""

from collections.abc import Callable
from pathlib import Path

import pytest

from pop_stream.cli.main import run
from pop_stream.kafka import settlements

POP_ID = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (f"{POP_ID}\nx\n{POP_ID[:-1]}\n", "'x', '017f22e2-79b0-7cc3-98c4-dc0c0c07398'"),
        ("x" * 500, "x" * 60 + "'"),
        (" ".join(f"n{n}" for n in range(9)), "'n4' and 4 more"),
        ("\n", "no ids"),
    ],
)
def test_ids_that_are_none_are_named_and_nothing_is_marked(
    content: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A list with a slip in it is not carried out by half."""
    listed = tmp_path / "ids.txt"
    listed.write_text(content)

    assert run(["failures", "settle", f"@{listed}", "--reason", "r"]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert "nothing was marked" in error
    assert len(error) < 400


def test_a_list_that_cannot_be_read_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """With the name as it was typed."""
    assert run(["failures", "settle", "@/none.txt", "--reason", "r"]) == 2
    assert "@/none.txt: cannot be read" in capsys.readouterr().err


def test_a_mark_needs_a_reason(capsys: pytest.CaptureFixture[str]) -> None:
    """Somebody will ask."""
    assert run(["failures", "settle", POP_ID]) == 2
    assert "--reason" in capsys.readouterr().err


def test_marks_that_are_interrupted_are_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """How many are done, and how to go on; nothing was said."""

    async def interrupted(*_: object, progress: Callable[[int], None]) -> None:
        progress(1)
        raise KeyboardInterrupt

    monkeypatch.setattr(settlements, "settle", interrupted)

    other = POP_ID.replace("f", "e")
    assert run(["failures", "settle", POP_ID, other, "--reason", "r"]) == 130
    assert "1 of 2 are done. The same command does all of them." in capsys.readouterr().err
