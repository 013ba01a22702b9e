"""`player export` and `player import`: what is carried is what was written, or nothing is."""

import base64
import json
import os
import sqlite3
import stat
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from pop_stream.errors import UsageError
from pop_stream.player import Outbox
from pop_stream.player.carrying import writing
from pop_stream.player.carrying.reading import verified
from pop_stream.player.outbox.locks import sending_lock
from pop_stream.player.outbox.packing import packed
from pop_stream.player.outbox.row import State
from pop_stream.player.sending.record import record_of
from tests.support.command import run_command
from tests.support.kafka import fresh_settings
from tests.support.outbox_files import EVENT, change, recorded, rewrite, rows_of, states_of

NOWHERE = fresh_settings("127.0.0.1:1")
KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where an outbox may be."""
    return tmp_path / "pops.outbox"


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """A key file as it must be."""
    return key_file(tmp_path / "pops.key", KEY)


def key_file(path: Path, text: str, mode: int = 0o600) -> Path:
    """A key file."""
    path.write_text(text + "\n")
    path.chmod(mode)
    return path


def export(path: Path, key: Path, *arguments: str) -> "CompletedProcess[str]":
    """Export to a file beside the outbox."""
    to = path.with_name("carried.pops")
    return run_command(NOWHERE, "player", "export", "--outbox", path, "--to", to,
                       "--key-file", key, *arguments)  # fmt: skip


def dry_run(file: Path, key: Path, *arguments: str) -> "CompletedProcess[str]":
    """Verify a file."""
    return run_command(NOWHERE, "player", "import", file, "--key-file", key, "--dry-run",
                       *arguments)  # fmt: skip


def lines_of(file: Path) -> list[dict[str, Any]]:
    """What stands in a file."""
    return [json.loads(line) for line in file.read_bytes().splitlines()]


def test_the_file_holds_what_would_be_sent(path: Path, key: Path) -> None:
    """Each play with its key, its headers and its body; before them what the file is."""
    ids = [*recorded(path, 3, shift="night"), *recorded(path, 2, screen="4")]
    done = export(path, key, "--json")
    file = path.with_name("carried.pops")
    first, *plays, last = lines_of(file)

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["plays"] == first["plays"] == 5
    assert (first["popStreamOutbox"], first["screens"]) == (1, ["1202/3", "1202/4"])
    assert first["boots"] == sorted({row.boot.hex() for row in rows_of(path)})
    assert first["from"] <= first["to"] <= first["made"]
    assert [dict(each["headers"])["pop-id"] for each in plays] == ids
    assert dict(plays[0]["headers"])["shift"] == "night"
    assert set(last) == {"hmacSha256"}
    with verified(file, KEY.encode()) as carried:
        assert list(carried.records()) == [record_of(row) for row in rows_of(path)]
    assert states_of(path) == [State.READY] * 5
    assert KEY not in file.read_text()


def test_the_file_is_its_owners_alone(path: Path, key: Path) -> None:
    """It is signed, and not encrypted."""
    recorded(path, 1)
    before = os.umask(0o022)
    try:
        assert export(path, key).returncode == 0
    finally:
        os.umask(before)

    assert stat.S_IMODE(path.with_name("carried.pops").stat().st_mode) == 0o600


def test_a_body_that_is_no_text_stays_what_it_is(path: Path, key: Path) -> None:
    """It goes as base64."""
    recorded(path, 1)
    body = b'{"filename":"\xff\x00"}\n'
    rewrite(path, replace(rows_of(path)[0], body=body))
    assert export(path, key).returncode == 0
    file = path.with_name("carried.pops")

    assert lines_of(file)[1]["bodyBase64"] == base64.b64encode(body).decode()
    with verified(file, KEY.encode()) as carried:
        assert [each.value for each in carried.records()] == [body]


def test_only_what_waits_is_carried(path: Path, key: Path) -> None:
    """Not what is confirmed, set aside or being shown; plays of packs one by one."""
    ids = recorded(path, 7)
    rows = rows_of(path)
    rewrite(path, replace(rows[0], state=State.ACKED))
    rewrite(path, replace(rows[1], state=State.ASIDE))
    rewrite(path, replace(rows[2], state=State.OPEN))
    rewrite(path, replace(rows[3], state=State.LEASED))
    change(path, "DELETE FROM plays WHERE id IN (5, 6)")
    rewrite(path, packed(rows[4:6], pop_id=b"p" * 16))
    assert export(path, key).returncode == 0
    plays = lines_of(path.with_name("carried.pops"))[1:-1]

    assert [dict(each["headers"])["pop-id"] for each in plays] == ids[3:]


def test_what_is_taken_is_sent_from_the_file_only(path: Path, key: Path) -> None:
    """Packs, too; and the player records on meanwhile."""
    recorded(path, 5)
    rows = rows_of(path)
    rewrite(path, replace(rows[0], state=State.LEASED))
    change(path, "DELETE FROM plays WHERE id IN (2, 3)")
    rewrite(path, packed(rows[1:3], pop_id=b"p" * 16))
    with Outbox(path, zone="UTC") as outbox:
        outbox.start(EVENT)
        done = export(path, key, "--take", "--json")

    told = json.loads(done.stdout)
    assert (done.returncode, told["plays"], told["taken"]) == (0, 5, 5)
    assert states_of(path) == [State.ACKED] * 4 + [State.READY]
    assert all(row.is_sound and row.acked for row in rows_of(path)[:4])
    assert run_command(NOWHERE, "player", "verify", "--outbox", path).returncode == 0


def test_nothing_is_taken_while_somebody_sends(path: Path, key: Path) -> None:
    """Exit code 2, and no file; a copy may be had."""
    recorded(path, 1)
    lock = sending_lock(path)
    lock.take("sends plays")
    done = export(path, key, "--take")

    assert done.returncode == 2
    assert "sends plays already" in done.stderr
    assert not path.with_name("carried.pops").exists()
    assert export(path, key).returncode == 0
    lock.close()


def test_nothing_is_taken_when_the_file_is_not_what_was_written(
    path: Path, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stick may take everything and keep nothing: exit code 1."""
    recorded(path, 3)
    file = path.with_name("carried.pops")

    def lose(folder: Path) -> None:
        assert folder == file.parent
        file.write_bytes(b"\0" * file.stat().st_size)

    monkeypatch.setattr(writing, "_sync_folder", lose)
    done = export(path, key, "--take")

    assert done.returncode == 1
    assert "this disk cannot be trusted" in done.stderr
    assert states_of(path) == [State.READY] * 3


