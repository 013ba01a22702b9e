"""Completion, as a real bash asks for it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pop_stream.cli.main import COMMANDS, run
from tests.support.command_tree import every_command

#: Defines the function as a user's shell does, calls it, and prints what it completes with.
_BASH = """
eval "$(pop-stream completion bash)"
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
compopt() { local IFS=' '; echo "compopt $*"; }
_pop_stream_completion pop-stream
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """A folder with the program as it is installed; how the tests are run does not matter."""
    path = tmp_path / "pop-stream"
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m pop_stream "$@"\n')
    path.chmod(0o755)
    return tmp_path


def completed(program: Path, *words: str) -> list[str]:
    """What bash completes the last word with."""
    done = subprocess.run(
        ["/bin/bash", "--norc", "-c", _BASH, "bash", "pop-stream", *words],
        env={**os.environ, "PATH": f"{program}:{os.environ['PATH']}"},
        cwd=program,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("wo",), ["worker"]),
        (("topics", ""), ["acls", "check", "ensure"]),
        (("events", "re"), ["report", "replay"]),
        (("events", "search", "--lim"), ["--limit"]),
        (("events", "search", "--topic", "f"), ["failure"]),
        (("worker", "--log-level", "W"), ["WARNING"]),
        (("completion", ""), ["bash", "zsh", "fish"]),
        (("player", "drain", "--outbox", ""), ["compopt -o default", ""]),
        (("kafka", "up", "--data", ""), ["compopt -o dirnames", ""]),
        (("worker", "--gstv-ssl-cafile", ""), ["compopt -o default", ""]),
    ],
)
def test_bash_completes(program: Path, words: tuple[str, ...], expected: list[str]) -> None:
    """Commands, flags, the values of a flag where there are few, and files and folders."""
    assert completed(program, *words) == expected


def test_a_line_with_a_slip_is_not_written_over(program: Path) -> None:
    """Whoever presses Tab has not asked for a message: it would stand within the line."""
    assert "Usage:" not in completed(program, "nonsense", "")


def test_packages_that_are_missing_are_not_told_of_by_the_tab_key(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """They are when the command is called."""
    monkeypatch.setitem(sys.modules, "confluent_kafka", None)
    for name in ("pop_stream.analysis.scan", "pop_stream.cli.events_search"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setenv("_POP_STREAM_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "pop-stream events search --")
    monkeypatch.setenv("COMP_CWORD", "3")

    assert run([]) == 1
    assert capsys.readouterr() == ("", "")


def test_every_command_is_completed(program: Path) -> None:
    """The first floor, in the order of the help."""
    floor = [path.split()[1] for path, _ in every_command() if path.count(" ") == 1]

    assert completed(program, "") == floor


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_gets_a_script(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It asks by the variable that the program looks at."""
    assert run(["completion", shell]) == 0
    assert f"_POP_STREAM_COMPLETE={shell}_complete" in capsys.readouterr().out


def test_an_unknown_shell_is_told_which_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    """Wrong use, exit code 2."""
    assert run(["completion", "tcsh"]) == 2
    assert "'bash', 'zsh', 'fish'" in capsys.readouterr().err


def test_no_command_is_imported_to_complete_its_name() -> None:
    """Else the Tab key would wait for Kafka's client, and for pyarrow."""
    program = (
        "import sys\nfrom pop_stream.cli.main import COMMANDS, run\n"
        "try: run([])\nfinally: print(*sys.modules, file=sys.stderr)"
    )
    asked = {"_POP_STREAM_COMPLETE": "bash_complete", "COMP_CWORD": "1"}
    for words in ("pop-stream ", "pop-stream e"):
        done = subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, **asked, "COMP_WORDS": words},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert "plain,events" in done.stdout
        commands = {each.where.partition(":")[0] for each in COMMANDS.values()}
        assert commands.isdisjoint(done.stderr.split())
