"""What is kept in a file until it can be put in order."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from pop_stream.analysis.report.spill import Spill, SpilledLoss, SpilledNumber
from pop_stream.errors import WorkFailedError
from tests.unit.analysis.report.test_sweep import play


def test_plays_come_site_by_site_in_the_order_of_their_starts() -> None:
    """However they came, and more than are written at once."""
    with Spill() as spill:
        for number in range(12_000):
            spill.add_play(play(number % 3, number * 7 % 5000, site=number % 2))
        plays = list(spill.by_time())

    assert len(plays) == 12_000
    assert plays == sorted(plays, key=lambda one: (one.site, one.start, one.screen))


def loss(screen: int, first: int, last: int) -> SpilledLoss:
    """A loss for the first of all reasons."""
    return SpilledLoss(screen, first, last, 1, None, None)


def test_losses_are_found_by_the_numbers_in_them() -> None:
    """Of the screen that is asked for, as far as they touch the range; more than are written."""
    with Spill() as spill:
        assert list(spill.lost_within(1, 1, 10**15)) == []
        for number in range(12_000, 0, -2):
            spill.add_loss(loss(1, number, number))
        spill.add_loss(loss(2, 3, 9))
        spill.keep_lost(spill.by_loss())
        asked = ((1, 3, 8), (1, 3, 3), (2, 1, 2), (2, 1, 3), (2, 9, 20), (2, 5, 5), (3, 1, 9))
        found = [list(spill.lost_within(*each)) for each in asked]
        losses = list(spill.losses())

    assert found == [[(4, 4), (6, 6), (8, 8)], [], [], [(3, 9)], [(3, 9)], [(3, 9)], []]
    assert losses == [*(loss(1, number, number) for number in range(2, 12_001, 2)), loss(2, 3, 9)]


def test_numbers_beside_losses_come_once() -> None:
    """Of screens with a loss only; with the day that one of them has."""
    with Spill() as spill:
        for screen, boot, seq, day in ((1, "b", 2, None), (1, "a", 2, 7), (1, "a", None, 7),
                                       (2, "a", 1, 7), (1, "a", 1, 6)):  # fmt: skip
            spill.add_number(SpilledNumber(screen, boot, seq, day))
        spill.add_loss(loss(1, 3, 9))
        spill.keep_lost(spill.by_loss())

        assert list(spill.beside_losses()) == [
            SpilledNumber(1, "", 1, 6), SpilledNumber(1, "", 2, 7)
        ]  # fmt: skip


def test_an_event_whose_losses_are_not_known_counts_once() -> None:
    """However often it comes."""
    with Spill() as spill:
        assert spill.unread() == 0
        for number in range(12_000):
            spill.add_unread(bytes([number % 3]))
        assert spill.unread() == 3


def fill(spill: Spill, number: int) -> None:
    """Put so many numbers into it, of some 50 bytes each."""
    for each in range(number):
        spill.add_number(SpilledNumber(each, "boot" * 10, each, 1))


_LOOK = """
import os
from tests.unit.analysis.report.test_spill import Spill, fill
with Spill() as spill:
    fill(spill, 300_000)
    rows = spill.by_number()
    assert next(rows).seq == 0
    print(*(os.readlink(each.path) for each in os.scandir("/proc/self/fd")
            if os.path.islink(each.path)), sep="\\n")
    del rows
"""


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    """The file is in TMPDIR and has no name any more: who is killed has nothing to clean up."""
    # In a process of its own: SQLite asks for TMPDIR once.
    ran = subprocess.run(
        [sys.executable, "-c", _LOOK], env=os.environ | {"TMPDIR": str(tmp_path)},
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert [line for line in ran.stdout.splitlines()
            if line.startswith(str(tmp_path)) and line.endswith("(deleted)")]  # fmt: skip
    assert not list(tmp_path.iterdir())


def test_a_disk_that_is_full_is_said() -> None:
    """With the room that is needed, and where."""
    with Spill() as spill:
        # The file may not grow beyond what it has.
        spill._base.execute("PRAGMA max_page_count=10")
        with pytest.raises(WorkFailedError, match="200 bytes for each play"):
            fill(spill, 200_000)
    with pytest.raises(sqlite3.ProgrammingError):
        spill._base.execute("SELECT 1")
