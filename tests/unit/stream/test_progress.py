"""When the commit of a partition last moved."""

from types import SimpleNamespace
from typing import Any

import pytest

from pop_stream.stream import progress as progress_module
from pop_stream.stream.ledger import Commit, Ledger, Limits, Place
from pop_stream.stream.progress import Progress

PLACE = Place("events", 0)
OTHER = Place("events", 1)


def record(offset: int) -> Any:
    """What the ledger needs of a record."""
    return SimpleNamespace(offset=offset, size=2, timestamp=1_000 + offset)


class Clock:
    """Stands in for the module `time`."""

    def __init__(self) -> None:
        self.now = 100.0

    def time(self) -> float:
        """Epoch seconds."""
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock that `Progress` looks at."""
    clock = Clock()
    monkeypatch.setattr(progress_module, "time", clock)
    return clock


def test_a_partition_moves_when_its_commit_does(clock: Clock) -> None:
    """Finishing what cannot be committed yet is no progress of the partition."""
    ledger: Ledger[Any] = Ledger({"events": Limits()})
    ledger.open({PLACE})
    progress = Progress(ledger)
    run = ledger.take(*PLACE, [record(0), record(1)])
    assert run is not None
    progress.look()
    assert progress.moved_at == {PLACE: 100}

    clock.now = 110
    run.finish(1)
    progress.look()
    assert progress.moved_at == {PLACE: 100}
    assert progress.standings[PLACE].written_ms == 1_000

    clock.now = 120
    run.finish(0)
    progress.look()
    assert progress.moved_at == {PLACE: 100}, "finished, and not committed"

    ledger.committed(ledger.commits())
    progress.look()
    assert progress.moved_at == {PLACE: 120}


def test_a_partition_with_nothing_left_to_commit_moves(clock: Clock) -> None:
    """Having nothing to do is no standing still."""
    ledger: Ledger[Any] = Ledger({"events": Limits()})
    ledger.open({PLACE}, {PLACE: Commit(5)})
    progress = Progress(ledger)
    for clock.now in (100, 200):
        progress.look()
        assert progress.moved_at == {PLACE: clock.now}


def test_a_partition_that_went_is_forgotten(clock: Clock) -> None:
    """Its series would stand still for ever, and look stuck."""
    ledger: Ledger[Any] = Ledger({"events": Limits()})
    ledger.open({PLACE, OTHER})
    progress = Progress(ledger)
    progress.look()
    clock.now = 150
    ledger.open({OTHER})
    progress.look()

    assert progress.moved_at == {OTHER: 150}
    assert progress.standings.keys() == {OTHER}
