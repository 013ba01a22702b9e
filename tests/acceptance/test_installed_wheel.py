"""The wheel, installed as somebody does who has nothing else: from the lock, in an empty home."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from pop_stream.cli.main import COMMANDS, cli
from release.graph import read_project
from tests.support.built_wheel import Environment, build, copy_of_the_sources, install

VERSION = read_project().version
#: What reads topics for people: it needs the extra `analysts`.
FOR_ANALYSTS = frozenset({"audit", "events", "explain", "failures", "reconcile"})
TYPED = """\
from pop_stream.player import Outbox

outbox: int = Outbox("pops.outbox")
"""
#: In one process, for there are many.
ALL_HELP = """\
import contextlib, io, json, sys
from pop_stream.cli.main import run

told = []
for path in json.loads(sys.argv[1]):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = run([*path, "--help"])
    told.append((code, out.getvalue()))
json.dump(told, sys.stdout)
"""


def paths(command: click.Command = cli, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The words of every command and of every group."""
    yield path
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from paths(inner, (*path, name))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, as it is released."""
    folder = tmp_path_factory.mktemp("wheel")
    (built,) = build(copy_of_the_sources(folder / "sources"), folder / "dist", "wheel")
    return built


@pytest.fixture(scope="module")
def base(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """`pip install pop-stream`."""
    return install(wheel, tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def whole(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """`pip install 'pop-stream[analysts,embedded,otel]'`."""
    return install(wheel, tmp_path_factory.mktemp("whole"), tuple(read_project().extras))


@pytest.mark.parametrize("command", [["pop-stream"], ["python", "-m", "pop_stream"]])
def test_it_runs_and_knows_its_version(base: Environment, command: list[str]) -> None:
    """By its name, and as a module."""
    told = base.run(*command, "--version")

    assert (told.returncode, told.stdout) == (0, f"pop-stream {VERSION}\n"), told.stderr


def test_what_was_installed_is_what_is_run(base: Environment) -> None:
    """Not the sources that the tests run from; and nothing that is for developers is there."""
    where = base.run("python", "-c", "import pop_stream; print(pop_stream.__file__)").stdout
    listed = base.run("python", "-c", "from importlib.metadata import distributions as d;"
                      "print(*sorted(each.name.lower() for each in d()))")  # fmt: skip

    assert Path(where.strip()).is_relative_to(base.folder)
    assert {"pop-stream", "faust-streaming", "cramjam"} <= set(listed.stdout.split())
    assert not {"pytest", "mypy", "hatchling", "duckdb", "jgo"} & set(listed.stdout.split())


def test_every_command_of_the_whole_tells_how_it_is_used(whole: Environment) -> None:
    """With all extras each can be called: nothing that only developers have is imported."""
    every = list(paths())
    told = whole.run("python", "-c", ALL_HELP, json.dumps(every))

    assert {path[0] for path in every if path} == set(COMMANDS)
    assert (told.returncode, told.stderr) == (0, "")
    usages = [f"Usage: {' '.join(['pop-stream', *path])} " for path in every]
    for usage, (code, said) in zip(usages, json.loads(told.stdout), strict=True):
        assert code == 0, usage
        assert said.startswith(usage)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_of_the_base_tells_how_it_is_used_or_what_it_needs(
    base: Environment, name: str
) -> None:
    """Only those for analysts may need more than `pip install pop-stream`."""
    told = base.run("pop-stream", name, "--help")

    if told.returncode and name in FOR_ANALYSTS:
        assert "pip install 'pop-stream[analysts]'" in told.stderr
        assert "Traceback" not in told.stderr
    else:
        assert (told.returncode, told.stderr) == (0, "")
        assert told.stdout.startswith(f"Usage: pop-stream {name}")


@pytest.mark.parametrize(
    ("command", "code", "extra"),
    [
        (["events", "search", "--day", "2026-11-20"], 2, "analysts"),
        (["events", "query", "SELECT 1"], 2, "analysts"),
        (["failures", "list"], 2, "analysts"),
        (["explain", "019af0c2-6b5e-7a51-9c0e-3f2b8d1c4e77"], 2, "analysts"),
        (["kafka", "up"], 3, "embedded"),
        (["demo", "--events", "10"], 3, "embedded"),
        (["worker", "--config", "traces.toml"], 2, "otel"),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, list) else None,
)
def test_what_needs_an_extra_says_which_in_a_line_or_two(
    base: Environment, command: list[str], code: int, extra: str
) -> None:
    """And how it is installed."""
    (base.home / "traces.toml").write_text('traces = "otlp"\ngstv_url = "https://127.0.0.1"\n')
    told = base.run("pop-stream", *command)

    assert told.returncode == code, told.stderr
    assert f"pip install 'pop-stream[{extra}]'" in told.stderr
    assert "Traceback" not in told.stderr


def test_a_player_needs_no_extra(base: Environment) -> None:
    """Plays are written down, and the outbox tells of them."""
    sent = base.run("pop-stream", "player", "send", "--outbox", "pops.outbox", "--filename",
                    "spot.webm", "--asset-id", "5942", "--site", "1202", "--screen", "3", "--start",
                    "2026-11-20 10:00:00", "--end", "2026-11-20 10:00:15", "--zone",
                    "America/Chicago", "--json")  # fmt: skip
    status = base.run("pop-stream", "player", "status", "--outbox", "pops.outbox", "--json")

    assert sent.returncode == 0, sent.stderr
    assert json.loads(sent.stdout)["popId"]
    assert json.loads(status.stdout)["plays"]["ready"] == 1, status.stderr


def test_the_settings_and_the_compiled_faust_are_there(base: Environment) -> None:
    """And Faust finds the transport by its entry point."""
    config = base.run("pop-stream", "config")
    faust = base.run(
        "python", "-c",
        "from faust import streams, transport; streams._CStreamIterator;"
        "print(transport.by_name('popstream').__module__)",
    )  # fmt: skip

    assert config.returncode == 0, config.stderr
    assert "gstv_url" in config.stdout
    assert faust.stdout == "pop_stream.stream.transport\n", faust.stderr


def test_programs_that_use_it_are_checked_by_its_types(base: Environment, tmp_path: Path) -> None:
    """As `py.typed` promises: without it mypy would say that it knows none."""
    program = tmp_path / "player.py"
    program.write_text(TYPED)
    told = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--python-executable", str(base.python),
         "--cache-dir", str(tmp_path / "cache"), str(program)],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert told.returncode == 1, told.stdout + told.stderr
    assert 'expression has type "Outbox", variable has type "int"' in told.stdout
    assert "Found 1 error in 1 file" in told.stdout
