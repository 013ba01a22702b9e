"""Power cuts: what `start` and `end` have confirmed is there after each.

Simulated, without a file system that can drop writes: the files are copied the moment a commit has
returned, when SQLite has synced its log. Then what was written later is dropped in the ways in
which a disk may drop it: the log is cut at any length behind the last synced commit, sectors of
that part are missing in any order, or hold what stood there before; and the marks, which nobody
syncs, are older, empty or missing. What is not simulated: a disk that says that it has synced and
has not, and a file system that loses names it has synced.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from pop_stream.player.outbox.row import State
from tests.support.outbox import (
    Number,
    account_of,
    copy_of,
    event_of,
    log_of,
    mended_account,
    outbox_at,
)

SECTOR = 512


class Confirmed:
    """What was confirmed up to each commit, with a copy of the files at that moment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.copies: list[Path] = []
        self.started: list[set[Number]] = []
        self.ended: list[set[Number]] = []

    def note(self, outbox: Path, started: set[Number], ended: set[Number]) -> None:
        """A commit has returned."""
        self.copies.append(copy_of(outbox, self.folder / str(len(self.copies))))
        self.started.append(set(started))
        self.ended.append(set(ended))


@pytest.fixture
def confirmed(tmp_path: Path) -> Iterator[Confirmed]:
    """Ten plays of two screens, each of which begins before the one before it ends."""
    path = tmp_path / "live" / "pops"
    noted = Confirmed(tmp_path / "copies")
    outbox = outbox_at(path, wait_seconds=60.0)
    started: set[Number] = set()
    ended: set[Number] = set()
    before = None
    for n in range(10):
        play = outbox.start(event_of(str(n % 2)))
        number = (f"1/{n % 2}", n // 2 + 1)
        started.add(number)
        noted.note(path, started, ended)
        if before is not None:
            before[0].end()
            ended.add(before[1])
            noted.note(path, started, ended)
        before = play, number
    yield noted
    outbox.close()


def require_confirmed(outbox: Path, started: set[Number], ended: set[Number]) -> None:
    """All is there; what had not ended is closed as interrupted."""
    account = mended_account(outbox)

    account.require(started)
    assert account.stored >= started
    assert not account.lost
    for row in account.rows:
        assert row.state is State.READY
        if (row.key, row.seq) in ended:
            assert row.extra is None
            assert row.lasted is not None


def test_the_files_after_each_commit_have_all_that_was_confirmed(confirmed: Confirmed) -> None:
    """The power goes at that very moment."""
    for outbox, started, ended in zip(
        confirmed.copies, confirmed.started, confirmed.ended, strict=True
    ):
        require_confirmed(outbox, started, ended)


def test_the_next_commit_may_be_missing_in_part(confirmed: Confirmed, tmp_path: Path) -> None:
    """Cut at any length, in steps of a sector, between a commit and the one behind it."""
    for n in range(0, len(confirmed.copies) - 1, 3):
        this, later = confirmed.copies[n], confirmed.copies[n + 1]
        synced, written = log_of(this).stat().st_size, log_of(later).read_bytes()
        for length in [*range(synced, len(written), SECTOR), synced + 1, len(written) - 1]:
            outbox = copy_of(this, tmp_path / "tried")
            log_of(outbox).write_bytes(written[:length])

            require_confirmed(outbox, confirmed.started[n], confirmed.ended[n])


def test_the_next_commit_may_have_come_to_the_disk_in_any_order(
    confirmed: Confirmed, tmp_path: Path
) -> None:
    """Some of its sectors are there, the others are zeros or what stood there before."""
    random = Random(7)
    for n in range(len(confirmed.copies) - 1):
        this, later = confirmed.copies[n], confirmed.copies[n + 1]
        synced, written = log_of(this).stat().st_size, bytearray(log_of(later).read_bytes())
        for at in range(synced - synced % SECTOR, len(written), SECTOR):
            begin = max(at, synced)
            if random.random() < 0.4:
                end = min(at + SECTOR, len(written))
                written[begin:end] = random.choice(
                    [bytes(end - begin), random.randbytes(end - begin)]
                )
        outbox = copy_of(this, tmp_path / "tried")
        log_of(outbox).write_bytes(written)

        require_confirmed(outbox, confirmed.started[n], confirmed.ended[n])


@pytest.mark.parametrize("older", [1, 5, 15])
def test_marks_that_are_older_than_the_outbox_harm_nothing(
    confirmed: Confirmed, tmp_path: Path, older: int
) -> None:
    """Nobody syncs them: the outbox is the one to believe."""
    for n in range(older, len(confirmed.copies)):
        outbox = copy_of(confirmed.copies[n], tmp_path / "tried")
        marks = confirmed.copies[n - older].with_name("pops.marks")
        shutil.copyfile(marks, outbox.with_name("pops.marks"))

        require_confirmed(outbox, confirmed.started[n], confirmed.ended[n])


def test_marks_that_are_newer_than_the_outbox_tell_what_is_missing(
    confirmed: Confirmed, tmp_path: Path
) -> None:
    """As of a disk that only says that it has synced: what it had confirmed is declared."""
    outbox = copy_of(confirmed.copies[3], tmp_path / "tried")
    shutil.copyfile(confirmed.copies[-1].with_name("pops.marks"), outbox.with_name("pops.marks"))

    account = mended_account(outbox)

    account.require(confirmed.started[-1])
    assert account.stored == confirmed.started[3]
    assert account.lost == confirmed.started[-1] - confirmed.started[3]


@pytest.mark.parametrize("content", [b"", b"00000000{}\n", b"\0" * 70_000, b"\xff" * 100])
def test_marks_that_are_no_marks_harm_nothing(
    confirmed: Confirmed, tmp_path: Path, content: bytes
) -> None:
    """So a file system leaves a file that was not synced."""
    outbox = copy_of(confirmed.copies[-1], tmp_path / "tried")
    outbox.with_name("pops.marks").write_bytes(content)

    require_confirmed(outbox, confirmed.started[-1], confirmed.ended[-1])


def test_numbers_go_on_after_each_power_cut(confirmed: Confirmed, tmp_path: Path) -> None:
    """Cut after cut, each start of the player goes on behind the last number."""
    outbox = copy_of(confirmed.copies[-1], tmp_path / "0")
    for n in range(1, 4):
        recording = outbox_at(outbox, wait_seconds=60.0)
        recording.start(event_of("0")).end()
        recording.start(event_of("0"))
        outbox = copy_of(outbox, tmp_path / str(n))
        recording.close()

    account = mended_account(outbox)
    assert account.stored == confirmed.started[-1] | {("1/0", n) for n in range(6, 12)}
    boots = {row.boot for row in account.rows if row.key == "1/0"}
    assert len(boots) == 4
    assert account_of(outbox).numbers == {"1/0": 11, "1/1": 5}
