import errno
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from pop_stream.errors import OutboxBusyError
from pop_stream.player.outbox.file import OutboxFile
from pop_stream.player.outbox.packing import packed, unpacked
from pop_stream.player.outbox.room import Reserve
from pop_stream.player.outbox.row import Row, State
from pop_stream.player.outbox.salvage import salvage
from pop_stream.player.sending.leases import Leases
from pop_stream.player.sending.store import Store
from tests.support.filled_outbox import (
    all_sound,
    damage,
    fill,
    pop_id_of,
    query,
    row,
    rows,
    states,
    waiting,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the outbox of the test is."""
    return tmp_path / "pops.outbox"


def ids(rows: list[Row]) -> list[int]:
    """Which rows they are."""
    return [each.id for each in rows]


def test_four_of_the_oldest_come_with_one_of_the_freshest(path: Path) -> None:
    """So that what is played now is reported during a backlog of days."""
    with Store(waiting(path, 1100)) as store:
        assert ids(store.take(10)) == [1, 2, 3, 4, 5, 6, 7, 8, 1099, 1100]
        assert ids(store.take(3)) == [9, 10, 11]
        assert ids(store.take(2)) == [12, 1098]
        assert ids(store.take(1)) == [13]


def test_a_short_backlog_is_sent_in_its_order(path: Path) -> None:
    """It is gone before anybody misses what is fresh."""
    with Store(waiting(path, 1000)) as store:
        assert ids(store.take(10)) == list(range(1, 11))


def test_everything_comes_once(path: Path) -> None:
    """In lots of whatever size; then nothing more."""
    with Store(waiting(path, 57)) as store:
        taken = [ids(store.take(size)) for size in (1, 16, 5, 40, 40, 1)]

    assert sorted(n for each in taken for n in each) == list(range(1, 58))
    assert taken[-1] == []


def test_what_is_taken_is_on_the_disk_as_taken(path: Path) -> None:
    """And with a seal that says so."""
    with Store(waiting(path, 10)) as store:
        rows = store.take(4)
        assert states(path) == {State.READY: 6, State.LEASED: 4}
        store.acked(rows[:2], 99)
        store.release(rows[2:3])
        store.aside(rows[3], [rows[3]], "too large", 99)

    assert states(path) == {State.READY: 7, State.ACKED: 2, State.ASIDE: 1}
    assert query(path, "SELECT id, acked FROM plays WHERE acked NOT NULL") == [(1, 99), (2, 99)]
    assert all_sound(path)


def test_what_a_dead_sender_had_taken_waits_again(path: Path) -> None:
    """No lease outlives its process."""
    with Store(waiting(path, 10)) as store:
        store.take(4)
    with Store(path) as store:
        assert store.waiting().ready == 10
        assert len(store.take(20)) == 10

    assert all_sound(path)


def test_only_one_process_sends(path: Path) -> None:
    """The second one says who does."""
    with Store(waiting(path, 1)), pytest.raises(OutboxBusyError, match="sends from it already"):
        Store(path)
    Store(path).close()


def test_a_play_that_is_shown_is_not_sent(path: Path) -> None:
    """It has no end yet."""
    fill(path, [row(1, state=State.OPEN, ended=None), row(2)])
    with Store(path) as store:
        assert ids(store.take(5)) == [2]


def test_what_came_later_can_be_left_for_later(path: Path) -> None:
    """Who sends what waits now must come to an end while plays are recorded."""
    with Store(waiting(path, 3)) as store:
        until = store.newest()
        fill(path, [row(4), row(5)])
        rows = store.take(2, until) + store.take(5, until)
        fill(path, [row(6)])

        assert ids(rows) == [1, 2, 3, 4, 5]
        assert store.take(5, until) == []
        assert store.waiting(until).ready == 3  # and these are being sent
        assert store.waiting().ready == 6


def test_large_events_come_in_small_lots(path: Path) -> None:
    """What is under way has to fit into a small terminal's memory."""
    fill(path, [row(n, body=b"x" * (1 << 20)) for n in range(1, 21)])
    with Store(path) as store:
        assert len(store.take(2000)) <= 8


def test_a_pack_counts_for_the_plays_in_it(path: Path) -> None:
    """It comes whole."""
    pack = packed([row(n) for n in range(1, 31)], pop_id=pop_id_of(1000))
    fill(path, [pack, *(row(n) for n in range(31, 41))])
    with Store(path) as store:
        assert ids(store.take(10)) == [1]


def test_of_a_pack_the_refused_play_is_kept_and_the_others_are_done(path: Path) -> None:
    """No play is counted twice, and none is gone."""
    pack = packed([row(n) for n in range(1, 6)], pop_id=pop_id_of(1000))
    fill(path, [pack])
    with Store(path) as store:
        (taken,) = store.take(10)
        plays = list(unpacked(taken))
        store.aside(taken, [plays[1], plays[3]], "too large", 99)

    kept = rows(path)
    assert all_sound(path)
    assert [(each.state, each.number) for each in kept] == [
        (State.ACKED, 3), (State.ASIDE, 1), (State.ASIDE, 1),
    ]  # fmt: skip
    assert [play.seq for each in kept for play in unpacked(each)] == [1, 3, 5, 2, 4]
    assert {each.extra for each in kept[1:]} == {b'{"pop-error":"too large"}'}


def test_a_damaged_row_is_not_sent(path: Path) -> None:
    """The outbox is mended, the play is declared lost, and the others go out."""
    waiting(path, 10)
    damage(path, 4)
    with Store(path) as store:
        taken = store.take(20)

    assert [each.seq for each in taken] == [1, 2, 3, 5, 6, 7, 8, 9, 10]
    assert query(path, "SELECT key, first, last, reason FROM losses") == [
        ("7/1", 4, 4, "outbox-damaged")
    ]
    assert len(list(path.parent.glob("*.damaged-*"))) >= 1


def test_a_lease_in_a_file_that_was_mended_meanwhile_counts(path: Path) -> None:
    """Whoever mends it makes ready what was leased: confirmed is confirmed all the same."""
    with Store(waiting(path, 10)) as store:
        rows = store.take(4)
        mended_by_another(path)

        assert store.take(4) == []  # they would be sent twice
        store.acked(rows, 99)
        assert len(store.take(20)) == 6
    assert states(path)[State.ACKED] == 4
    assert all_sound(path)


def test_who_finds_nothing_looks_whether_it_is_still_the_outbox(path: Path) -> None:
    """In an old file that was set aside no play will ever come."""
    with Store(waiting(path, 1)) as store:
        store.acked(store.take(5), 99)
        mended_by_another(path)
        fill(path, [row(2)])

        assert ids(store.take(5)) == [2]


def test_a_row_that_was_packed_meanwhile_is_not_taken(path: Path) -> None:
    """Read as one play, it is another row by now: what holds it is taken instead."""
    file = OutboxFile(waiting(path, 3))
    leases = Leases(file)
    read = leases._read

    def packed_meanwhile(plays: int) -> list[Row]:
        rows = read(plays)
        leases._read = read  # type: ignore[method-assign]
        query(path, "DELETE FROM plays")
        fill(path, [packed([row(1), row(2), row(3)], pop_id=pop_id_of(1000))])
        return rows

    leases._read = packed_meanwhile  # type: ignore[method-assign]
    assert [each.number for each in leases.take(5)] == [3]
    assert states(path) == {State.LEASED: 1}
    file.close()


def mended_by_another(path: Path) -> None:
    """Put a mended file in the place of the outbox, as the recorder would."""
    other = OutboxFile(path)
    with other.replacing() as is_ours:
        assert is_ours
        salvage(path)
    other.close()


def test_on_a_full_disk_the_reserve_is_for_confirmations(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are what makes room again."""
    Reserve(path).keep()
    with Store(waiting(path, 5)) as store:
        taken, acked = store.take(5), Leases.acked

        def full(leases: Leases, rows: list[Row], at_ms: int) -> int:
            if Reserve(path).give():
                Reserve(path).keep()
                raise OSError(errno.ENOSPC, "No space left on device")
            return acked(leases, rows, at_ms)

        monkeypatch.setattr(Leases, "acked", full)
        store.acked(taken, 99)

    assert states(path) == {State.ACKED: 5}


class Taking(RuleBasedStateMachine):
    """Whatever is taken and given back, in whatever order, and whenever the sender dies."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = TemporaryDirectory()
        self.path = Path(self._folder.name) / "pops.outbox"
        self.store = Store(fill(self.path, []))
        self.recorded = 0
        self.held: list[Row] = []
        self.confirmed: set[int] = set()

    @rule(plays=st.integers(1, 30))
    def record(self, plays: int) -> None:
        fill(self.path, [row(self.recorded + n + 1, id=0) for n in range(plays)])
        self.recorded += plays

    @rule(plays=st.integers(1, 20))
    def take(self, plays: int) -> None:
        self.held += self.store.take(plays)

    @rule(data=st.data())
    def confirm(self, data: st.DataObject) -> None:
        rows = self._some(data)
        self.store.acked(rows, 99)
        self.confirmed |= {each.seq for each in rows}

    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        self.store.release(self._some(data))

    @rule(data=st.data())
    def aside(self, data: st.DataObject) -> None:
        for each in self._some(data)[:2]:
            self.store.aside(each, [each], "refused", 99)

    @rule()
    def die(self) -> None:
        self.store.close()
        self.held = []
        self.store = Store(self.path)

    @rule()
    def mend(self) -> None:
        mended_by_another(self.path)

    @invariant()
    def every_play_is_there_once(self) -> None:
        found = query(self.path, "SELECT seq, state FROM plays ORDER BY seq")
        assert [seq for seq, _ in found] == list(range(1, self.recorded + 1))
        assert {seq for seq, state in found if state == State.ACKED} >= self.confirmed
        assert all_sound(self.path)

    def teardown(self) -> None:
        self.store.close()
        self._folder.cleanup()

    def _some(self, data: st.DataObject) -> list[Row]:
        chosen = data.draw(st.sets(st.sampled_from(range(len(self.held))))) if self.held else set()
        rows = [self.held[n] for n in chosen]
        self.held = [each for n, each in enumerate(self.held) if n not in chosen]
        return rows


TestTaking: Any = Taking.TestCase
TestTaking.settings = settings(max_examples=12, stateful_step_count=15)
