from dataclasses import replace
from pathlib import Path

import pytest

from pop_stream.player import Outbox
from pop_stream.player.outbox.packing import packed
from pop_stream.player.outbox.row import Row, State
from pop_stream.player.sending.store import Store
from tests.support.filled_outbox import damage, fill, pop_id_of, query, row, sealed

_DAY = 86_400_000
_NOW = 1_800_000_000_000


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the outbox of the test is."""
    return tmp_path / "pops.outbox"


def delivered(number: int, days_ago: float, *, screens: int = 1) -> Row:
    """A play that the broker has."""
    at = int(_NOW - days_ago * _DAY)
    return row(number, screens=screens, state=State.ACKED, acked=at)


def prune(path: Path, now: int = _NOW) -> int:
    """Take out what is old; gives in how many steps."""
    steps = 1
    with Store(path) as store:
        while store.prune(now):
            steps += 1
    return steps


def numbers(path: Path) -> list[int]:
    """Which plays are there."""
    return [seq for (seq,) in query(path, "SELECT seq FROM plays ORDER BY seq")]


def test_what_was_delivered_long_ago_goes_and_nothing_else(path: Path) -> None:
    """Not what waits, however old; not what is set aside; not what may be asked for again."""
    fill(path, [delivered(1, 30), row(2), delivered(3, 30), row(4, state=State.ASIDE),
                delivered(5, 13), delivered(6, 0)])  # fmt: skip
    prune(path)

    assert numbers(path) == [2, 4, 5, 6]
    assert query(path, "SELECT first, last FROM settled") == [(1, 1), (3, 3)]


def test_it_is_done_in_small_steps(path: Path) -> None:
    """Plays are written down in between."""
    fill(path, (delivered(n, 30) for n in range(1, 5001)))

    assert prune(path) == 6
    assert numbers(path) == []


def test_what_is_kept_is_only_looked_at_where_it_begins(path: Path) -> None:
    """A hundred thousand plays of two weeks are not read each time."""
    fill(path, (delivered(n, 1) for n in range(1, 5001)))

    assert prune(path) == 1


def test_a_day_is_pruned_once(path: Path) -> None:
    """Until the next one."""
    fill(path, [delivered(n, 20 - n) for n in range(1, 10)])
    with Store(path) as store:
        store.prune(_NOW)
        before = numbers(path)
        assert not store.prune(_NOW + 1000)
        assert numbers(path) == before
        store.prune(_NOW + _DAY)

    assert numbers(path) == before[1:]


def test_what_was_pruned_is_not_taken_for_lost(path: Path) -> None:
    """When the file is damaged later, only what is missing is declared."""
    with Outbox(path, zone="UTC") as outbox:
        for _ in range(20):
            with outbox.play({"filename": "a", "assetId": "1", "siteId": "7", "screenId": "1"}):
                pass
    with Store(path) as store:
        store.acked(store.take(15), int(_NOW - 30 * _DAY))
    prune(path)
    assert numbers(path) == [16, 17, 18, 19, 20]
    (damaged,) = query(path, "SELECT id FROM plays WHERE seq = 18")[0]
    damage(path, damaged)
    with Store(path) as store:
        assert [each.seq for each in store.take(10)] == [16, 17, 19, 20]

    assert query(path, "SELECT key, first, last FROM losses") == [("7/1", 18, 18)]


def test_a_pack_that_was_delivered_accounts_for_the_plays_in_it(path: Path) -> None:
    """Each of its numbers is known to be settled."""
    pack = packed([row(n, screens=2) for n in range(1, 9)], pop_id=pop_id_of(1000))
    old = replace(pack, state=State.ACKED, acked=int(_NOW - 30 * _DAY))
    fill(path, [sealed(old), row(9, screens=2)])
    prune(path)

    assert numbers(path) == [5]
    assert query(path, "SELECT key, first, last FROM settled ORDER BY key") == [
        ("7/1", 1, 4), ("7/2", 1, 4),
    ]  # fmt: skip


def test_a_row_that_is_damaged_says_nothing_of_what_may_go(path: Path) -> None:
    """The outbox is mended before anything is taken out of it."""
    fill(path, [delivered(1, 30), delivered(2, 30), delivered(3, 30)])
    query(path, "UPDATE plays SET seq = 77 WHERE id = 2")
    prune(path)

    assert numbers(path) == []
    assert query(path, "SELECT key, first, last FROM losses") == [("7/1", 2, 2)]
