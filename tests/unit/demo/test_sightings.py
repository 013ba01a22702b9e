from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from pop_stream.demo.account import account_for
from pop_stream.demo.records import SeenRecord, TopicNames
from pop_stream.demo.sightings import Sightings
from pop_stream.pop.identity import fallback_pop_id

TOPICS = TopicNames(events="e", retry="r", failure="f", notifications="n")
BODY = "2cf24dba"
POP_ID = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"


def seen(topic, pop_id=POP_ID, *, offset=0, key=b"1202/3", **headers):
    """Make a record with the headers of an event."""
    named = {name.replace("_", "-"): value.encode() for name, value in headers.items()}
    ours = {"pop-id": pop_id.encode()} if pop_id else {}
    return SeenRecord(topic=topic, partition=0, offset=offset, key=key, headers=ours | named)


def test_an_event_is_followed_over_retry_to_the_partner():
    """An event that fails once waits, and is settled when the partner takes it."""
    sightings = Sightings(TOPICS)
    sightings.record(seen("e"), 0.0)
    sightings.answer(POP_ID, BODY, took=False)
    sightings.record(seen("r", pop_status="503", pop_attempt="1"), 1.5)
    before = sightings.counts()
    sightings.answer(POP_ID, BODY, took=True)
    after = sightings.counts()

    assert (before.produced, before.waiting, before.settled, before.refused_attempts) == (
        1,
        1,
        0,
        1,
    )
    assert (after.accepted, after.waiting, after.settled, after.retried) == (1, 0, 1, 1)
    assert [
        (each.seconds, each.kind, each.key, each.reason) for each in sightings.happenings()
    ] == [(1.5, "retry", "1202/3", "503, attempt 1")]


def test_a_parked_event_is_settled_with_its_notification():
    """On the failure topic alone an event is not done."""
    sightings = Sightings(TOPICS)
    sightings.record(seen("e"), 0.0)
    sightings.record(seen("f", pop_reason="rejected", pop_status="422", pop_attempt="4"), 2.0)
    before = sightings.counts()
    sightings.record(seen("n"), 2.1)

    assert (before.parked, before.quarantined, before.settled) == (1, 0, 0)
    assert (sightings.counts().notified, sightings.counts().settled) == (1, 1)


def test_a_quarantined_event_is_told_from_one_that_was_tried():
    """What was never tried is counted apart, with its reason, under the id of its first place."""
    sightings = Sightings(TOPICS)
    pop_id = fallback_pop_id("e", 0, 7)
    sightings.record(seen("e", pop_id="", offset=7), 0.0)
    sightings.record(seen("f", pop_id, pop_reason="quarantined:not-json"), 0.5)

    assert (sightings.counts().parked, sightings.counts().quarantined) == (1, 1)
    assert [each.reason for each in sightings.happenings()] == ["not-json"]
    assert sightings.evidence({}).parked == sightings.evidence({}).produced == {pop_id}


def test_an_id_is_the_same_in_either_case():
    """Some write hexadecimal digits in capitals; the event is the same."""
    sightings = Sightings(TOPICS)
    sightings.record(seen("e", POP_ID.upper()), 0.0)
    sightings.answer(POP_ID.upper(), BODY, took=True)

    assert sightings.counts().settled == 1


def test_what_is_not_committed_is_unfinished_and_else_it_is_lost():
    """An event with no outcome is lost once the worker has committed past all its records."""
    sightings = Sightings(TOPICS)
    sightings.record(seen("e", offset=5), 0.0)
    sightings.record(seen("r", offset=2), 0.0)

    def account(committed):
        found = account_for(sightings.evidence(committed))
        return found.unfinished, found.lost

    assert account({}) == (1, 0)
    assert account({("e", 0): 6}) == (1, 0)
    assert account({("e", 0): 6, ("r", 0): 2}) == (1, 0)
    assert account({("e", 0): 6, ("r", 0): 3}) == (0, 1)


def test_an_event_that_was_confirmed_but_never_came_is_lost():
    """The players' word counts: a record that Kafka does not give back is missed."""
    sightings = Sightings(TOPICS)
    sightings.confirmed([POP_ID])

    assert account_for(sightings.evidence({})).lost == 1


def test_an_event_that_was_altered_is_found():
    """GSTV must get the bytes that the player sent."""
    sightings = Sightings(TOPICS)
    sightings.sent(POP_ID, BODY)
    sightings.answer(POP_ID, BODY, took=True)
    intact = account_for(sightings.evidence({}))
    sightings.answer(POP_ID, "486ea462", took=True)

    assert intact.unaccounted == ()
    assert account_for(sightings.evidence({})).unaccounted == (
        f"1 delivered with other bytes than were sent: {POP_ID}",
    )


@settings(deadline=None)
@given(st.permutations(range(7)))
def test_the_order_of_the_witnesses_does_not_matter(order):
    """Topics and ledgers are read at their own speed; in the end all say the same."""
    other = "027f22e2-79b0-7cc3-98c4-dc0c0c07398f"
    sightings = Sightings(TOPICS)
    reports = [
        lambda: sightings.record(seen("e"), 0.0),
        lambda: sightings.record(seen("r"), 0.0),
        lambda: sightings.answer(POP_ID, BODY, took=True),
        lambda: sightings.record(seen("e", other, offset=1), 0.0),
        lambda: sightings.record(seen("r", other, offset=1), 0.0),
        lambda: sightings.record(seen("f", other), 0.0),
        lambda: sightings.record(seen("n", other), 0.0),
    ]
    for index in order:
        reports[index]()
    counts, evidence = sightings.counts(), sightings.evidence({})

    assert (counts.produced, counts.settled, counts.waiting, counts.parked) == (2, 2, 0, 1)
    assert (evidence.accepted, evidence.parked) == (Counter([POP_ID]), {other})
    assert evidence.unfinished == set()
