import pytest
from hypothesis import given
from hypothesis import strategies as st

from pop_stream.errors import UsageError
from pop_stream.player.simulation.outage import Outage, parse_outage


def test_contact_is_lost_at_the_end_of_each_turn():
    """What is played with contact is sent at once, the rest when the turn is over."""
    outage = Outage(10, 30)

    assert [outage.contact_at(each) for each in (0, 19.9, 20, 29, 30, 55)] == [
        0, 19.9, 30, 30, 30, 60,
    ]  # fmt: skip


@given(st.floats(0, 1e6), st.floats(0.1, 100), st.floats(0.1, 100))
def test_nothing_is_sent_before_it_was_played_or_later_than_an_outage_is_long(moment, length, rest):
    """And what was played later is not sent earlier."""
    outage = Outage(length, length + rest)
    contact = outage.contact_at(moment)

    assert moment <= contact <= moment + length + 1e-6
    assert outage.contact_at(moment + 0.1) >= contact - 1e-6


@pytest.mark.parametrize(
    ("text", "outage"),
    [
        ("10s/30s", Outage(10, 30)),
        ("90/5m", Outage(90, 300)),
        ("1.5m/2h", Outage(90, 7200)),
    ],
)
def test_an_outage_is_told_by_its_length_and_how_often_it_comes(text, outage):
    """In seconds, minutes or hours."""
    assert parse_outage(text) == outage


@pytest.mark.parametrize("text", ["", "10s", "10s/", "30s/10s", "5s/5s", "0/10", "-1/5", "1d/2d"])
def test_what_is_no_outage_is_refused(text):
    """With the form that one has."""
    with pytest.raises(UsageError, match="outage"):
        parse_outage(text)
