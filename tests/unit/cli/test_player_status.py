"""`player status`: how an outbox stands, while it is used and when it is broken."""

import json
import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import orjson
import pytest

from pop_stream.player import Limits, Outbox
from pop_stream.player.outbox import losses, reading
from pop_stream.player.outbox.locks import sending_lock
from pop_stream.player.outbox.losses import Loss, Reason
from pop_stream.player.outbox.packing import packed
from pop_stream.player.outbox.row import State
from tests.support.command import run_command
from tests.support.kafka import fresh_settings
from tests.support.outbox_files import EVENT, change, recorded, rewrite, rows_of

NOWHERE = fresh_settings("127.0.0.1:1")


def status(path: Path, *arguments: str | Path) -> "CompletedProcess[str]":
    """Run the command."""
    return run_command(NOWHERE, "player", "status", "--outbox", path, *arguments)


def told(path: Path) -> dict[str, Any]:
    """What it tells a program."""
    found: dict[str, Any] = json.loads(status(path, "--json").stdout)
    return found


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where an outbox may be."""
    return tmp_path / "pops.outbox"


def test_it_says_what_waits_and_who_uses_it(path: Path) -> None:
    """While a process records and one sends, whom it does not disturb."""
    with Outbox(path, zone="UTC") as outbox:
        outbox.start(EVENT).end()
        outbox.start(EVENT)
        lock = sending_lock(path)
        lock.take("sends plays")
        before = path.read_bytes()
        done, found = status(path), told(path)
        lock.close()
        assert path.read_bytes() == before

    assert done.returncode == 0
    assert "1  waiting" in done.stdout
    assert f"recorded by process {os.getpid()}; sent by process {os.getpid()}" in done.stdout
    assert found["plays"] == {"open": 1, "ready": 1, "leased": 0, "acked": 0, "aside": 0}
    assert (found["recordedBy"], found["sentBy"]) == (os.getpid(), os.getpid())
    assert found["oldestWaiting"].endswith("Z")
    assert found["oldestWaitingSeconds"] >= 0
    assert found["bytes"]["soft"] < found["bytes"]["hard"]
    assert found["damage"] == found["lost"] == found["aside"] == []


@pytest.mark.parametrize(("mode", "is_told"), [(0o600, False), (0o660, False), (0o644, True)])
def test_it_says_when_everybody_can_read_it(path: Path, mode: int, is_told: bool) -> None:
    """As those are that an older pop-stream has made; nobody need be woken for it."""
    recorded(path, 1)
    path.chmod(mode)
    done = status(path)

    assert done.returncode == 0
    assert (f"chmod o= {path}*" in done.stdout) == is_told
    assert told(path)["mode"] == f"{mode:04o}"


def test_the_limits_are_those_that_the_player_has_set(path: Path) -> None:
    """Also when it does not run; and those that all have, where it has set none."""
    recorded(path, 1)
    usual = told(path)["bytes"]
    Outbox(path, zone="UTC", limits=Limits(soft=5 << 20, hard=7 << 20)).close()
    found = told(path)["bytes"]

    assert (usual["soft"], usual["hard"]) == (512 << 20, 1 << 30)
    assert (found["soft"], found["hard"]) == (5 << 20, 7 << 20)
    assert "warns from 5 on, takes nothing beyond 7" in status(path).stdout


def test_nobody_uses_it_once_all_have_ended(path: Path) -> None:
    """Lock files that are left behind say nothing."""
    recorded(path, 1)
    found = told(path)

    assert path.with_name("pops.outbox.recording").exists()
    assert (found["recordedBy"], found["sentBy"]) == (None, None)


def test_a_play_set_aside_is_named_with_its_error(path: Path) -> None:
    """Somebody has to look at it: exit code 1."""
    pop_id, _ = recorded(path, 2)
    row = rows_of(path)[0]
    rewrite(path, replace(row, state=State.ASIDE, extra=orjson.dumps({"pop-error": "too large"})))
    done, found = status(path), told(path)

    assert done.returncode == 1
    assert f"ASIDE   {pop_id}  1202/3  too large" in done.stdout
    assert [(each["popId"], each["error"]) for each in found["aside"]] == [(pop_id, "too large")]


def test_a_loss_that_nobody_was_told_of_is_exit_1(path: Path) -> None:
    """With its screen, its numbers and why."""
    recorded(path, 1)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        loss = Loss(key="1202/3", boot=b"b" * 16, reason=Reason.FULL, first=2, last=5)
        losses.note(connection, [loss])
    done, found = status(path), told(path)

    assert done.returncode == 1
    assert "LOST    4 of screen 1202/3, numbers 2 to 5: outbox-full" in done.stdout
    assert found["lost"][0]["plays"] == 4


def test_the_last_confirmation_is_told(path: Path) -> None:
    """And what was confirmed does not wait."""
    recorded(path, 1)
    rewrite(path, replace(rows_of(path)[0], state=State.ACKED, acked=1_790_000_000_000))
    found = told(path)

    assert found["lastAck"] == "2026-09-21T14:13:20.000Z"
    assert (found["oldestWaiting"], found["oldestWaitingSeconds"]) == (None, None)


def test_plays_in_packs_are_counted_one_by_one(path: Path) -> None:
    """In each state; what is confirmed costs a look at all of the file, and may be left out."""
    recorded(path, 9)
    rows = rows_of(path)
    change(path, "DELETE FROM plays WHERE id IN (2, 3)")
    rewrite(path, packed(rows[1:3], pop_id=b"p" * 16))
    for row in rows[3:6]:
        rewrite(path, replace(row, state=State.ACKED, acked=row.started))
    pack = packed(rows[6:], pop_id=b"q" * 16)
    change(path, "DELETE FROM plays WHERE id IN (8, 9)")
    rewrite(path, replace(pack, state=State.ACKED))
    textfile = path.with_name("pops.prom")
    status(path, "--prometheus", textfile)

    assert told(path)["plays"] == {"open": 0, "ready": 3, "leased": 0, "acked": 6, "aside": 0}
    assert 'state="ready"} 3' in textfile.read_text()
    assert 'state="acked"' not in textfile.read_text()


def cut(path: Path) -> None:
    """Leave the first page, and half of the next."""
    with path.open("r+b") as file:
        file.truncate(4096 + 2000)


def other(path: Path) -> None:
    """A database of another program in its place."""
    path.unlink()
    change(path, "CREATE TABLE t(x)")


@pytest.mark.parametrize(
    "damage",
    [cut, other, Path.unlink, lambda path: path.write_bytes(b""),
     lambda path: path.write_bytes(b"\0" * 8192)],
    ids=["cut", "another database", "gone", "empty", "zeros"],
)  # fmt: skip
def test_a_damaged_outbox_is_told_as_damaged(path: Path, damage: Any) -> None:
    """Exit code 1 and one line that says so, in the textfile too; no traceback."""
    recorded(path, 40)
    damage(path)
    textfile = path.with_name("pops.prom")
    done = status(path, "--prometheus", textfile)

    assert done.returncode == 1, done.stderr
    assert "DAMAGED " in done.stdout
    assert 'pop_stream_player_outbox_damaged{outbox="pops.outbox"} 1' in textfile.read_text()
    # What cannot be read is not 0.
    assert "pop_stream_player_plays" not in textfile.read_text()
    assert told(path)["plays"] is None
    assert "Traceback" not in done.stderr


def test_an_end_that_is_missing_is_told(path: Path) -> None:
    """The marks know of more than the file holds: an old copy was put in its place."""
    recorded(path, 2)
    old = path.read_bytes()
    recorded(path, 3)
    path.write_bytes(old)
    done = status(path)

    assert done.returncode == 1
    assert "its end is missing, and with it plays 3 to 5 of screen 1202/3" in done.stdout


@pytest.mark.parametrize("kind", ["missing", "folder", "text", "empty", "database"])
def test_what_is_no_outbox_is_wrong_use(path: Path, kind: str) -> None:
    """Exit code 2, and nothing is made or changed."""
    match kind:
        case "folder":
            path.mkdir()
        case "text":
            path.write_text("a shopping list\n" * 100)
        case "empty":
            path.touch()
        case "database":
            change(path, "CREATE TABLE t(x)")
    before = sorted(path.parent.iterdir())
    done = status(path)

    assert done.returncode == 2, done
    assert "pops.outbox" in done.stderr
    assert "Traceback" not in done.stderr
    assert [each for each in sorted(path.parent.iterdir()) if each.suffix == ".outbox"] == [
        each for each in before if each.suffix == ".outbox"
    ]


def test_a_textfile_is_whole_at_every_moment(path: Path) -> None:
    """The one before is replaced; nothing else is left in the folder of the collector."""
    recorded(path, 3)
    folder = path.parent / "collector"
    folder.mkdir()
    textfile = folder / "pops.prom"
    textfile.write_text("old")
    assert status(path, "--prometheus", textfile).returncode == 0
    lines = textfile.read_text().splitlines()

    assert [each.name for each in folder.iterdir()] == ["pops.prom"]
    assert 'pop_stream_player_plays{outbox="pops.outbox",state="ready"} 3' in lines
    assert all(line.startswith(("# HELP ", "# TYPE ", "pop_stream_player_")) for line in lines)


def test_prometheus_reads_the_textfile(path: Path, promtool: Path) -> None:
    """Its own linter has nothing to say."""
    recorded(path, 1)
    textfile = path.with_name("pops.prom")
    status(path, "--prometheus", textfile)
    with textfile.open() as given:
        checked = subprocess.run(
            [promtool, "check", "metrics"], stdin=given, capture_output=True, text=True, check=False
        )

    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


def test_a_textfile_that_cannot_be_written_is_exit_1(path: Path) -> None:
    """One line says why."""
    recorded(path, 1)
    done = status(path, "--prometheus", path.with_name("no") / "pops.prom")

    assert (done.returncode, done.stdout) == (1, "")
    assert "cannot be written (No such file or directory)" in done.stderr


@pytest.mark.parametrize("with_log", [False, True])
def test_a_disk_that_is_read_only_can_be_looked_at(
    path: Path, with_log: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also with a log that a power cut has left, which SQLite refuses to read there."""
    with Outbox(path, zone="UTC") as outbox:
        for _ in range(3):
            outbox.start(EVENT).end()
        copy = path.parent / "card" / path.name
        copy.parent.mkdir()
        shutil.copyfile(path, copy)
        shutil.copyfile(f"{path}-wal", f"{copy}-wal")
    if not with_log:
        shutil.copyfile(path, copy)
        Path(f"{copy}-wal").unlink()
    connected = reading._connected

    def refused(where: Path, more: str = "") -> sqlite3.Connection:
        if where == copy and not more:
            error = sqlite3.OperationalError("unable to open database file")
            error.sqlite_errorcode = sqlite3.SQLITE_CANTOPEN
            raise error
        return connected(where, more)

    monkeypatch.setattr(reading, "_connected", refused)

    assert told(copy)["plays"]["ready"] == 3
    assert {each.name for each in copy.parent.iterdir()} <= {copy.name, f"{copy.name}-wal"}
