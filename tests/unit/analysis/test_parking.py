"""How it stands with each record of the failure topic."""

from collections.abc import Iterator

import pytest

from pop_stream.analysis.event_view import EventView
from pop_stream.analysis.parked.parking import Parking, State
from pop_stream.pop.redrive import RedriveSchedule, Step

ID = "019af0c2-6b5e-7a51-9c0e-3f2b8d1c4e77"
OTHER = "019af0c2-6b5e-7a51-9c0e-3f2b8d1c4e78"
SCHEDULE = RedriveSchedule((3600,), frozenset(("transient",)))


def record(
    offset: int = 0,
    *,
    pop_id: str = ID,
    at: int = 1000,
    redrives: int = 0,
    partition: int = 0,
    reason: str = "transient",
) -> EventView:
    """A record of one of our own topics."""
    headers = [("pop-id", pop_id.encode()), ("pop-reason", reason.encode())]
    if redrives:
        headers.append(("pop-redrives", str(redrives).encode()))
    return EventView("t", partition, offset, timestamp=at, key=None, value=b"{}",
                     headers=headers, is_ours=True)  # fmt: skip


def mark(*, settled: bool = True) -> EventView:
    """A person's mark."""
    value = b'{"settled": true}' if settled else b'{"settled": false}'
    return EventView("m", 0, 0, timestamp=1, key=ID.encode(), value=value, headers=(), is_ours=True)


@pytest.fixture
def parking() -> Iterator[Parking]:
    """A failure topic of which the first redrive has passed partition 0 up to offset 5."""
    with Parking(SCHEDULE, {(Step("transient", 0), 0): 5}) as one:
        yield one


def test_of_each_event_the_latest_record_waits(parking: Parking) -> None:
    """By its offset in its partition, by its time in another."""
    records = [record(7), record(9, at=900), record(1, partition=1, at=800)]
    parking.park(records)

    assert [parking.state_of(one) for one in records] == [
        State.PARKED_AGAIN, State.WAITING, State.PARKED_AGAIN,
    ]  # fmt: skip
    assert parking.state_of(record(7, pop_id=OTHER)) is State.WAITING


def test_what_was_sent_back_and_stayed_away_waits_no_more(parking: Parking) -> None:
    """As the retry topic says, or the commit of the workers' redrive."""
    by_hand, by_itself = record(7), record(4, pop_id=OTHER)
    parking.park([by_hand, by_itself])
    assert parking.state_of(by_hand) is State.WAITING
    assert parking.state_of(by_itself) is State.SENT_BACK
    parking.sent_back([record(0, at=2000, redrives=1)])

    assert parking.state_of(by_hand) is State.SENT_BACK


def test_the_way_by_which_it_came_does_not_count(parking: Parking) -> None:
    """Its first attempts, and the redrive after which it failed again."""
    again = record(9, at=3000, redrives=1)
    parking.park([record(7), again])
    parking.sent_back([record(0, at=500), record(1, at=2000, redrives=1)])

    assert parking.state_of(again) is State.WAITING


def test_a_replayed_event_that_is_parked_anew_waits(parking: Parking) -> None:
    """However often it was sent back before."""
    parking.sent_back([record(0, at=2000, redrives=4)])
    anew = record(9, at=3000)
    parking.park([record(7, redrives=3), anew])

    assert parking.state_of(anew) is State.WAITING


def test_what_a_step_passed_over_as_settled_waits_once_the_mark_is_taken_back(
    parking: Parking,
) -> None:
    """Its commit says nothing of whether it was sent back."""
    parked = record(4)
    parking.park([parked])
    parking.mark([mark()])
    assert parking.state_of(parked) is State.SETTLED
    assert parking.is_settled(ID)
    parking.mark([mark(settled=False)])

    assert parking.state_of(parked) is State.WAITING
    assert not parking.is_settled(ID)


def test_what_holds_no_whole_event_says_so(parking: Parking) -> None:
    """It waits for a person, and cannot be sent."""
    hole = record(7, reason="gone")
    cut = record(8, pop_id=OTHER)
    cut.headers = [*cut.headers, ("pop-trimmed", b"value 70000")]
    parking.park([hole, cut])

    assert {parking.state_of(one) for one in (hole, cut)} == {State.NO_EVENT}


def test_those_that_come_back_are_counted(parking: Parking) -> None:
    """By that a run sees that GSTV refuses them still."""
    parking.park([record(7), record(8, redrives=1), record(9, redrives=2)])

    assert parking.came_back == 2
