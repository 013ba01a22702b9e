"""An outbox that is full: what waits is never thrown away, and what is refused is told of."""

import errno
import sqlite3
import subprocess
import zlib
from collections.abc import Iterator
from pathlib import Path
from random import Random

import orjson
import pytest

from pop_stream.player import Limits
from pop_stream.player.outbox import disk as disk_module
from pop_stream.player.outbox import room
from pop_stream.player.outbox.facts import facts
from pop_stream.player.outbox.file import OutboxFile
from pop_stream.player.outbox.recording import Recording
from pop_stream.player.outbox.row import State
from tests.support.outbox import (
    Account,
    HandClock,
    account_in,
    account_of,
    ack_oldest,
    event_of,
    mended_account,
    outbox_at,
    record,
    set_state,
)

LIMITS = Limits(soft=100_000, hard=208_192)
#: So large that few fill an outbox, and of a kind that packing makes no smaller.
NOISE = "".join(chr(33 + zlib.crc32(b"%d" % n) % 90) for n in range(3000))


def fill(outbox: Path, number: int = 400, *, noise: str = NOISE) -> set[tuple[str, int]]:
    """Play more than there is room for; gives all numbers."""
    with outbox_at(outbox, limits=LIMITS) as recording:
        for n in range(number):
            recording.start(event_of("0", note=noise[n % 50 :])).end()
    return {("1/0", n + 1) for n in range(number)}


def test_the_file_stays_within_its_limit_and_the_oldest_stay_in_it(tmp_path: Path) -> None:
    """New plays are refused; declared, with why and when, each number once."""
    produced = fill(tmp_path / "pops")

    account = account_of(tmp_path / "pops")

    account.require(produced)
    assert ("1/0", 1) in account.stored
    assert account.lost == {("1/0", n) for n in range(min(account.lost)[1], 401)}
    assert not account.stored & account.lost
    assert (tmp_path / "pops").stat().st_size < LIMITS.hard + 30_000


def test_when_there_is_room_again_the_next_play_tells_of_the_loss(tmp_path: Path) -> None:
    """In a header; numbers go on."""
    produced = fill(tmp_path / "pops")
    before = account_of(tmp_path / "pops")
    acked = ack_oldest(tmp_path / "pops", 30)

    with outbox_at(tmp_path / "pops", limits=LIMITS) as recording:
        recording.start(event_of("0"), {"own": "header"}).end()

    account = account_of(tmp_path / "pops")
    account.require(produced - acked | {("1/0", 401)})
    assert account.told == before.lost
    assert not account.waiting
    headers = orjson.loads(account.row("1/0", 401).extra or b"")
    assert headers["own"] == "header"
    (loss,) = orjson.loads(headers["pop-lost"])
    assert loss["reason"] == "outbox-full"
    assert loss["plays"] == len(before.lost) == loss["last"] - loss["first"] + 1
    assert loss["last"] == 400
    assert loss["boot"] == before.rows[0].boot.hex()
    assert 0 < loss["since"] <= loss["until"]


def test_what_the_broker_has_goes_first(tmp_path: Path) -> None:
    """Then no other play has to."""
    fill(tmp_path / "pops", 40)
    set_state(tmp_path / "pops", State.ACKED, range(1, 41), acked=1)

    with outbox_at(tmp_path / "pops", limits=LIMITS) as recording:
        for _ in range(40):
            recording.start(event_of("0", note=NOISE)).end()

    account = account_of(tmp_path / "pops")
    assert not account.lost
    assert account.stored >= {("1/0", n) for n in range(41, 81)}


def test_then_the_oldest_that_wait_are_packed(tmp_path: Path) -> None:
    """They are all there, in a fifth of the room; each is what it was."""
    produced = fill(tmp_path / "pops", 900, noise="n" * 100)

    account = account_of(tmp_path / "pops")

    account.require(produced)
    assert not account.lost
    assert {row.state for row in account.rows} == {State.READY}
    connection = sqlite3.connect(tmp_path / "pops")
    (packs,) = connection.execute("SELECT count(*) FROM plays WHERE number > 1").fetchone()
    connection.close()
    assert packs > 0


