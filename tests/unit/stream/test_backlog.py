from pop_stream.stream.backlog import Backlogs
from pop_stream.stream.ledger import Place, Standing
from pop_stream.watch.history import Backlog

FIRST, SECOND, THIRD = (Place("events", partition) for partition in range(3))


def standing(place: Place, offset: int | None) -> Standing:
    """A partition whose first unfinished event is there."""
    return Standing(place, None, offset, is_done=False, written_ms=None)


def test_a_backlog_is_what_is_from_the_first_unfinished_event_on() -> None:
    """A partition may be further than it was when Kafka was asked; that is no backlog below 0."""
    seen = Backlogs.seen(
        {FIRST: 100, SECOND: 50}, [standing(FIRST, 30), standing(SECOND, 53)], at=9.0, assignment=2
    )

    assert seen.events == {FIRST: 70, SECOND: 0}
    assert seen.of([FIRST, SECOND], 2) == Backlog(70, 9.0, 2)
    assert seen.of([], 2) == Backlog(0, 9.0, 2)


def test_what_is_not_known_is_left_out() -> None:
    """A partition that came since, and one whose commit could not be read."""
    seen = Backlogs.seen(
        {FIRST: 100, SECOND: 50}, [standing(FIRST, None), standing(THIRD, 3)], at=9.0, assignment=2
    )

    assert seen.events == {}


def test_the_backlog_of_an_earlier_assignment_is_not_known() -> None:
    """It was that of other partitions."""
    seen = Backlogs.seen({FIRST: 100}, [standing(FIRST, 30)], at=9.0, assignment=2)

    assert seen.of([FIRST], 3) is None
