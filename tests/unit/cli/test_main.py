import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from pop_stream import __version__
from pop_stream.cli.lazy import LazyCommand
from pop_stream.cli.main import COMMANDS, run

End = Callable[[str], int]


@pytest.fixture
def end(monkeypatch: pytest.MonkeyPatch) -> End:
    """Run a command that ends in a given way, and give the exit code."""
    monkeypatch.setitem(COMMANDS, "end", LazyCommand("tests.unit.cli.commands:end", "End."))
    return lambda name: run(["end", name])


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("nothing", 0, ""),
        ("code", 3, ""),
        ("work", 1, "Error: 2 events are lost\n"),
        ("kafka", 3, "Error: no Kafka answers\n"),
        ("wordless", 3, "Error: No broker answers at the bootstrap address.\n"),
        ("group", 3, "Error: no Kafka answers\n"),
        ("exit", 1, ""),
        ("abort", 130, ""),
        ("interrupt", 130, ""),
    ],
)
def test_an_ending_has_its_code_and_one_message(
    end: End, capsys: pytest.CaptureFixture[str], name: str, code: int, said: str
) -> None:
    """What is expected to happen is told in one line on stderr."""
    assert end(name) == code
    assert capsys.readouterr() == ("", said)


def test_all_wrong_settings_are_one_message(end: End, capsys: pytest.CaptureFixture[str]) -> None:
    """A line for each, under one that counts them."""
    assert end("settings") == 2
    assert capsys.readouterr().err.splitlines() == [
        "Error: 2 settings are wrong; nothing was started.",
        "  - POP_STREAM_A must be b",
        "  - POP_STREAM_C must be d",
    ]


