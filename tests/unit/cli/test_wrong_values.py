"""Values that nobody can mean, given to every flag of every command."""

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from pop_stream.cli.main import COMMANDS, run
from tests.support.command_tree import family

on_every_command = pytest.mark.parametrize("name", COMMANDS)


def _flags(name: str, kind: type) -> Iterator[tuple[list[str], str]]:
    """The flags of this type: the words of the command, and the flag."""
    for path, command in family(name):
        for each in command.params:
            if isinstance(each, click.Option) and isinstance(each.type, kind):
                yield path.split()[1:], max(each.opts, key=len)


def _refused(words: list[str], flag: str, value: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Wrong use of that flag, which is told."""
    given = [f"{flag}={value}"] if flag.startswith("--") else [flag, value]
    assert run([*words, *given]) == 2, (words, flag, value)
    out, err = capsys.readouterr()
    assert out == ""
    assert f"Invalid value for '{flag}'" in err or f"Invalid value for '-n' / '{flag}'" in err, err
    return err


@on_every_command
def test_an_empty_path_is_not_this_folder(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A variable that is not set: `--outbox "$OUTBOX"` was a traceback, `--to "$TO"` a folder."""
    for words, flag in _flags(name, click.Path):
        assert "it is empty" in _refused(words, flag, "", capsys)


@on_every_command
@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e400"])
def test_what_cannot_be_counted_with_is_no_number(
    name: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nan is in every range: it made `player simulate --rate` wait for ever."""
    for words, flag in _flags(name, click.FloatRange):
        _refused(words, flag, value, capsys)


@on_every_command
def test_a_number_beyond_all_clocks_is_refused(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It was a traceback, of an overflow somewhere."""
    for words, flag in _flags(name, click.IntRange):
        _refused(words, flag, "99999999999999999999", capsys)


def test_an_outbox_that_is_no_file_is_not_mended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--outbox /dev/null` was taken for a damaged one: the device was set aside.

    Here it is a socket, lest a failure of this test take /dev/null from the machine.
    """
    with contextlib.chdir(tmp_path), socket.socket(socket.AF_UNIX) as device:
        device.bind("device")
        device_before = Path("device").stat()
        for name in COMMANDS:
            for words, flag in _flags(name, click.Path):
                if flag == "--outbox":
                    assert "is no file" in _refused(words, flag, "device", capsys)
        assert [each.name for each in Path().iterdir()] == ["device"]
        assert Path("device").stat() == device_before


@pytest.mark.parametrize(
    "argv",
    [
        ["events", "search", "--where", ""],
        ["events", "search", "--where", "  "],
        ["events", "search", "--day", ""],
        ["events", "search", "--played-from", ""],
        ["events", "search", "--played-to", ""],
        ["events", "search", "--stored-from", ""],
        ["events", "search", "--stored-to", ""],
        ["events", "search", "--stored-from", "99999999999d"],
        ["events", "search", "--id", ""],
        ["failures", "settle", "", "--reason", "credited"],
        ["failures", "settle", "019af0c2-6b5e-7a51-9c0e-3f2b8d1c4e77", "--reason", " "],
        ["explain", ""],
        ["player", "check", "--topic", ""],
        ["player", "simulate", "--start", "yesterday"],
        ["player", "simulate", "--rate", "1", "--outage", ""],
        ["gstv", "mock", "--host", "x" * 300],
        ["demo", "--svg", "/nowhere/picture.svg"],
        ["demo", "--svg", "x" * 300],
        ["events", "report", "--csv", "x" * 300],
        ["events", "report", "--html", "/nowhere/page.html"],
        ["events", "search", "--id", "\udcff"],
        ["player", "send", "--from", "\udcff"],
    ],
    ids=lambda argv: " ".join(argv)[:60].encode("ascii", "replace").decode(),
)
def test_a_slip_is_wrong_use(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """One message; it is no defect, and an empty condition does not mean everything."""
    assert run(argv) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "Error: " in err
    assert "Traceback" not in err


@pytest.mark.parametrize("argv", [["events", "replay"], ["failures", "redrive"]], ids=" ".join)
def test_a_plan_that_is_not_there_is_told_how_to_write(
    argv: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without the system's number of the error."""
    assert run([*argv, "run", str(tmp_path / "none.json")]) == 2
    err = capsys.readouterr().err
    assert "none.json cannot be read (No such file or directory)" in err
    assert "--plan FILE --reason TEXT" in err
