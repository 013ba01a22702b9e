"""Plays that are done with are sent again when somebody asks for it."""

from dataclasses import replace
from pathlib import Path

import pytest

from pop_stream.errors import WorkFailedError
from pop_stream.player.outbox.packing import packed, unpacked
from pop_stream.player.outbox.row import State
from pop_stream.player.outbox.salvage import salvage
from pop_stream.player.sending import resending
from pop_stream.player.sending.record import record_of
from pop_stream.player.sending.resending import Resent, Wanted, resend
from pop_stream.player.sending.store import Store
from tests.support.filled_outbox import (
    all_sound,
    damage,
    fill,
    pop_id_of,
    row,
    rows,
    sealed,
    states,
    waiting,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the outbox of the test is."""
    return tmp_path / "pops.outbox"


def confirmed(path: Path, plays: int, *, screens: int = 1) -> Path:
    """An outbox of plays that Kafka has confirmed at the moments 1, 2 and so on."""
    return fill(
        path,
        (row(n, screens=screens, state=State.ACKED, acked=n) for n in range(1, plays + 1)),
    )


def test_what_was_confirmed_is_sent_again_under_its_pop_id(path: Path) -> None:
    """As if it had never been sent."""
    with Store(waiting(path, 5)) as store:
        sent = store.take(5)
        store.acked(sent, 99)

    assert resend(path, Wanted()) == Resent(plays=5)
    assert all_sound(path)
    assert all(each.acked is None for each in rows(path))
    with Store(path) as store:
        again = store.take(5)
    assert [record_of(each) for each in again] == [record_of(each) for each in sent]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Wanted(stored=range(3, 6)), [3, 4, 5]),
        (Wanted(screens=frozenset({"7/2"})), [2, 4, 6, 8]),
        (Wanted(pop_ids=frozenset({pop_id_of(8)})), [8]),
        (Wanted(stored=range(3, 6), screens=frozenset({"7/2"})), [4]),
        # The second play begins at 14:13:50 UTC, and its site is six hours behind.
        (Wanted(played={"2026-09-21 08:13:50"}), [2]),
        (Wanted(state=State.ASIDE), []),
        (Wanted(), list(range(1, 9))),
    ],
)
def test_only_what_is_asked_for_is_sent_again(
    path: Path, wanted: Wanted, expected: list[int]
) -> None:
    """All that is asked must hold."""
    confirmed(path, 8, screens=2)

    assert resend(path, wanted).plays == len(expected)
    assert [each.id for each in rows(path) if each.state is State.READY] == expected
    assert all_sound(path)


def test_what_was_set_aside_waits_again_without_the_reason(path: Path) -> None:
    """And with the headers that it had."""
    fill(path, [row(1, extra=b'{"traceparent":"00-1"}'), row(2)])
    with Store(path) as store:
        before = store.take(2)
        for each in before:
            store.aside(each, [each], "too large", 99)

    assert resend(path, Wanted(state=State.ASIDE)) == Resent(plays=2)
    assert [each.extra for each in rows(path)] == [b'{"traceparent":"00-1"}', None]
    assert all_sound(path)


def test_a_dry_run_changes_nothing(path: Path) -> None:
    """It only counts."""
    confirmed(path, 3)

    assert resend(path, Wanted(), is_dry_run=True) == Resent(plays=3)
    assert states(path) == {State.ACKED: 3}


def test_plays_that_were_packed_together_are_sent_together(path: Path) -> None:
    """When one of them is asked for."""
    pack = packed([row(1), row(2), row(3)], pop_id=pop_id_of(77))
    fill(path, [sealed(replace(pack, id=1, state=State.ACKED, acked=9)),
                row(4, state=State.ACKED, acked=9)])  # fmt: skip

    assert resend(path, Wanted(pop_ids=frozenset({pop_id_of(2)}))) == Resent(plays=3)
    (again,) = [each for each in rows(path) if each.state is State.READY]
    assert [each.pop_id for each in unpacked(again)] == [pop_id_of(n) for n in (1, 2, 3)]
    assert again.is_sound


def test_what_is_damaged_stays_and_is_counted(path: Path) -> None:
    """The others wait again."""
    confirmed(path, 4)
    damage(path, 2)

    assert resend(path, Wanted()) == Resent(plays=3, damaged=1)
    assert states(path) == {State.READY: 3, State.ACKED: 1}


def test_many_are_done_some_at_a_time(path: Path) -> None:
    """With word of how far it is; what is not meant in between is passed over."""
    confirmed(path, 2500, screens=2)
    told: list[tuple[int, int]] = []

    resent = resend(path, Wanted(screens=frozenset({"7/1"})), told=lambda *far: told.append(far))

    assert resent == Resent(plays=1250)
    assert told == [(1000, 2500), (2000, 2500), (2500, 2500)]


def test_none_is_passed_over_when_the_file_is_mended_meanwhile(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new file has other numbers for them, and some are confirmed in it as they were."""
    confirmed(path, 250)
    monkeypatch.setattr(resending, "_AT_ONCE", 100)
    mended = False

    def told(_done: int, _total: int) -> None:
        nonlocal mended
        if not mended:
            mended = True
            salvage(path)

    assert resend(path, Wanted(), told=told).plays >= 250
    assert states(path) == {State.READY: 250}
    assert all_sound(path)


def test_what_is_confirmed_meanwhile_is_left_alone(path: Path) -> None:
    """A play that a sender confirms between the look and the turn was another one."""
    waiting(path, 3)
    with Store(path) as store:
        taken = store.take(3)
        assert resend(path, Wanted()) == Resent(plays=0)
        store.acked(taken, 99)

    assert states(path) == {State.ACKED: 3}


def test_a_file_that_cannot_be_used_is_named(path: Path) -> None:
    """With the reason."""
    path.write_bytes(b"no outbox at all" * 512)

    with pytest.raises(WorkFailedError, match=r"pops\.outbox cannot be used"):
        resend(path, Wanted())
