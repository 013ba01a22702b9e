import threading

import pytest

from pop_stream.player.outbox import writer
from pop_stream.player.outbox.writer import Writer
from tests.support.eventually import eventually


class Held:
    """Stands in for a disk that takes what it is given when the test says so."""

    def __init__(self):
        self.sizes = []
        self.goes_on = threading.Semaphore(0)

    def write(self, changes):
        """Note how many they are, and wait."""
        self.sizes.append(len(changes))
        assert self.goes_on.acquire(timeout=30)


@pytest.fixture
def gathers_long(monkeypatch):
    """Nothing here depends on how fast threads are."""
    monkeypatch.setattr(writer, "_GATHER_SECONDS", 30.0)


@pytest.mark.usefixtures("gathers_long")
def test_plays_that_were_written_together_are_waited_for():
    """Many screens that begin and end at once need one commit a time, not two."""
    disk = Held()
    under_test = Writer(disk.write, beat=lambda: None, beat_seconds=3600)
    under_test.start()
    first = under_test.submit(object())
    eventually(lambda: disk.sizes, "the first is being written")
    together = [under_test.submit(object()) for _ in range(3)]
    disk.goes_on.release(2)
    assert all(each.done.wait(30) for each in (first, *together))
    again = [under_test.submit(object()) for _ in range(3)]
    disk.goes_on.release()

    assert all(each.done.wait(30) for each in again)
    assert disk.sizes == [1, 3, 3]
    assert under_test.end(30)


@pytest.mark.usefixtures("gathers_long")
def test_a_single_play_waits_for_nobody():
    """Where there was one at a time, the next is written at once."""
    disk = Held()
    disk.goes_on.release(3)
    under_test = Writer(disk.write, beat=lambda: None, beat_seconds=3600)
    under_test.start()
    for _ in range(3):
        assert under_test.submit(object()).done.wait(10)

    assert disk.sizes == [1, 1, 1]
    assert under_test.end(30)
