"""Players that are killed, and processes that share an outbox."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from random import Random
from uuid import UUID

import pytest

from pop_stream.errors import OutboxBusyError
from pop_stream.player.outbox.facts import facts
from pop_stream.player.outbox.file import OutboxFile
from pop_stream.player.outbox.room import moved
from pop_stream.player.outbox.row import State
from tests.support import outbox_player
from tests.support.eventually import eventually
from tests.support.outbox import (
    Account,
    account_of,
    copy_of,
    event_of,
    log_of,
    mended_account,
    outbox_at,
    record,
)

_PLAYER = Path(outbox_player.__file__)
_ROOT = _PLAYER.parents[2]
_OF_A_SALVAGE = [
    "before a salvage", "after its rows", "after its new file", "after the new file's name",
    "between the renames", "after the swap", "before the account", "after the account",
]  # fmt: skip


class Player:
    """A player's program in a process of its own."""

    def __init__(self, outbox: Path, *step: str) -> None:
        self.outbox = outbox
        self.process = subprocess.Popen(
            [sys.executable, str(_PLAYER), str(outbox), *step],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env=os.environ | {"PYTHONPATH": str(_ROOT)},
        )  # fmt: skip

    def said(self, lines: int | None = None) -> list[tuple[str, ...]]:
        """So many lines of what it says; all, until it has died."""
        assert self.process.stdout is not None
        found = []
        for line in self.process.stdout:
            found.append(tuple(line.split()))
            if len(found) == lines:
                break
        return found

    def kill(self) -> list[tuple[str, ...]]:
        """End it, and give what it had said since."""
        self.process.send_signal(signal.SIGKILL)
        return self.said()

    def wait(self) -> int:
        """The code that it has ended with."""
        code = self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()
        return code


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the outbox stands."""
    (tmp_path / "player").mkdir()
    return tmp_path / "player"


def require_said(account: Account, said: list[tuple[str, ...]]) -> None:
    """All that was confirmed is there, and over; one at most was cut off."""
    by_id = {str(UUID(bytes=row.pop_id)): row for row in account.rows}
    for what, *pop_id in said:
        if what != "open":
            assert pop_id[0] in by_id, f"a {what} was confirmed, and the play is not there"
    ended = {pop_id[0] for what, *pop_id in said if what == "end"}
    assert all(by_id[each].lasted is not None for each in ended)
    assert {row.state for row in account.rows} <= {State.READY}
    cut_off = [row for row in account.rows if row.extra and b"pop-interrupted" in row.extra]
    assert len(cut_off) <= 1
    assert {str(UUID(bytes=row.pop_id)) for row in cut_off}.isdisjoint(ended)
    for row in cut_off:
        assert row.lasted is None
        assert (row.ended or 0) >= row.started
    highest = {row.key: row.seq for row in account.rows}
    account.require({(key, n + 1) for key in highest for n in range(highest[key])})


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 20, 21])
@pytest.mark.parametrize(
    "step", [each for each in outbox_player.STEPS if each not in _OF_A_SALVAGE]
)
def test_a_player_that_dies_at_any_step_of_its_work_loses_nothing_it_was_told(
    folder: Path, step: str, count: int
) -> None:
    """Start, commit, marks and end: what was confirmed is there, and nothing is lost."""
    player = Player(folder / "pops", step, str(count))
    said = player.said()
    assert player.wait() == -signal.SIGKILL

    account = mended_account(folder / "pops")

    require_said(account, said)
    assert not account.lost


@pytest.mark.parametrize("step", _OF_A_SALVAGE)
def test_a_player_that_dies_while_it_mends_its_outbox_loses_nothing(
    folder: Path, step: str
) -> None:
    """It dies there again and again; the last start finds all of it."""
    outbox = folder / "pops"
    with outbox_at(outbox) as recording:
        record(recording, 20)
    whole = account_of(outbox)
    content = bytearray(outbox.read_bytes())
    content[:512] = bytes(512)
    outbox.write_bytes(content)
    for _ in range(2):
        # The second one may find nothing left to be mended: it plays then.
        player = Player(outbox, step, "1")
        said = player.said(3)
        said += player.kill()
        player.wait()

    account = mended_account(outbox)

    assert account.stored >= whole.stored
    assert {pop_id[0] for _, *pop_id in said[1:]} <= {
        str(UUID(bytes=row.pop_id)) for row in account.rows
    }
    assert not account.lost


@pytest.mark.parametrize("seed", range(4))
def test_players_killed_at_any_moment_lose_nothing(folder: Path, seed: int) -> None:
    """One after the other on one outbox; each goes on with the numbers."""
    random = Random(seed)
    said: list[tuple[str, ...]] = []
    for _ in range(4):
        player = Player(folder / "pops")
        said += player.said(random.randrange(1, 120))
        said += player.kill()
        player.wait()

    account = mended_account(folder / "pops")

    by_id = {str(UUID(bytes=row.pop_id)): row for row in account.rows}
    assert all(pop_id[0] in by_id for what, *pop_id in said if what != "open")
    assert not account.lost
    assert {row.state for row in account.rows} <= {State.READY}
    for key in ("1/0", "1/1"):
        numbers = [row.seq for row in account.rows if row.key == key]
        assert numbers == list(range(1, len(numbers) + 1))


def _lived(outbox: Path) -> int:
    connection = sqlite3.connect(outbox)
    try:
        return facts(connection)["heartbeat"]
    finally:
        connection.close()


def test_a_play_that_is_cut_off_ends_with_the_last_sign_of_life(
    folder: Path, tmp_path: Path
) -> None:
    """It is told how long it was shown at least, and that it was interrupted."""
    outbox = outbox_at(folder / "pops", heartbeat_seconds=0.02)
    outbox.start(event_of("0"))
    before = account_of(folder / "pops").rows[0]
    eventually(lambda: _lived(folder / "pops") > before.started, "it says that it lives")
    copy = copy_of(folder / "pops", tmp_path / "copy")
    outbox.close()

    (row,) = mended_account(copy).rows

    assert row.state is State.READY
    assert (row.ended or 0) > before.started
    assert row.extra == b'{"pop-interrupted":"true"}'


def test_a_second_player_on_one_outbox_is_told_who_has_it(folder: Path) -> None:
    """It ends; the first goes on, and may be followed by another once it is dead."""
    player = Player(folder / "pops")
    player.said(10)

    with pytest.raises(OutboxBusyError, match=f"process {player.process.pid} records plays"):
        outbox_at(folder / "pops")

    player.said(10)
    player.kill()
    player.wait()
    outbox_at(folder / "pops").close()


def test_recorder_and_sender_share_an_outbox(folder: Path) -> None:
    """Both write, each in its turn, and neither has to wait for long."""
    player = Player(folder / "pops")
    player.said(10)
    sender = OutboxFile(folder / "pops")
    acked = 0
    while acked < 100:
        player.said(4)
        with sender.transaction() as connection:
            move = moved(State.READY, State.ACKED)
            done = connection.execute(
                f"UPDATE plays SET {move}, acked = 1 "  # noqa: S608
                "WHERE state < 3 AND state = ? AND id <= (SELECT max(id) - 2 FROM plays)",
                (State.READY,),
            )
            acked += done.rowcount
    sender.close()
    player.kill()
    player.wait()

    account = mended_account(folder / "pops")

    assert sum(row.state is State.ACKED for row in account.rows) == acked
    assert {row.state for row in account.rows} <= {State.ACKED, State.READY}
    assert not account.lost


def test_a_cloned_disk_tells_its_plays_apart(folder: Path, tmp_path: Path) -> None:
    """Two machines go on with the same numbers, each under a boot and with ids of its own."""
    with outbox_at(folder / "pops") as outbox:
        record(outbox, 4)
    clone = copy_of(folder / "pops", tmp_path / "clone")
    for each in (folder / "pops", clone):
        with outbox_at(each) as outbox:
            record(outbox, 4)

    one, two = account_of(folder / "pops").rows[4:], account_of(clone).rows[4:]

    assert [(row.key, row.seq) for row in one] == [(row.key, row.seq) for row in two]
    assert {row.boot for row in one}.isdisjoint({row.boot for row in two})
    assert {row.pop_id for row in one}.isdisjoint({row.pop_id for row in two})


def test_a_file_that_is_damaged_while_two_use_it_is_mended_by_one(folder: Path) -> None:
    """The player finds the damage; the sender follows to the new file."""
    with outbox_at(folder / "pops") as outbox:
        record(outbox, 10)
        sender = OutboxFile(folder / "pops")
        sender.connection.execute("SELECT count(*) FROM plays").fetchall()
        for file in (folder / "pops", log_of(folder / "pops")):
            with file.open("r+b") as damaged:
                damaged.seek(4096)
                damaged.write(bytes(4096))
        outbox._recording._disk.mend("the test says so")
        record(outbox, 10)
        with sender.transaction() as connection:
            (seen,) = connection.execute("SELECT max(seq) FROM plays").fetchone()
        sender.close()
        record(outbox, 2)

    assert seen == 10
    account = mended_account(folder / "pops")
    account.require({(f"1/{n % 2}", n // 2 + 1) for n in range(22)})
