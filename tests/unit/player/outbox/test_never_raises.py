"""A player's program is never disturbed by its outbox, whatever happens to that."""

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import orjson
import pytest

from pop_stream.errors import UsageError, WorkFailedError
from pop_stream.player.outbox import recording as recording_module
from pop_stream.player.outbox import writer as writer_module
from pop_stream.player.outbox.row import State
from pop_stream.player.outbox.writer import Change
from tests.support.eventually import eventually
from tests.support.outbox import account_of, event_of, mended_account, outbox_at, record


class HungDisk:
    """A disk on which nothing is written as long as a test wants that."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reached = threading.Event()
        self.goes_on = threading.Event()
        self.goes_on.set()
        before = recording_module.Recording.write

        def write(recording: recording_module.Recording, changes: Sequence[Change]) -> None:
            if not self.goes_on.is_set():
                self.reached.set()
                self.goes_on.wait()
            before(recording, changes)

        monkeypatch.setattr(recording_module.Recording, "write", write)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[HungDisk]:
    """It goes on at the end, in any case."""
    hung = HungDisk(monkeypatch)
    yield hung
    hung.goes_on.set()


def test_a_disk_that_hangs_holds_up_nobody_for_longer_than_was_said(
    tmp_path: Path, disk: HungDisk
) -> None:
    """Start and end return; what they told is written as soon as the disk goes on."""
    outbox = outbox_at(tmp_path / "pops", wait_seconds=0.01)
    disk.goes_on.clear()

    begin = time.monotonic()
    play = outbox.start(event_of("0"))
    play.end()
    seconds = time.monotonic() - begin
    assert not play.is_on_disk
    disk.goes_on.set()
    outbox.close()

    # Not a measurement: a wait without bounds would be one of minutes.
    assert seconds < 60
    assert play.is_on_disk
    assert account_of(tmp_path / "pops").row("1/0", 1).state is State.READY


def test_what_a_full_queue_refuses_is_declared_lost(
    tmp_path: Path, disk: HungDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And an end is never refused: the play would be open for ever."""
    monkeypatch.setattr("pop_stream.player.outbox.outbox.QUEUED_MOST", 3)
    outbox = outbox_at(tmp_path / "pops", wait_seconds=0.0)
    shown = outbox.start(event_of("0"))
    eventually(lambda: shown.is_on_disk, "the first play is on the disk")
    disk.goes_on.clear()
    plays = [outbox.start(event_of("0")) for _ in range(10)]
    for play in [shown, *plays]:
        play.end()
    disk.goes_on.set()
    outbox.close()

    account = account_of(tmp_path / "pops")

    account.require({("1/0", n) for n in range(1, 12)})
    assert len(account.lost) == 11 - len(account.stored) > 0
    assert {row.state for row in account.rows} == {State.READY}


def test_a_play_that_was_refused_is_told_of_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numbers go on behind those that are lost."""
    monkeypatch.setattr("pop_stream.player.outbox.outbox.QUEUED_MOST", 0)
    outbox = outbox_at(tmp_path / "pops", wait_seconds=0.0)
    outbox.start(event_of("0"))
    monkeypatch.undo()
    outbox.start(event_of("0")).end()
    outbox.close()

    account = account_of(tmp_path / "pops")

    assert account.stored == {("1/0", 2)}
    assert account.told == {("1/0", 1)}


class Unspeakable:
    """Something of the caller's that cannot even be printed."""

    def __str__(self) -> str:
        """Fail."""
        raise RuntimeError("no")


