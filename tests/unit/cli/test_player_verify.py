"""`player verify`: every kind of damage is named, and mended when asked for."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from pop_stream.player import Outbox
from pop_stream.player.outbox.packing import packed
from pop_stream.player.outbox.row import State
from tests.support.command import run_command
from tests.support.kafka import fresh_settings
from tests.support.outbox_files import EVENT, change, recorded, rewrite, rows_of

NOWHERE = fresh_settings("127.0.0.1:1")


def verify(path: Path, *arguments: str) -> "CompletedProcess[str]":
    """Run the command."""
    return run_command(NOWHERE, "player", "verify", "--outbox", path, *arguments)


def found(path: Path, *arguments: str) -> dict[str, Any]:
    """What it tells a program."""
    told: dict[str, Any] = json.loads(verify(path, "--json", *arguments).stdout)
    return told


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where an outbox may be."""
    return tmp_path / "pops.outbox"


def test_a_sound_outbox_has_no_finding(path: Path) -> None:
    """Also while it is used; a play that is being shown is a note."""
    recorded(path, 3)
    with Outbox(path, zone="UTC") as outbox:
        outbox.start(EVENT)
        done, told = verify(path), found(path)

    assert done.returncode == 0
    assert done.stdout == "note\topen\tplays without an end: 1; they are being shown\n"
    assert (told["sound"], told["findings"]) == (True, [])


def a_seal(path: Path) -> None:
    """One row is not what was written."""
    change(path, "UPDATE plays SET body = 'x' WHERE id = 4")


def a_row(path: Path) -> None:
    """A play is missing between others."""
    change(path, "DELETE FROM plays WHERE id = 4")


def the_last_rows(path: Path) -> None:
    """The last plays are missing."""
    change(path, "DELETE FROM plays WHERE id > 3")


def the_index(path: Path) -> None:
    """The index says otherwise than the rows."""
    change(path, "UPDATE plays SET state = 3 WHERE id = 4")


def a_row_only_the_index_has(path: Path) -> None:
    """The last row is gone, and its index does not know."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        (index,) = connection.execute(
            "SELECT * FROM sqlite_master WHERE name = 'unfinished'"
        ).fetchall()
        connection.execute("DELETE FROM sqlite_master WHERE name = 'unfinished'")
    change(path, "DELETE FROM plays WHERE id = 40")
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("INSERT INTO sqlite_master VALUES (?, ?, ?, ?, ?)", index)


def a_page(path: Path) -> None:
    """A page of the file is overwritten."""
    whole = bytearray(path.read_bytes())
    whole[-4096:-2048] = b"\xff" * 2048
    path.write_bytes(whole)


def the_file(path: Path) -> None:
    """It is gone, and its marks are there."""
    path.unlink()


def the_end(path: Path) -> None:
    """An old copy was put in its place."""
    with_more = path.with_name("old")
    with_more.write_bytes(path.read_bytes())
    recorded(path, 5)
    path.write_bytes(with_more.read_bytes())


DAMAGES = (
    a_seal,
    a_row,
    the_last_rows,
    the_index,
    a_row_only_the_index_has,
    a_page,
    the_file,
    the_end,
)


@pytest.mark.parametrize(
    ("damage", "kind"),
    list(zip(DAMAGES, ("row", "hole", "hole", "row", "row", "file", "file", "marks"), strict=True)),
    ids=[each.__name__ for each in DAMAGES],
)
def test_damage_is_named_and_mended(path: Path, damage: Callable[[Path], None], kind: str) -> None:
    """Exit code 1; after --repair 0, and what is missing is declared lost."""
    recorded(path, 40)
    damage(path)
    done = verify(path)

    assert done.returncode == 1
    assert kind in {line.split("\t")[1] for line in done.stdout.splitlines()}
    mended = verify(path, "--repair", "--json")
    assert (mended.returncode, json.loads(mended.stdout)["sound"]) == (0, True), mended.stdout
    assert json.loads(mended.stdout)["mended"]
    assert verify(path).returncode == 0
    assert "Traceback" not in done.stderr + mended.stderr

    def plays_declared() -> int:
        told = run_command(NOWHERE, "player", "status", "--outbox", path, "--json")
        return sum(each["plays"] for each in json.loads(told.stdout)["lost"])

    numbers = 45 if damage is the_end else 40
    assert len(rows_of(path)) + plays_declared() == numbers


def test_a_repair_of_what_is_sound_changes_nothing(path: Path) -> None:
    """It is no work of every day."""
    recorded(path, 3)
    before = path.read_bytes()

    assert verify(path, "--repair").returncode == 0
    assert path.read_bytes() == before


def test_a_repair_is_refused_while_somebody_records(path: Path) -> None:
    """The recording process mends by itself; two would declare everything twice."""
    recorded(path, 5)
    a_row(path)
    with Outbox(path, zone="UTC"):
        done = verify(path, "--repair")

    assert done.returncode == 2
    assert "records plays already" in done.stderr


def test_losses_that_a_play_tells_of_are_no_holes(path: Path) -> None:
    """Neither those that wait to be told of."""
    recorded(path, 6)
    a_row(path)
    assert verify(path, "--repair").returncode == 0
    recorded(path, 1)
    told = found(path)

    assert "pop-lost" in rows_of(path)[-1].extra.decode()
    assert (told["sound"], told["notes"]) == (True, [])


def test_plays_in_packs_are_there(path: Path) -> None:
    """A pack that cannot be read is named."""
    recorded(path, 6)
    some = rows_of(path)[1:4]
    change(path, "DELETE FROM plays WHERE id IN (2, 3, 4)")
    pack = packed(some, pop_id=b"p" * 16)
    rewrite(path, pack)
    assert found(path)["sound"]

    rewrite(path, replace(pack, body=b"no pack"))
    assert [each["kind"] for each in found(path)["findings"]] == ["pack"]


def test_plays_that_were_cut_off_are_a_note(path: Path) -> None:
    """The player's next start closes them."""
    recorded(path, 1)
    rewrite(path, replace(rows_of(path)[0], state=State.OPEN))
    told = found(path)

    assert told["sound"]
    assert "were cut off" in told["notes"][0]["text"]


def a_database(path: Path) -> None:
    """A database of another program."""
    change(path, "CREATE TABLE t(x)")


@pytest.mark.parametrize("make", [None, Path.touch, Path.mkdir, a_database])
def test_what_is_no_outbox_is_wrong_use(path: Path, make: Callable[[Path], None] | None) -> None:
    """Exit code 2: nothing is mended that is not ours."""
    if make is not None:
        make(path)
    done = verify(path, "--repair")

    assert done.returncode == 2
    assert "pops.outbox" in done.stderr
