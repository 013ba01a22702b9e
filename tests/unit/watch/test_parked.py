"""Which parked events still wait for somebody."""

from uuid import UUID

from pop_stream.pop.redrive import REDRIVABLE, RedriveSchedule, Step
from pop_stream.watch.parked import ParkedEvents

TOPIC = "pop-events-failure"
FIRST, SECOND = Step("transient", 0), Step("transient", 1)
SETTLED, NOT_SETTLED = b'{"settled": true}', b'{"settled": false}'


def id_of(number: int) -> str:
    """A pop-id."""
    return str(UUID(int=number))


class Scene:
    """Parked events of two steps of a schedule."""

    def __init__(self) -> None:
        self.events = ParkedEvents(RedriveSchedule((60, 600), REDRIVABLE))

    def park(
        self, number: int, offset: int, *, reason: str = "transient", redrives: int = 0
    ) -> None:
        """Park an event in partition 0: produced at its number, parked at its offset."""
        headers = [
            ("pop-id", id_of(number).encode()),
            ("pop-origin", f"pop-events/0/7/{number}".encode()),
            ("pop-reason", reason.encode()),
            ("pop-redrives", str(redrives).encode()),
        ]
        self.events.park(TOPIC, 0, offset, 1000 + offset, headers)

    @property
    def waiting(self) -> set[int]:
        """The events that wait, by when they were produced."""
        return {each.produced_at for each in self.events.waiting()}


def test_a_parked_event_waits_with_the_time_at_which_it_was_produced() -> None:
    """Its age is that of the play, not of its last failure."""
    scene = Scene()
    scene.park(11, 5)

    (parked,) = scene.events.waiting()
    assert (parked.produced_at, parked.parked_at) == (11, 1005)


def test_what_was_sent_back_waits_no_more() -> None:
    """Below the commit of the step that sends it back; at it, it is still to be sent."""
    scene = Scene()
    scene.park(11, 5)
    scene.park(12, 6)
    scene.events.sent_back({(FIRST, 0): 6, (SECOND, 0): 99, (FIRST, 1): 99})

    assert scene.waiting == {12}


def test_what_no_step_sends_back_waits_however_far_the_steps_are() -> None:
    """The steps of one reason pass over what was parked with another."""
    scene = Scene()
    scene.park(11, 5, reason="rejected")
    scene.park(12, 6, reason="quarantined:not-json")
    scene.events.sent_back({(FIRST, 0): 99, (SECOND, 0): 99})
    assert scene.waiting == {11, 12}

    scene.events.sent_back({(Step("rejected", 0), 0): 99})
    assert scene.waiting == {12}


def test_an_event_that_is_parked_again_waits_for_its_next_step() -> None:
    """Its first record has been sent back; its second counts."""
    scene = Scene()
    scene.park(11, 5)
    scene.events.sent_back({(FIRST, 0): 6})
    scene.park(11, 9, redrives=1)
    scene.events.sent_back({(FIRST, 0): 99, (SECOND, 0): 9})
    assert scene.waiting == {11}

    scene.events.sent_back({(FIRST, 0): 99, (SECOND, 0): 10})
    assert scene.waiting == set()


def test_what_a_person_has_settled_waits_no_more() -> None:
    """Unless the mark is taken back: the step has passed it over then, and sends it no more."""
    scene = Scene()
    scene.park(11, 5)
    scene.events.mark(id_of(11).encode(), SETTLED)
    assert scene.waiting == set()

    scene.events.sent_back({(FIRST, 0): 99})
    scene.events.mark(id_of(11).encode(), NOT_SETTLED)
    assert scene.waiting == {11}


def test_a_mark_may_come_before_its_event() -> None:
    """The topics are read each for itself. What is no mark is passed over."""
    scene = Scene()
    scene.events.mark(b"no id", SETTLED)
    scene.events.mark(None, None)
    scene.events.mark(id_of(11).encode(), SETTLED)
    scene.park(11, 5)

    assert scene.waiting == set()


def test_what_the_topic_keeps_no_more_is_forgotten() -> None:
    """A person may have deleted it."""
    scene = Scene()
    scene.park(11, 5)
    scene.park(12, 6)
    scene.events.deleted({0: 6})

    assert scene.waiting == {12}
