import json

from pop_stream.pop.hole import Hole
from pop_stream.pop.identity import fallback_pop_id
from pop_stream.pop.trail import Origin, trail_from_own_topic

HOLE = Hole(topic="pop-events", partition=3, begin=7, end=12)


def test_a_hole_says_which_records_are_gone() -> None:
    """For people in words, for programs as numbers."""
    headers = dict(HOLE.headers(now_ms=1))

    assert HOLE.events == 5
    assert headers["pop-error"] == b"offsets 7 to 11 were deleted before they were delivered"
    assert headers["pop-reason"] == b"gone"
    assert json.loads(HOLE.value()) == {
        "topic": "pop-events", "partition": 3, "from": 7, "to": 12,
    }  # fmt: skip


def test_a_hole_that_is_told_again_has_the_same_id() -> None:
    """So that its notification has, too."""
    trail = trail_from_own_topic(HOLE.headers(now_ms=1), Origin("f", 0, 0, 5))

    assert trail.pop_id == HOLE.pop_id == fallback_pop_id("pop-events", 3, 7)
    assert trail.origin == Origin("pop-events", 3, 7, -1)