@pytest.mark.parametrize(
    "value",
    [
        None, 0, -1.5, float("nan"), True, b"bytes", "", "lone \ud800 surrogate", "\0",
        "x" * 1_000_000,
        1 << 80, {1: {2: 3}}, {"a", "b"}, [[[]]], Unspeakable(), object(), Path("/x"),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
@pytest.mark.parametrize("field", ["filename", "screenId", "more"])
def test_odd_values_are_kept(tmp_path: Path, field: str, value: object) -> None:
    """What JSON can hold as it is, what it cannot as text: it was played in any case."""
    with outbox_at(tmp_path / "pops") as outbox:
        outbox.start(event_of("0") | {field: value}).end()

    (row,) = account_of(tmp_path / "pops").rows

    assert row.state is State.READY
    assert row.key.startswith("1/")
    if isinstance(value, (int, str)) and abs(len(str(value)) - 500_000) > 499_999:
        assert orjson.loads(row.body)[field] == value


@pytest.mark.parametrize("event", [None, [], "text", 7, {}, {None: None}, {1: 2}])
def test_what_is_no_event_at_all_is_kept_too(tmp_path: Path, event: object) -> None:
    """The consuming side flags it; here it was a play."""
    with outbox_at(tmp_path / "pops") as outbox:
        outbox.start(event).end()  # type: ignore[arg-type]

    (row,) = account_of(tmp_path / "pops").rows

    assert row.state is State.READY


def test_a_loop_in_an_event_is_no_trap(tmp_path: Path) -> None:
    """It has no end that JSON could write."""
    loop: list[object] = []
    loop.append(loop)
    with outbox_at(tmp_path / "pops") as outbox:
        outbox.start(event_of("0", loop=loop)).end()

    assert len(account_of(tmp_path / "pops").rows) == 1


def test_odd_headers_are_kept_as_text(tmp_path: Path) -> None:
    """They are the caller's, and no reason to lose a play."""
    with outbox_at(tmp_path / "pops") as outbox:
        outbox.start(event_of("0"), {"n": 7, 8: b"x", "s": "\ud800"}).end()  # type: ignore[dict-item]

    (row,) = account_of(tmp_path / "pops").rows

    assert orjson.loads(row.extra or b"") == {"n": "7", "8": "b'x'", "s": "?"}


class Poison:
    """A change that cannot be written."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def apply(self, _: sqlite3.Connection) -> None:
        """Fail."""
        raise self.error


@pytest.mark.parametrize(
    "error", [ValueError("odd"), sqlite3.IntegrityError("odd"), sqlite3.DataError("too big")]
)
def test_a_change_that_cannot_be_written_takes_no_other_with_it(
    tmp_path: Path, disk: HungDisk, error: Exception
) -> None:
    """They stand in one commit until it fails."""
    outbox = outbox_at(tmp_path / "pops", wait_seconds=0.0)
    shown = outbox.start(event_of("0"))
    eventually(lambda: shown.is_on_disk, "the first play is on the disk")
    disk.goes_on.clear()
    record(outbox, 3)
    outbox._writer.submit(Poison(error))
    record(outbox, 3)
    shown.end()
    disk.goes_on.set()
    outbox.close()

    account = account_of(tmp_path / "pops")

    assert len(account.rows) == 7
    assert not account.lost
    assert {row.state for row in account.rows} == {State.READY}


def test_strict_raises_for_an_event_that_gstv_would_not_take(tmp_path: Path) -> None:
    """In development one wants to know."""
    with outbox_at(tmp_path / "pops", strict=True) as outbox:
        with pytest.raises(UsageError, match="screenId"):
            outbox.start({"filename": "a", "assetId": "b", "siteId": "1"})
        with pytest.raises(UsageError, match="sets these itself"):
            outbox.start(event_of("0", startTimestamp="2026-01-01 00:00:00"))


def test_strict_raises_for_a_disk_that_takes_nothing(tmp_path: Path) -> None:
    """In production the play goes on, and is declared lost."""
    (tmp_path / "file").touch()
    with (
        outbox_at(tmp_path / "file" / "pops", strict=True) as outbox,
        pytest.raises(WorkFailedError, match="could not be written"),
    ):
        outbox.start(event_of("0"))


def test_closing_twice_is_no_harm(tmp_path: Path) -> None:
    """Nor is what comes after it: nobody else's file is closed, and nothing is raised."""
    outbox = outbox_at(tmp_path / "pops")
    play = outbox.start(event_of("0"))
    outbox.close()
    with (tmp_path / "other").open("w") as other:
        outbox.close()
        other.write("still open")
    play.end()
    late = outbox.start(event_of("0"))
    late.end()

    assert not late.is_on_disk
    assert mended_account(tmp_path / "pops").stored == {("1/0", 1)}


def test_many_threads_that_begin_while_it_is_closed_lose_nothing_of_what_they_were_told(
    tmp_path: Path,
) -> None:
    """A play that is on the disk stays there, and each is over."""
    outbox = outbox_at(tmp_path / "pops", wait_seconds=5.0)
    kept: list[object] = []

    def play() -> None:
        for _ in range(50):
            started = outbox.start(event_of("0"))
            started.end()
            if started.is_on_disk:
                kept.append(started)

    threads = [threading.Thread(target=play) for _ in range(8)]
    for thread in threads:
        thread.start()
    outbox.close()
    for thread in threads:
        thread.join()

    account = mended_account(tmp_path / "pops")

    assert len(account.rows) == len(kept)
    account.require({("1/0", n + 1) for n in range(len(kept))})


@pytest.mark.parametrize("wrong", ["folder", "file", "marks", "lock"])
def test_a_place_where_nothing_can_be_written_is_tried_again(
    tmp_path: Path, wrong: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It starts anyway; numbers go on where the file, once it can be read, says that they are."""
    path = tmp_path / "folder" / "pops"
    with outbox_at(path) as outbox:
        record(outbox, 4)
    undo = _block(path, wrong)
    caplog.set_level(logging.CRITICAL)

    outbox = outbox_at(path)
    record(outbox, 4)
    undo()
    record(outbox, 2)
    outbox.close()

    account = account_of(path)
    account.require({(f"1/{n % 2}", n // 2 + 1) for n in range(10)})
    assert account.stored >= {("1/0", 1), ("1/0", 2), ("1/1", 1), ("1/1", 2)}
    assert account.row("1/0", 5).state is State.READY
    assert account.row("1/1", 5).state is State.READY


def _block(path: Path, wrong: str) -> Callable[[], object]:
    if wrong == "folder":
        away = path.parent.rename(path.parent.with_name("away"))
        path.parent.touch()
        return lambda: (path.parent.unlink(), away.rename(path.parent))
    name = {"file": "pops", "marks": "pops.marks", "lock": "pops.recording"}[wrong]
    place = path.with_name(name)
    away = place.rename(place.with_name("away"))
    place.mkdir()
    return lambda: (place.rmdir(), away.rename(place))


def test_failing_to_open_leaves_no_descriptors_behind(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is tried every few seconds, for weeks maybe."""
    caplog.set_level(logging.CRITICAL)
    path = tmp_path / "pops"
    path.mkdir()
    outbox = outbox_at(path)
    record(outbox, 2)
    before = len([*Path("/proc/self/fd").iterdir()])

    record(outbox, 30)

    assert len([*Path("/proc/self/fd").iterdir()]) == before
    outbox.close()


def test_a_fork_is_told_that_it_has_no_outbox(tmp_path: Path) -> None:
    """It has no thread that writes: it neither waits for one nor takes the parent's place."""
    outbox = outbox_at(tmp_path / "pops")
    record(outbox, 2)
    outbox._writer.is_alive = lambda: False  # type: ignore[method-assign]

    play = outbox.start(event_of("0"))
    play.end()

    assert not play.is_on_disk
    del outbox._writer.is_alive
    outbox.close()


def test_the_queue_is_bounded() -> None:
    """A disk that takes nothing for days must not fill the memory."""
    writer = writer_module.Writer(lambda _: None, beat=lambda: None, beat_seconds=1000)
    writer.is_alive = lambda: True  # type: ignore[method-assign]

    taken = [writer.submit(Poison(ValueError()), most=5) for _ in range(9)]

    assert sum(ticket is not None for ticket in taken) == 5
    assert writer.submit(Poison(ValueError()), most=None) is not None
