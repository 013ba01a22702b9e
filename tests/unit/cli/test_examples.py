"""Examples of every command, and how its help looks."""

import inspect

import click
import pytest

from pop_stream.cli.main import COMMANDS, PROGRAM, cli, run
from pop_stream.errors import KafkaUnreachableError, UsageError, WorkFailedError
from tests.support.command_tree import examples, family

on_every_command = pytest.mark.parametrize("name", [PROGRAM, *COMMANDS])


def _asked(name: str) -> list[tuple[str, click.Command]]:
    return [(PROGRAM, cli)] if name == PROGRAM else family(name)


@on_every_command
def test_every_command_says_what_it_does_and_shows_how(name: str) -> None:
    """One sentence of help, and an example that calls the very command, or one of the group's."""
    for path, command in _asked(name):
        text = inspect.cleandoc(command.help or "")
        first = text.partition("\n")[0]

        assert first.endswith("."), path
        assert ". " not in first, path
        assert "\b\nExample:\n" in text, path
        called = [" ".join([PROGRAM, *words]) for words in examples(command)]
        assert any(call.startswith(path) for call in called), (path, called)


@on_every_command
def test_every_example_parses(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Who copies one gets what it says: no flag that is not there, and no argument is missing."""
    # What was parsed is not carried out.
    monkeypatch.setattr(click.Command, "invoke", lambda *_: None)
    for _, command in _asked(name):
        for words in examples(command):
            code = run(words)

            assert (code, capsys.readouterr().err) == (0, ""), words


def test_an_example_with_a_flag_that_is_not_there_is_found(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The test above can fail."""
    monkeypatch.setattr(click.Command, "invoke", lambda *_: None)
    wrong = click.Command("wrong", help="Example:\n  A=b pop-stream config --jsn | less")

    assert examples(wrong) == [["config", "--jsn"]]
    assert run(["config", "--jsn"]) == 2
    assert "--jsn" in capsys.readouterr().err


@on_every_command
def test_no_help_is_wider_than_80_columns(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Examples included, which are never wrapped."""
    monkeypatch.setenv("COLUMNS", "80")
    for path, _ in _asked(name):
        run([*path.split()[1:], "--help"])

        assert not [line for line in capsys.readouterr().out.splitlines() if len(line) > 80], path


@on_every_command
def test_help_can_be_read_on_40_columns(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only what cannot be broken is wider: what keeps its lines, and a flag with its values."""
    monkeypatch.setenv("COLUMNS", "40")
    for path, command in _asked(name):
        run([*path.split()[1:], "--help"])
        kept = {line.strip() for line in (command.help or "").splitlines()}
        wide = {
            line.strip() for line in capsys.readouterr().out.splitlines() if len(line) > 40
        } - kept

        assert not [line for line in wide if not line.startswith("--")], path


def test_nothing_of_a_commands_line_is_cut_off(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """However narrow it is."""
    monkeypatch.setenv("COLUMNS", "40")
    run(["topics", "--help"])
    page = " ".join(capsys.readouterr().out.split())

    assert "ensure Create the topics that are missing." in page


def test_the_help_tells_every_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    """A script asks for no more."""
    run(["--help"])
    told = " ".join(capsys.readouterr().out.partition("Exit codes:")[2].split())

    known = [each.exit_code for each in (WorkFailedError, UsageError, KafkaUnreachableError)]
    assert [code for code in (0, *known, 130) if f"{code} " not in told] == []