def test_an_outbox_that_does_not_let_go_sends_them_as_well(
    path: Path, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file stays, and is good: exit code 1, and each play is in both places."""
    recorded(path, 3)

    def fail(_: Path) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(writing, "OutboxFile", fail)
    done = export(path, key, "--take")

    assert done.returncode == 1
    assert "the outbox sends these plays as well, under the same pop-ids" in done.stderr
    assert states_of(path) == [State.READY] * 3
    assert dry_run(path.with_name("carried.pops"), key).returncode == 0


def test_a_disk_without_room_leaves_no_file(path: Path, key: Path) -> None:
    """Exit code 1; nothing is taken."""
    recorded(path, 3)
    done = run_command(NOWHERE, "player", "export", "--outbox", path, "--to", "/dev/full",
                       "--key-file", key, "--take")  # fmt: skip
    elsewhere = run_command(NOWHERE, "player", "export", "--outbox", path, "--to",
                            path.parent / "no" / "such", "--key-file", key, "--take")  # fmt: skip

    assert done.returncode == 2  # it is there already
    assert elsewhere.returncode == 1
    assert "cannot be written (No such file or directory)" in elsewhere.stderr
    assert states_of(path) == [State.READY] * 3


def test_a_failed_writing_leaves_no_file(
    path: Path, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a file would stand in the way of the next."""
    recorded(path, 3)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    done = export(path, key, "--take")

    assert done.returncode == 1
    assert "No space left on device" in done.stderr
    assert not path.with_name("carried.pops").exists()
    assert states_of(path) == [State.READY] * 3


def test_no_file_is_written_over(path: Path, key: Path) -> None:
    """It may be the only one that has its plays."""
    recorded(path, 1)
    assert export(path, key).returncode == 0
    before = path.with_name("carried.pops").read_bytes()
    done = export(path, key)

    assert done.returncode == 2
    assert "is there already" in done.stderr
    assert path.with_name("carried.pops").read_bytes() == before


def test_a_damaged_row_stays_and_is_told(path: Path, key: Path) -> None:
    """The others are carried: exit code 1."""
    recorded(path, 3)
    change(path, "UPDATE plays SET body = 'x' WHERE id = 2")
    done = export(path, key, "--take")

    assert done.returncode == 1
    assert "1 rows cannot be read" in done.stderr
    assert len(lines_of(path.with_name("carried.pops"))) == 4
    (state,) = {row.state for row in rows_of(path) if row.id == 2}
    assert state is State.READY


def test_a_pack_that_cannot_be_read_stays(path: Path, key: Path) -> None:
    """Nobody else has its plays: it is told, and not taken."""
    recorded(path, 4)
    rows = rows_of(path)
    change(path, "DELETE FROM plays WHERE id IN (2, 3)")
    rewrite(path, replace(packed(rows[1:3], pop_id=b"p" * 16), body=b"no pack"))
    rewrite(path, replace(rows[3], extra=b"[1]"))
    done = export(path, key, "--take", "--json")
    told = json.loads(done.stdout)

    assert done.returncode == 1
    assert (told["plays"], told["taken"], told["damagedRows"]) == (1, 1, 2)
    assert states_of(path) == [State.ACKED, State.READY, State.READY]


@pytest.mark.parametrize(
    ("text", "mode", "said"),
    [
        (KEY, 0o640, "chmod 600"),
        (KEY, 0o604, "chmod 600"),
        ("short", 0o600, "too short"),
        ("", 0o600, "too short"),
        (None, 0, "there is no key file"),
    ],
)
def test_a_key_must_be_secret(path: Path, text: str | None, mode: int, said: str) -> None:
    """Exit code 2, on both sides; no file is written."""
    recorded(path, 1)
    key = path.with_name("other.key")
    if text is not None:
        key_file(key, text, mode)
    file = path.with_name("carried.pops")
    file.touch()
    imported = dry_run(file, key)
    file.unlink()
    exported = export(path, key)

    assert (exported.returncode, imported.returncode) == (2, 2)
    assert said in exported.stderr
    assert said in imported.stderr
    assert not file.exists()


def test_every_altered_byte_is_noticed(path: Path, key: Path) -> None:
    """And every place at which the file may be cut off."""
    recorded(path, 2)
    assert export(path, key).returncode == 0
    file = path.with_name("carried.pops")
    whole = file.read_bytes()

    def is_refused(content: bytes) -> bool:
        file.write_bytes(content)
        try:
            with verified(file, KEY.encode()):
                return False
        except UsageError:
            return True

    assert not is_refused(whole)
    for at in range(len(whole)):
        altered = bytearray(whole)
        altered[at] ^= 1
        assert is_refused(bytes(altered)), at
        assert is_refused(whole[:at]), at


@pytest.mark.parametrize(
    ("alter", "said"),
    [
        (lambda whole: whole[: len(whole) // 2], "its end is cut off"),
        (lambda whole: whole.replace(b"a.webm", b"b.webm"), "was altered"),
        (lambda whole: whole + whole, "was altered"),
        (lambda whole: whole + b"{}\n", "something was added"),
        (lambda whole: b"".join(whole.splitlines(keepends=True)[::2]), "was altered"),
        (lambda whole: whole.replace(b'Outbox":1', b'Outbox":2'), "written by a newer pop-stream"),
        (lambda _: b"", "no file that `player export` wrote"),
        (lambda _: b"a film\n" * 1000, "no file that `player export` wrote"),
        (lambda _: b'{"popId": "1"}\n', "no file that `player export` wrote"),
    ],
)
def test_an_altered_cut_or_foreign_file_is_refused_as_a_whole(
    path: Path, key: Path, alter: Any, said: str
) -> None:
    """Exit code 2, with what is wrong."""
    recorded(path, 5)
    assert export(path, key).returncode == 0
    file = path.with_name("carried.pops")
    file.write_bytes(alter(file.read_bytes()))
    done = dry_run(file, key)

    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_another_key_is_told_as_such(path: Path, key: Path) -> None:
    """Not as an altered file: whoever imports must know which of the two."""
    recorded(path, 1)
    assert export(path, key).returncode == 0
    other = key_file(path.with_name("other.key"), KEY[::-1])
    done = dry_run(path.with_name("carried.pops"), other)

    assert done.returncode == 2
    assert "was signed with another key" in done.stderr


def test_a_dry_run_counts_and_needs_no_kafka(path: Path, key: Path) -> None:
    """Also a file without a play."""
    recorded(path, 4)
    assert export(path, key).returncode == 0
    file = path.with_name("carried.pops")
    told = json.loads(dry_run(file, key, "--json").stdout)

    assert (told["plays"], told["screens"], told["confirmed"], told["dryRun"]) == (4, 1, 0, True)
    change(path, "DELETE FROM plays")
    file.unlink()
    assert export(path, key).returncode == 0
    assert json.loads(dry_run(file, key, "--json").stdout)["plays"] == 0


def test_an_import_without_kafka_is_exit_3(path: Path, key: Path) -> None:
    """Once the file is known to be good."""
    recorded(path, 1)
    assert export(path, key).returncode == 0
    file = path.with_name("carried.pops")
    done = run_command(NOWHERE, "player", "import", file, "--key-file", key)

    assert (done.returncode, done.stdout) == (3, "")
    assert "127.0.0.1:1" in done.stderr


def test_wrong_use_is_exit_2(path: Path, key: Path) -> None:
    """No outbox, another program's database, no file."""
    nothing = export(path, key)
    change(path, "CREATE TABLE t(x)")
    foreign = export(path, key)
    missing = dry_run(path.with_name("missing"), key)

    assert [each.returncode for each in (nothing, foreign, missing)] == [2, 2, 2]
    assert "there is no outbox" in nothing.stderr
    assert "another program" in foreign.stderr
    assert "missing cannot be read" in missing.stderr