def test_a_screen_whose_plays_are_all_packed_keeps_its_numbers_in_a_salvage(
    tmp_path: Path,
) -> None:
    """Nothing but the packs tells of them when the marks are gone, too."""
    outbox = tmp_path / "pops"
    with outbox_at(outbox) as recording:
        record(recording, 600)
    file = OutboxFile(outbox)
    with file.transaction() as connection:
        while room.pack(connection, lambda: bytes(16)):
            pass
    file.close()
    content = bytearray(outbox.read_bytes())
    content[100:612] = bytes(512)
    outbox.write_bytes(content)
    (tmp_path / "pops.marks").unlink()

    account = mended_account(outbox)

    account.require({(f"1/{n % 2}", n // 2 + 1) for n in range(600)})
    assert account.numbers == {"1/0": 300, "1/1": 300}
    assert not account.lost


def test_a_play_that_is_shown_when_the_outbox_fills_up_is_closed_all_the_same(
    tmp_path: Path,
) -> None:
    """An end takes hardly any room."""
    with outbox_at(tmp_path / "pops", limits=LIMITS) as recording:
        shown = recording.start(event_of("1"))
        for n in range(200):
            recording.start(event_of("0", note=NOISE[n % 50 :])).end()
        shown.end()
        account = account_in(recording._recording._disk._file.connection)  # type: ignore[union-attr]

    assert account.lost
    assert account.row("1/1", 1).state is State.READY
    assert "pop-interrupted" not in str(account.row("1/1", 1).extra)


def test_the_heartbeat_goes_on_when_the_outbox_is_full(tmp_path: Path) -> None:
    """Else a play that is cut off then would end too early."""
    fill(tmp_path / "pops")
    hand = HandClock()
    recording = Recording(tmp_path / "pops", boot=bytes(16), limits=LIMITS, clock=hand.clock)
    hand.pass_by(3600)

    recording.beat()
    recording.close()

    connection = sqlite3.connect(tmp_path / "pops")
    assert facts(connection)["heartbeat"] == hand.wall_ms
    connection.close()


def test_numbers_of_refused_plays_are_given_to_no_other_after_a_salvage(tmp_path: Path) -> None:
    """The rows end before them; the marks do not."""
    produced = fill(tmp_path / "pops")
    before = account_of(tmp_path / "pops")
    content = bytearray((tmp_path / "pops").read_bytes())
    content[100:612] = bytes(512)
    (tmp_path / "pops").write_bytes(content)

    account = mended_account(tmp_path / "pops")

    account.require(produced)
    assert account.lost == before.lost
    assert account.numbers == {"1/0": 400}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 16 MiB, and nothing in it."""
    place = tmp_path / "small"
    place.mkdir()
    made = subprocess.run(
        ["/usr/bin/mount", "-t", "tmpfs", "-o", "size=16m", "none", str(place)],
        capture_output=True, check=False, text=True,
    )  # fmt: skip
    if made.returncode:
        pytest.skip(f"a small file system needs the right to mount: {made.stderr.strip()}")
    yield place
    subprocess.run(["/usr/bin/umount", str(place)], check=True)


def test_a_disk_that_is_full_of_plays_loses_none_without_a_word(small_disk: Path) -> None:
    """It is as with a limit; once there is room again, the loss is told, and numbers go on."""
    outbox = small_disk / "pops"
    with outbox_at(outbox) as recording:
        random = Random(1)
        for _ in range(500):
            recording.start(event_of("0", note=random.randbytes(20_000).hex())).end()
        full: Account = account_in(recording._recording._disk._file.connection)  # type: ignore[union-attr]
        acked = set()
        for _ in range(12):
            # Also the sender has the reserve for what makes room, once the log is in the file.
            room.Reserve(outbox).give()
            _empty_log(outbox)
            acked |= ack_oldest(outbox, 1)
            recording.start(event_of("0")).end()

    account = account_of(outbox)

    account.require({("1/0", n + 1) for n in range(512)} - acked)
    assert ("1/0", 512) in account.stored
    assert account.told
    assert {row.state for row in full.rows} == {State.READY}
    assert ("1/0", 1) in full.stored


def _empty_log(outbox: Path) -> None:
    connection = sqlite3.connect(outbox)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    connection.close()


def test_a_disk_that_others_fill_is_used_again_when_they_are_gone(small_disk: Path) -> None:
    """Nothing of it is the outbox's fault, and nothing of it is forgotten."""
    outbox = small_disk / "pops"
    with outbox_at(outbox) as recording:
        record(recording, 20)
        _fill_up(small_disk / "others")
        record(recording, 400)
        (small_disk / "others").unlink()
        record(recording, 2)

    account = account_of(outbox)

    account.require({(f"1/{n % 2}", n // 2 + 1) for n in range(422)})
    assert account.stored >= {("1/0", 211), ("1/1", 211)}


def test_a_start_on_a_full_disk_loses_nothing_that_is_there(small_disk: Path) -> None:
    """It starts anyway, and declares what it cannot take."""
    outbox = small_disk / "pops"
    with outbox_at(outbox) as recording:
        record(recording, 20)
    (small_disk / "pops.reserve").unlink()
    _fill_up(small_disk / "others")
    with outbox_at(outbox) as recording:
        record(recording, 200)
        (small_disk / "others").unlink()
        record(recording, 2)

    mended_account(outbox).require({(f"1/{n % 2}", n // 2 + 1) for n in range(222)})


def _fill_up(place: Path) -> None:
    with place.open("wb", buffering=0) as file:
        try:
            while file.write(b"x" * 512):
                pass
        except OSError as full:
            assert full.errno == errno.ENOSPC  # noqa: PT017 - whenever that is


class FailingConnection:
    """A connection whose commits fail as long as a test wants that."""

    def __init__(self, connection: sqlite3.Connection, errors: list[int]) -> None:
        self._connection = connection
        self._errors = errors

    def execute(self, statement: str, *values: object) -> sqlite3.Cursor:
        """Fail, or pass it on."""
        if statement == "COMMIT" and self._errors:
            error = sqlite3.OperationalError("the disk fails")
            error.sqlite_errorcode = self._errors.pop()
            raise error
        return self._connection.execute(statement, *values)

    def __getattr__(self, name: str) -> object:
        """Be a connection otherwise."""
        return getattr(self._connection, name)


@pytest.mark.parametrize(
    ("code", "is_lost"),
    [
        (sqlite3.SQLITE_FULL, False), (sqlite3.SQLITE_IOERR_FSYNC, False),
        (sqlite3.SQLITE_IOERR_WRITE, False), (sqlite3.SQLITE_CORRUPT, False),
        (sqlite3.SQLITE_BUSY, False), (sqlite3.SQLITE_READONLY, True),
        (sqlite3.SQLITE_CANTOPEN, True),
    ],
)  # fmt: skip
def test_each_way_in_which_a_commit_fails_is_outlived(
    tmp_path: Path, code: int, is_lost: bool
) -> None:
    """A disk that fails to sync gets a new file: what it says of the old one is not believed."""
    outbox = outbox_at(tmp_path / "pops")
    record(outbox, 4)
    errors = [code]
    file = outbox._recording._disk._file
    assert file is not None
    file.connection = FailingConnection(file.connection, errors)  # type: ignore[assignment]
    record(outbox, 4)
    outbox.close()

    account = account_of(tmp_path / "pops")

    assert not errors
    account.require({(f"1/{n % 2}", n // 2 + 1) for n in range(8)})
    assert bool(account.lost) is is_lost
    assert not account.stored & account.lost


def test_nothing_is_written_behind_a_disk_that_takes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a file system that is read-only now: plays are declared, and tried again."""
    outbox = outbox_at(tmp_path / "pops")
    record(outbox, 4)
    shown = outbox.start(event_of("0"))
    before = disk_module.OutboxFile.transaction

    def refused(_: OutboxFile) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(OutboxFile, "transaction", refused)
    record(outbox, 4)
    shown.end()
    monkeypatch.setattr(OutboxFile, "transaction", before)
    record(outbox, 2)
    outbox.close()

    account = account_of(tmp_path / "pops")

    account.require({("1/0", n) for n in range(1, 7)} | {("1/1", n) for n in range(1, 6)})
    assert account.told == {("1/0", 4), ("1/0", 5), ("1/1", 3), ("1/1", 4)}
    assert {row.state for row in account.rows} == {State.READY}
