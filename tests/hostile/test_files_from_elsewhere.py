"""Files that come from a stick or a stolen disk: refused with a message, and in bounded memory."""

import hashlib
import hmac
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pop_stream.player.carrying.key import key_id
from tests.support.command import run_command
from tests.support.filled_outbox import fill, row
from tests.support.kafka import fresh_settings

NOWHERE = fresh_settings("127.0.0.1:1")
KEY = "0123456789abcdef0123456789abcdef"
RSS_MIB = 300
MEBIBYTE = 1024 * 1024
FUZZ = settings(
    derandomize=True, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

_MEASURED = """
import re, sys
from pathlib import Path
from pop_stream.cli.main import run
code = run(sys.argv[1:])
print(int(re.search("VmHWM:\\\\s+(\\\\d+)", Path("/proc/self/status").read_text())[1]) // 1024)
sys.exit(code)
"""


def measured(*arguments: str | Path) -> tuple[int, int, str]:
    """Run a command: its exit code, the most memory that it took in MiB, and what it complained."""
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, *map(str, arguments)],
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    found = re.findall(r"^\d+$", done.stdout, re.MULTILINE)
    return done.returncode, int(found[-1]), done.stderr


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """The key of a carried file."""
    path = tmp_path / "pops.key"
    path.write_text(KEY + "\n")
    path.chmod(0o600)
    return path


def carried(*lines: bytes, plays: int = 1) -> bytes:
    """A carried file with a first line that fits the key, and a signature that fits all."""
    head = {"popStreamOutbox": 1, "made": "", "outbox": "", "plays": plays, "from": None,
            "to": None, "screens": [], "screenCount": 0, "boots": [], "bootCount": 0,
            "keyId": key_id(KEY.encode())}  # fmt: skip
    signed = orjson.dumps(head) + b"\n" + b"".join(lines)
    digest = hmac.new(KEY.encode(), signed, hashlib.sha256).hexdigest()
    return signed + orjson.dumps({"hmacSha256": digest}) + b"\n"


#: What takes much memory once it is read: ten millions of lists on one line.
NESTED = b"[" + b"[]," * (10 * MEBIBYTE) + b"[]]\n"


@pytest.mark.parametrize(
    "content",
    [NESTED[:-1], b'{"popStreamOutbox":' + NESTED[:-1] + b"}\n",
     carried() + NESTED],
    ids=["a first line", "a version", "behind the signature"],
)  # fmt: skip
def test_a_carried_file_that_would_fill_the_memory_is_refused(
    content: bytes, key: Path, tmp_path: Path
) -> None:
    """Nothing of it is made into objects before the signature is known to fit."""
    path = tmp_path / "hostile.pops"
    path.write_bytes(content)

    code, mebibytes, said = measured("player", "import", path, "--key-file", key, "--dry-run")

    assert code == 2
    assert str(path) in said
    assert "Traceback" not in said
    assert mebibytes < RSS_MIB


@FUZZ
@given(
    changes=st.lists(st.tuples(st.integers(0, 2_000), st.binary(max_size=3)), max_size=3),
    cut=st.none() | st.integers(0, 600),
    tail=st.binary(max_size=5),
)
def test_a_carried_file_of_any_bytes_is_refused_or_what_was_signed(
    changes: list[tuple[int, bytes]], cut: int | None, tail: bytes, key: Path, tmp_path: Path
) -> None:
    """Never half of it, and never a traceback."""
    play = b'{"key":"7/3","headers":[["pop-id","x"]],"body":"{}"}\n'
    whole = carried(play, play, plays=2)
    made = bytearray(whole[:cut])
    for at, part in changes:
        begin = at % (len(made) + 1)
        made[begin : begin + len(part)] = part
    path = tmp_path / "hostile.pops"
    path.write_bytes(bytes(made) + tail)

    done = run_command(NOWHERE, "player", "import", path, "--key-file", key, "--dry-run")

    assert done.returncode == (0 if path.read_bytes() == whole else 2)
    assert "Traceback" not in done.stderr