def test_wrong_use_is_told_with_the_usage(end: End, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, and nothing on stdout."""
    assert end("usage") == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.endswith("Error: not like this\n")


@pytest.mark.parametrize(
    ("name", "kind"),
    [("defect", "ZeroDivisionError"), ("mixed", "ExceptionGroup"), ("pipe", "BrokenPipeError")],
)
def test_a_defect_shows_where_it_happened(
    end: End, capfd: pytest.CaptureFixture[str], name: str, kind: str
) -> None:
    """Also a broken pipe that is not stdout's."""
    assert end(name) == 1
    out, err = capfd.readouterr()
    assert out == ""
    assert "Traceback (most recent call last)" in err
    assert f"Error: unexpected {kind}: this is a defect. Please tell us" in err


@pytest.mark.parametrize("argv", [["--version"], ["--help"], ["-h"], ["config", "--help"]])
def test_help_is_data(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """What was asked for is on stdout."""
    assert run(argv) == 0
    out, err = capsys.readouterr()
    assert out
    assert err == ""


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Name and version, in one line."""
    run(["--version"])

    assert capsys.readouterr().out == f"pop-stream {__version__}\n"


@pytest.mark.parametrize(
    ("argv", "hint"),
    [
        (["wroker"], "Did you mean 'worker'?"),
        (["Worker"], "Did you mean 'worker'?"),
        (["topics", "ensur"], "Did you mean 'ensure'?"),
        (["kafka", "upp"], "Did you mean 'up'?"),
        (["gstv", "mok"], "Did you mean 'mock'?"),
        (["failures", "redrive", "rn"], "Did you mean 'run'?"),
        (["search"], "Did you mean 'events search'?"),
        (["redrive"], "Did you mean 'failures redrive'?"),
        (["help"], "Did you mean '--help'?"),
        (["version"], "Did you mean '--version'?"),
        (["events", "--limit", "3"], "flags stand behind the command"),
        (["worker", "--kafka-sasl-password", "x"], "Set POP_STREAM_KAFKA_SASL_PASSWORD, or"),
        (["config", "--jsn"], "--json"),
        ([], "Usage: pop-stream"),
        (["config", "extra"], "unexpected extra argument"),
    ],
)
def test_wrong_use_ends_with_2_and_a_hint(
    argv: list[str], hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing on stdout; on stderr what to do instead."""
    assert run(argv) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert hint in err


def test_an_entry_that_is_no_command_is_a_defect(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A slip in the table is found at the first call."""
    entry = LazyCommand("tests.unit.cli.commands:no_command", "Nothing.")
    monkeypatch.setitem(COMMANDS, "nothing", entry)

    assert run(["nothing"]) == 1
    assert "is no click command" in capsys.readouterr().err


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    """`pop-stream config | head -1` complains of nothing."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pop_stream", "config"],
            stdout=writer,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    finally:
        os.close(writer)

    assert (done.returncode, done.stderr) == (1, b"")


def _redirected(redirection: str, *argv: str) -> "subprocess.CompletedProcess[str]":
    """Run a command with its streams as a shell gives them."""
    return subprocess.run(
        ["/bin/sh", "-c", f'exec "$@" {redirection}', "sh",
         sys.executable, "-m", "pop_stream", *argv],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )  # fmt: skip


@pytest.mark.parametrize("argv", [["--help"], ["config"], ["completion", "zsh"]], ids=" ".join)
def test_a_full_disk_is_told_and_is_no_defect(argv: list[str]) -> None:
    """`> /dev/full` was a traceback, exit code 120, and for a help not even a message."""
    done = _redirected("> /dev/full", *argv)

    assert done.returncode == 1
    assert done.stderr.startswith(
        "Error: what was printed could not be written (No space left on device)"
    )
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("argv", [["config"], ["doctor"]], ids=" ".join)
def test_streams_that_are_closed_are_no_defect(closed: str, argv: list[str]) -> None:
    """Their numbers went to other files, and there were tracebacks."""
    done = _redirected(closed, *argv, "--kafka-bootstrap-servers", "127.0.0.1:1")

    assert done.returncode in (0, 3)
    assert "Traceback" not in done.stdout + done.stderr
    assert bool(done.stdout) == (">&-" not in closed.replace("2>&-", ""))


def test_a_stderr_that_nobody_reads_changes_no_exit_code() -> None:
    """It was 120."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pop_stream", "no-such-command"],
            stderr=writer,
            timeout=60,
            check=False,
        )
    finally:
        os.close(writer)

    assert done.returncode in (1, 2)


def test_a_letter_that_the_terminal_lacks_is_no_defect() -> None:
    """It is written as an escape."""
    done = subprocess.run(
        [sys.executable, "-m", "pop_stream", "config", "--notification-type", "\u0141"],
        env={**os.environ, "PYTHONIOENCODING": "latin-1:strict"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert "\\u0141" in done.stdout


def _loaded(argv: list[str]) -> set[str]:
    program = (
        "import sys; from pop_stream.cli.main import run; code = run(sys.argv[1:]);"
        "print(*sys.modules, file=sys.stderr); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *argv],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return set(done.stderr.split())


def test_help_does_not_ask_for_the_version() -> None:
    """It would take half as long again, and the Tab key, too."""
    assert "importlib.metadata" not in _loaded(["--help"])


@pytest.mark.parametrize(
    "argv", [["--help"], ["--version"], ["config"], ["doctor", "--help"]], ids=" ".join
)
def test_light_commands_load_nothing_heavy(argv: list[str]) -> None:
    """Faust takes half a second to import, the Kafka client a fifth, rich a tenth."""
    assert _loaded(argv).isdisjoint({"faust", "mode", "aiokafka", "aiohttp", "rich"})


@pytest.mark.parametrize("name", COMMANDS)
def test_no_help_loads_faust(name: str) -> None:
    """Whoever only asks does not wait for it."""
    assert _loaded([name, "--help"]).isdisjoint({"faust", "mode"})


def test_a_command_whose_packages_are_missing_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Analysts' packages are large, and workers do without them."""
    monkeypatch.setitem(sys.modules, "confluent_kafka", None)
    for name in ("pop_stream.analysis.scan", "pop_stream.cli.events_search"):
        monkeypatch.delitem(sys.modules, name, raising=False)

    assert run(["events", "search"]) == 2
    assert "pip install 'pop-stream[analysts]'" in capsys.readouterr().err
