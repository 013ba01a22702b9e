"""A salvage that is cut short, or done by two at once, or on a disk whose sectors fail."""

import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from pop_stream.player.outbox import disk_bytes, opening, salvage
from pop_stream.player.outbox.file import OutboxFile
from pop_stream.player.outbox.marks import Marks
from pop_stream.player.outbox.row import State
from tests.support.outbox import (
    account_of,
    copy_of,
    event_of,
    log_of,
    mended_account,
    numbers_of_plays,
    outbox_at,
    record,
    set_state,
)

PRODUCED = numbers_of_plays(14)


class PowerCutError(BaseException):
    """Nothing is done any more."""


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """An outbox of fourteen plays with a sector of zeros in it."""
    outbox = tmp_path / "broken" / "pops"
    recording = outbox_at(outbox)
    record(recording, 14)
    recording.close()
    content = bytearray(outbox.read_bytes())
    content[-512:] = bytes(512)
    content[4096:4608] = bytes(512)
    outbox.write_bytes(content)
    return outbox


def cut_short(patch: pytest.MonkeyPatch, step: int) -> Callable[[], int]:
    """Let the power go at that step of all that a salvage asks of the file system.

    Gives how many steps there were.
    """
    done = [0]

    def stepping(before: Callable[..., object]) -> Callable[..., object]:
        def step_then(*args: object, **named: object) -> object:
            done[0] += 1
            if done[0] > step:
                raise PowerCutError
            return before(*args, **named)

        return step_then

    for name in ("rename", "unlink"):
        patch.setattr(Path, name, stepping(getattr(Path, name)))
    patch.setattr(os, "fsync", stepping(os.fsync))
    for name in ("_take", "_take_the_rest"):
        patch.setattr(salvage, name, stepping(getattr(salvage, name)))
    patch.setattr(opening, "_declare", stepping(opening._declare))
    return lambda: done[0]


def test_a_salvage_that_is_cut_short_at_any_step_is_done_by_the_next_start(
    broken: Path, tmp_path: Path
) -> None:
    """Between the renames the outbox has no file in its place, and none is made there."""
    whole = mended_account(copy_of(broken, tmp_path / "whole"))
    whole.require(PRODUCED)
    step, steps = 0, 1
    while step < steps:
        outbox = copy_of(broken, tmp_path / str(step))
        with pytest.MonkeyPatch.context() as patch:
            count = cut_short(patch, step)
            try:
                marks = Marks(highest={"1/0": 7, "1/1": 7})
                opening.open_outbox(outbox, marks, bytes(16)).file.close()
            except PowerCutError:
                steps = count() + 1

        account = mended_account(outbox)

        account.require(PRODUCED)
        assert account.stored == whole.stored, step
        assert account.lost == whole.lost, step
        step += 1
    assert steps > 8


def test_a_sender_that_comes_between_the_renames_finds_all_of_it(
    broken: Path, tmp_path: Path
) -> None:
    """The sender opens the outbox by itself; a new one in its place would hide all plays."""
    outbox = copy_of(broken, tmp_path / "outbox")
    before = Path.rename

    def rename(path: Path, target: Path) -> Path:
        if target == outbox:
            raise PowerCutError
        return before(path, target)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "rename", rename)
        with pytest.raises(PowerCutError):
            salvage.salvage(outbox)
    assert not outbox.exists()

    OutboxFile(outbox).close()

    mended_account(outbox).require(PRODUCED)


def test_two_that_mend_at_once_do_it_once(broken: Path) -> None:
    """The recorder and the sender may find the same damage at the same moment."""
    marks = Marks(highest={"1/0": 7, "1/1": 7})
    outbox = broken.with_name("fresh")
    recording = outbox_at(outbox)
    record(recording, 14)
    recording.close()
    files = [OutboxFile(outbox), OutboxFile(outbox)]
    with outbox.open("r+b") as damaged:
        damaged.seek(4096)
        damaged.write(bytes(512))
    barrier = threading.Barrier(2)

    def mend(file: OutboxFile) -> None:
        barrier.wait()
        opening.mend(file, marks, bytes(16), "both saw it")

    threads = [threading.Thread(target=mend, args=(file,)) for file in files]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for file in files:
        file.close()

    assert len([*outbox.parent.glob("fresh.damaged-*-0")]) == 1
    account_of(outbox).require(PRODUCED)


