import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pop_stream.demo.scenario import PARTNER_RULES, partner_rules, shares_of, unfit_events
from pop_stream.gstv.mock.attempt import Attempt, place
from pop_stream.gstv.mock.rules_json import parse_rules
from pop_stream.pop.event import Quarantine, Rules, read_event
from pop_stream.pop.identity import PopIdMaker
from pop_stream.pop.play_times import latest_local_time


def decisions(pop_id):
    """What the partner says to the first four attempts of an event."""
    rules = parse_rules(json.dumps(PARTNER_RULES))
    attempts = [
        Attempt(id=pop_id, nth=nth, headers={}, seconds=1.0, draws=(1.0,) * len(PARTNER_RULES))
        for nth in range(1, 5)
    ]
    return [rules.decide(attempt).decision for attempt in attempts]


def ids(count):
    """Make ids as the players do, with chances that repeat."""
    bits = iter(range(1, 10**9))
    make = PopIdMaker(lambda: 1_700_000_000_000, lambda _: next(bits))
    return [make() for _ in range(count)]


def test_the_partner_shows_every_kind_of_trouble():
    """Among a thousand events each of the script's fates comes to pass, most of them at once."""
    fates = [tuple(decisions(pop_id)) for pop_id in ids(1000)]

    assert set(fates) == {
        (200, 200, 200, 200),
        (422, 422, 422, 422),
        (503, 503, 200, 200),
        (500, 500, 200, 200),
        ("reset-after-read", 200, 200, 200),
    }
    assert fates.count((200, 200, 200, 200)) > 850


@settings(deadline=None)
@given(st.uuids())
def test_no_rule_spends_all_attempts_but_the_refusal(uuid):
    """An event is either always refused or taken by the third attempt at the latest."""
    fate = decisions(str(uuid))

    assert fate == [422] * 4 or fate[2:] == [200, 200]
    assert (fate[0] == 422) == (place(str(uuid)) < 0.02)


@pytest.mark.parametrize("number", range(6))
def test_every_unfit_event_is_one(number):
    """Each of them must be quarantined, each for a reason of its own."""
    latest = latest_local_time(datetime.now(UTC))
    readings = [
        read_event(event.value, event.key, rules=Rules(), latest=latest)
        for event in unfit_events(6)
    ]

    assert isinstance(readings[number], Quarantine)
    assert len({reading.fault for reading in readings}) == 6


@settings(deadline=None)
@given(st.integers(1, 1_000_000))
def test_all_events_of_a_run_are_produced_by_somebody(events):
    """Players and unfit events add up to what was asked for; the players always have some."""
    shares = shares_of(events)

    assert shares.players + shares.unfit == events
    assert shares.players >= 1
    assert 0 <= shares.unfit <= 6
    assert len(list(unfit_events(shares.unfit))) == shares.unfit


def test_a_usual_run_has_unfit_events():
    """A run of 300 shows the quarantine."""
    assert shares_of(300).unfit == 6


def test_the_outage_comes_before_all_other_misbehaviour() -> None:
    """For 20 s everything is refused; without it the rules are the usual ones."""
    outage, *usual = partner_rules(outage=True)

    assert outage["then"] == {"status": 503}
    begin, end = outage["when"]["window"]
    assert end - begin == 20
    assert usual == partner_rules(outage=False) == PARTNER_RULES
