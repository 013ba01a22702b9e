"""Every command, used in the wrong ways: what it says, and how it ends.

The commands come from the program itself and what is typed from their examples: a new command is
tried, too.
"""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from pop_stream.cli.main import PROGRAM, run
from tests.support.command import run_here
from tests.support.command_tree import every_command, examples, leaves

NOTHING = "127.0.0.1:1"
#: They begin without Kafka, and go on until they are ended.
SERVING = {"pop-stream gstv mock", "pop-stream kafka up", "pop-stream watch"}
#: What they do needs no Kafka, although they can be told of one.
WITHOUT_KAFKA = {"pop-stream config", "pop-stream player send", "pop-stream topics acls"}
#: What a person can do: a command, a flag, a setting, a word for it; or that a file is not there.
_NEXT = re.compile(
    r"pop-stream |POP_STREAM_|--[a-z]|\b(give|write|makes?|choose|set)\b|No such file",
    re.IGNORECASE,
)

LEAVES = dict(leaves())
#: No command has been loaded by then.
_EARLY = 40
#: Ends itself as Ctrl-C does, at its so manieth import.
_INTERRUPTED = """
import os, runpy, signal, sys
left = int(sys.argv.pop(1))
def look(event, _):
    global left
    if event == "import":
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGINT)
sys.addaudithook(look)
runpy.run_module("pop_stream", run_name="__main__", alter_sys=True)
"""


def words_of(path: str) -> list[str]:
    """What the first example of a command types."""
    words = path.split()[1:]
    return next(call for call in examples(LEAVES[path]) if call[: len(words)] == words)


def hostile(**more: str) -> dict[str, str]:
    """Variables of a place where nothing is as it should be: no home, no terminal, no letters."""
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    return kept | {
        "HOME": "/nowhere", "TERM": "dumb", "NO_COLOR": "1", "COLUMNS": "20", "LC_ALL": "C",
        "PYTHONIOENCODING": "ascii", "POP_STREAM_KAFKA_BOOTSTRAP_SERVERS": NOTHING,
    } | more  # fmt: skip


def told_well(path: str, done: "subprocess.CompletedProcess[str]") -> None:
    """It is no defect, the exit code is a known one, and what to do next is told."""
    assert "Traceback" not in done.stderr, (path, done.stderr)
    assert "is a defect" not in done.stderr, (path, done.stderr)
    assert done.returncode in {0, 1, 2, 3}, (path, done.returncode, done.stderr)
    if done.returncode:
        assert _NEXT.search(done.stderr + done.stdout), (path, done.stderr)


@pytest.fixture
def no_kafka() -> Iterator[str]:
    """The address of somebody who listens, and is no Kafka: every connection is closed."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            with contextlib.suppress(OSError):
                while True:
                    server.accept()[0].close()

        threading.Thread(target=answer, daemon=True).start()
        yield f"127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("path", [path for path in LEAVES if path not in SERVING])
def test_without_kafka_files_home_and_terminal(path: str, tmp_path: Path) -> None:
    """In an empty folder; whatever needs Kafka fails."""
    done = subprocess.run(
        [sys.executable, "-m", "pop_stream", *words_of(path)],
        cwd=tmp_path,
        env=hostile(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    told_well(path, done)
    needs_kafka = any("--kafka-bootstrap-servers" in each.opts for each in LEAVES[path].params)
    if needs_kafka and path not in WITHOUT_KAFKA:
        assert done.returncode != 0, path
    if done.returncode == 3:
        assert NOTHING in done.stderr + done.stdout, (path, done.stderr)


@pytest.mark.parametrize(
    "path", [path for path in LEAVES if path not in {*SERVING, "pop-stream worker"}]
)
def test_where_something_listens_that_is_no_kafka(path: str, tmp_path: Path, no_kafka: str) -> None:
    """It is told as such, and at once: commands for analysts waited 10 s, and did not say why."""
    environ = hostile(POP_STREAM_KAFKA_BOOTSTRAP_SERVERS=no_kafka)
    done = run_here(words_of(path), environ, cwd=tmp_path)

    told_well(path, done)
    if done.returncode == 3:
        assert no_kafka in done.stderr + done.stdout, path
        assert "does not answer PLAINTEXT" in done.stderr + done.stdout, path


@pytest.mark.parametrize("imports", [_EARLY, 200])
@pytest.mark.parametrize("path", LEAVES)
def test_ctrl_c_while_it_starts(path: str, imports: int, tmp_path: Path) -> None:
    """It ends at once, with 130 and without a traceback; those that are done by then, well."""
    done = subprocess.run(
        [sys.executable, "-c", _INTERRUPTED, str(imports), *words_of(path)],
        cwd=tmp_path,
        env=hostile(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert "Traceback" not in done.stderr, (path, done.stderr)
    # Some have not so many imports. By the signal itself Python ends when it comes at its very end;
    # a shell says 130 then, too.
    others = {0, 1, 2, 3, -signal.SIGINT} if imports > _EARLY else set()
    assert done.returncode in {130, *others}, (path, done.stderr)


@pytest.mark.parametrize(("path", "command"), every_command())
def test_a_flag_and_a_command_that_are_not_there(
    path: str, command: click.Command, capsys: pytest.CaptureFixture[str]
) -> None:
    """Wrong use, and where the help is; nothing on stdout."""
    wrong = [["--no-such-flag"]]
    if isinstance(command, click.Group):
        wrong.append(["no-such-command"])
    for words in wrong:
        assert run([*path.split()[1:], *words]) == 2, path
        out, err = capsys.readouterr()
        assert (out, words[0] in err) == ("", True), path
        assert f"Try '{path} -h' for help." in err, path


def test_every_command_has_an_example_to_try() -> None:
    """Else nothing above would try it."""
    assert len(LEAVES) > 30
    assert all(words_of(path) for path in LEAVES)
    assert PROGRAM == "pop-stream"