LOOKS = (("player", "verify"), ("player", "status"), ("player", "export", "--to", "out.pops"))


def look_at(outbox: Path, key: Path) -> list[tuple[int, str]]:
    """What each command says of an outbox that only reads it."""
    done = []
    for arguments in LOOKS:
        more = ["--key-file", key] if "export" in arguments else []
        made = [outbox.with_name(each) if each.endswith(".pops") else each for each in arguments]
        result = run_command(NOWHERE, *made, "--outbox", outbox, *more)
        outbox.with_name("out.pops").unlink(missing_ok=True)
        done.append((result.returncode, result.stderr))
    return done


@FUZZ
@given(
    places=st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=8)), max_size=5),
    cut=st.none() | st.floats(0, 1),
    log=st.none() | st.binary(max_size=64),
)
def test_an_outbox_of_any_bytes_is_read_or_refused_with_a_message(
    places: list[tuple[float, bytes]], cut: float | None, log: bytes | None,
    key: Path, tmp_path: Path,
) -> None:  # fmt: skip
    """Flipped, cut, and beside a log that is none: each command ends with a code of its own."""
    path = tmp_path / "pops.outbox"
    for old in tmp_path.glob("pops.outbox*"):
        old.unlink()
    whole = fill(path, [row(number) for number in range(1, 20)]).read_bytes()
    made = bytearray(whole[: None if cut is None else int(cut * len(whole))])
    for share, part in places:
        begin = int(share * len(made))
        made[begin : begin + len(part)] = part
    path.write_bytes(made)
    if log is not None:
        path.with_name("pops.outbox-wal").write_bytes(log)

    for code, said in look_at(path, key):
        assert code in (0, 1, 2)
        assert "Traceback" not in said


def endless_view(path: Path) -> None:
    """A database in which to count the plays never ends."""
    fill(path, [row(1)])
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("DELETE FROM sqlite_schema WHERE tbl_name = 'plays'")
        connection.execute(
            "INSERT INTO sqlite_schema VALUES ('view', 'plays', 'plays', 0, 'CREATE VIEW plays AS "
            "WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n) SELECT id FROM n')"
        )
    connection.close()


def another_database(path: Path) -> None:
    """One of another program, with a table of that name."""
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE plays (id INTEGER PRIMARY KEY, body BLOB)")
    connection.close()


def huge_and_empty(path: Path) -> None:
    """A terabyte that takes no room."""
    with path.open("wb") as file:
        file.truncate(1024**4)


def huge_behind(path: Path) -> None:
    """An outbox, and behind it a terabyte of nothing."""
    fill(path, [row(1)])
    os.truncate(path, 1024**4)


def link_to_a_device(path: Path) -> None:
    """What never ends."""
    path.symlink_to("/dev/zero")


def link_to_nothing(path: Path) -> None:
    """To a file that is not there."""
    path.symlink_to("/nowhere/at/all")


def link_to_itself(path: Path) -> None:
    """In a circle."""
    path.symlink_to(path)


HOSTILE: list[Callable[[Path], None]] = [
    endless_view, another_database, huge_and_empty, huge_behind, link_to_a_device, link_to_nothing,
    link_to_itself,
]  # fmt: skip


@pytest.mark.parametrize("make", HOSTILE, ids=lambda make: make.__name__)
def test_what_is_no_outbox_is_refused_with_a_message(
    make: Callable[[Path], None], tmp_path: Path
) -> None:
    """It neither goes on for ever, nor fills the memory, nor ends in a traceback."""
    path = tmp_path / "pops.outbox"
    make(path)

    code, mebibytes, said = measured("player", "verify", "--outbox", path)

    # What follows an outbox in its file is none of it.
    assert code in ((0,) if make is huge_behind else (1, 2)), said
    assert "Traceback" not in said
    assert mebibytes < RSS_MIB
