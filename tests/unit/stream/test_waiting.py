from hypothesis import given
from hypothesis import strategies as st

from pop_stream.stream.claim import Claim, Stage, claims_of
from pop_stream.stream.waiting import Waiting
from tests.unit.stream.fakes import RETRY, Arrivals


def claims(*due: int) -> list[Claim]:
    """Claims due at these times; 0: at once."""
    arrivals = Arrivals()
    return [
        claims_of(arrivals.run(RETRY, b"", headers=_not_before(when)), Stage.RETRY)[0]
        for when in due
    ]


def _not_before(when: int) -> list[tuple[str, bytes]]:
    return [("pop-not-before", str(when).encode())]


def waiting(*added: Claim) -> Waiting:
    """Some claims, waiting."""
    all_ = Waiting()
    for claim in added:
        all_.add([claim])
    return all_


def taken(all_: Waiting, now: int) -> list[Claim]:
    """All that may be attempted at a time, in its order."""
    found = []
    while claims := all_.take(now, 2):
        assert len(claims) <= 2
        found += claims
    return found


def test_an_event_due_early_never_waits_behind_one_due_late() -> None:
    """Events come out when they are due, whatever the order in which they came in."""
    late, early, middle = claims(3_000, 1_000, 2_000)
    all_ = waiting(late, early, middle)

    assert taken(all_, 999) == []
    assert taken(all_, 1_000) == [early]
    assert taken(all_, 2_999) == [middle]
    assert taken(all_, 3_000) == [late]
    assert len(all_) == 0


def test_equal_times_keep_their_order() -> None:
    """Of events due at the same time, and of those due at once, the first is the first."""
    same = claims(5, 5, 5)
    at_once = claims(0, 0, 0)

    assert taken(waiting(*same), 5) == same
    assert taken(waiting(*at_once), 0) == at_once


def test_new_events_do_not_keep_one_back_whose_time_has_come() -> None:
    """A retry that is due comes before the many that are due at any time."""
    fresh, due, later = claims(0, 100, 200)

    assert taken(waiting(fresh, due, later), 100) == [due, fresh]


def test_an_event_not_yet_due_keeps_no_other_back() -> None:
    """What waits for its time does not stand in the way of what could go now."""
    later, fresh = claims(200, 0)

    assert taken(waiting(later, fresh), 100) == [fresh]


def test_what_is_put_back_is_the_next() -> None:
    """An attempt that did not count is made again before those behind it."""
    first, second = claims(0, 0)
    all_ = waiting(second)
    all_.put_back(first)

    assert taken(all_, 0) == [first, second]


def test_the_next_time_is_that_of_the_first_event_due() -> None:
    """It is the earliest of all; what may go at once makes it 0."""
    later, early, fresh = claims(200, 100, 0)

    assert waiting().next_due() is None
    assert not waiting(fresh).has_later
    assert waiting(fresh, later).has_later
    assert waiting(later, early).next_due() == 100
    assert waiting(later, early, fresh).next_due() == 0


def test_letting_go_leaves_nothing() -> None:
    """After a revocation none of the events is handed out."""
    all_ = waiting(*claims(0, 100))
    all_.clear()

    assert len(all_) == 0
    assert all_.next_due() is None
    assert taken(all_, 1_000) == []


@given(st.lists(st.integers(0, 20), max_size=30), st.lists(st.integers(0, 25), max_size=10))
def test_nothing_is_lost_nothing_comes_early(due: list[int], times: list[int]) -> None:
    """At every time exactly what is due has come out, each event once."""
    all_ = waiting(*claims(*due))
    out: list[int] = []
    for now in [*sorted(times), 25]:
        assert len(all_) == len(due) - len(out)
        out += [claim.not_before for claim in taken(all_, now)]
        assert sorted(out) == sorted(when for when in due if when <= now)