def test_who_still_has_the_old_file_open_takes_nothing_from_the_new_one(tmp_path: Path) -> None:
    """SQLite deletes the log of a file that it closes; that log has the name of the new one's."""
    outbox = tmp_path / "outbox" / "pops"
    recording = outbox_at(outbox)
    record(recording, 6)
    sender = OutboxFile(outbox)
    sender.connection.execute("SELECT count(*) FROM plays").fetchone()
    with outbox.open("r+b") as damaged:
        damaged.write(bytes(4096))
    recording._recording._disk.mend("the test says so")
    record(recording, 6)

    with sender.transaction() as connection:
        (seen,) = connection.execute("SELECT count(*) FROM plays").fetchone()

    assert seen == 12
    record(recording, 2)
    account = mended_account(copy_of(outbox, tmp_path / "copy"))
    assert account.stored == numbers_of_plays(14)
    sender.close()
    recording.close()


def test_a_play_that_was_being_sent_is_sent_again(broken: Path) -> None:
    """Nobody sends from the new file yet."""
    outbox = broken.with_name("fresh")
    recording = outbox_at(outbox)
    record(recording, 4)
    recording.close()
    set_state(outbox, State.LEASED, [1, 2])
    with outbox.open("r+b") as damaged:
        damaged.write(bytes(512))

    account = mended_account(outbox)

    assert account.stored == numbers_of_plays(4)
    assert {row.state for row in account.rows} == {State.READY}


@pytest.mark.parametrize("file", ["pops", "pops-wal", "pops.marks"])
def test_sectors_that_cannot_be_read_cost_what_stands_on_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    """A disk says EIO for ever; the outbox is opened, and mended, all the same.

    Simulated: `os.pread` fails for two sectors of one file. SQLite reads them well, as it has its
    own way to the disk.
    """
    live = tmp_path / "live" / "pops"
    recording = outbox_at(live)
    record(recording, 14)
    outbox = copy_of(live, tmp_path / "outbox")
    recording.close()
    bad = (outbox.parent / file).stat().st_ino
    read = os.pread

    def pread(descriptor: int, size: int, at: int) -> bytes:
        if os.fstat(descriptor).st_ino == bad and at < 2048 and at + size > 1024:
            raise OSError(errno.EIO, "Input/output error")
        return read(descriptor, size, at)

    monkeypatch.setattr(os, "pread", pread)

    mended_account(outbox).require(PRODUCED)


def test_bytes_that_cannot_be_read_count_as_zeros(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only those of the sector; and another error than of the disk is told of."""
    file = tmp_path / "file"
    file.write_bytes(b"x" * 2000)
    read = os.pread

    def failing(descriptor: int, size: int, at: int) -> bytes:
        if at < 1024 and at + size > 512:
            raise OSError(error, "no")
        return read(descriptor, size, at)

    monkeypatch.setattr(os, "pread", failing)
    error = errno.EIO
    with disk_bytes.bytes_of(file) as content:
        assert content[100:1900] == b"x" * 412 + bytes(512) + b"x" * 876
        assert content[1900:5000] == b"x" * 100
        error = errno.EBADF
        with pytest.raises(OSError, match="no"):
            content[0:2000]


def test_events_that_take_many_pages_are_found_in_them(tmp_path: Path) -> None:
    """Of each page the newest version is in the log; an older row has it in the file."""
    live = tmp_path / "live" / "pops"
    recording = outbox_at(live)
    for n in range(6):
        recording.start(event_of("0", note=f"{n}" * 30_000)).end()
    died = copy_of(live, tmp_path / "died")
    recording.close()
    closed = copy_of(live, tmp_path / "closed")
    for outbox in (died, closed):
        with outbox.open("r+b") as damaged:
            damaged.write(bytes(100))

        account = mended_account(outbox)

        assert account.stored == {("1/0", n + 1) for n in range(6)}
        assert {len(row.body) > 30_000 for row in account.rows} == {True}


def test_a_salvage_without_room_leaves_the_old_file_and_takes_none(
    broken: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it has written so far is deleted again."""
    before = broken.read_bytes()

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(salvage, "_take", full)

    with pytest.raises(OSError, match="No space"):
        salvage.salvage(broken)

    assert broken.read_bytes() == before
    assert not [*broken.parent.glob("pops.salvag*")]
    assert not log_of(broken).exists()
