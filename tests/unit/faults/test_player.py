"""What the players of a run send is of both kinds that a worker knows."""

import pytest

from faults.player import play_of
from pop_stream.pop.event import Forward, Rules, is_forwarded_as_it_is, read_event

_LATEST = "2100-01-01 00:00:00"


@pytest.mark.parametrize(("seq", "needs_no_parsing"), [(0, False), (1, True)])
def test_every_other_play_needs_no_parsing(seq: int, needs_no_parsing: bool) -> None:
    """Nearly all of a real player's do not: a suite without them would try another worker."""
    play, key, rules = play_of(5, seq), b"site-1/1", Rules()

    assert is_forwarded_as_it_is(play, key, rules, _LATEST) == needs_no_parsing
    reading = read_event(play, key, rules=rules, latest=_LATEST)
    assert isinstance(reading, Forward)
    assert reading.body == play
