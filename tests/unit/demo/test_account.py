from collections import Counter
from dataclasses import fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pop_stream.demo.account import Evidence, account_for

DELIVERED, DELIVERED_LATE, DELIVERED_TWICE, PARKED, QUARANTINED, UNFINISHED, LOST = range(7)

fates = st.lists(st.integers(DELIVERED, QUARANTINED), max_size=60)


def evidence_of(fates):
    """Build what an observer sees when each event had its fate and the worker did its duty."""
    by_fate = {f"id-{number}": fate for number, fate in enumerate(fates)}

    def having(*wanted):
        return {pop_id for pop_id, fate in by_fate.items() if fate in wanted}

    return Evidence(
        produced=set(by_fate),
        accepted=Counter(having(DELIVERED, DELIVERED_LATE, DELIVERED_TWICE))
        + Counter(having(DELIVERED_TWICE)),
        tried_in_vain=having(DELIVERED_LATE, PARKED),
        parked=having(PARKED, QUARANTINED),
        quarantined=having(QUARANTINED),
        notified=Counter(having(PARKED, QUARANTINED)),
        unfinished=having(UNFINISHED),
        altered=set(),
    )


@settings(deadline=None)
@given(fates)
def test_every_event_is_in_exactly_one_place(fates):
    """Whatever became of each event, the places add up to what was produced."""
    account = account_for(evidence_of(fates))

    assert account.produced == account.delivered + account.parked == len(fates)
    assert account.delivered_after_retry == fates.count(DELIVERED_LATE)
    assert account.quarantined == fates.count(QUARANTINED)
    assert account.notified == account.parked
    assert account.duplicates == fates.count(DELIVERED_TWICE)
    assert (account.lost, account.unfinished, account.unaccounted) == (0, 0, ())
    assert account.exit_code == 0


@settings(deadline=None)
@given(fates, st.integers(min_value=1, max_value=5))
def test_events_that_are_nowhere_are_lost(fates, missing):
    """Events that were produced and are seen nowhere else are lost, and the run has failed."""
    account = account_for(evidence_of(fates + [LOST] * missing))

    assert account.lost == missing
    assert account.exit_code == 1


@settings(deadline=None)
@given(fates, st.integers(min_value=1, max_value=5))
def test_events_that_the_worker_would_still_take_are_unfinished_and_not_lost(fates, ahead):
    """What is not yet committed may still be delivered; but the run has not done its work."""
    account = account_for(evidence_of(fates + [UNFINISHED] * ahead))

    assert (account.unfinished, account.lost) == (ahead, 0)
    assert account.exit_code == 1


@settings(deadline=None)
@given(fates, st.data())
def test_no_evidence_can_vanish_unseen(fates, data):
    """Whichever piece of evidence of an event is taken away, the account is no longer clean."""
    evidence = evidence_of(fates)
    pieces = [
        (name, pop_id)
        for name in ("produced", "accepted", "parked", "notified")
        for pop_id in sorted(getattr(evidence, name))
    ]
    if not pieces:
        return
    name, pop_id = data.draw(st.sampled_from(pieces))
    rest = set(getattr(evidence, name)) - {pop_id}
    counted = isinstance(getattr(evidence, name), Counter)
    torn = replace(evidence, **{name: Counter(rest) if counted else rest})

    assert account_for(torn).exit_code == 1


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"accepted": Counter(["a", "b"])}, "1 delivered and parked as well: b"),
        ({"notified": Counter()}, "1 parked without a notification: b"),
        ({"notified": Counter(["a", "b"])}, "1 notified without being parked: a"),
        ({"notified": Counter({"b": 2})}, "1 notified more than once: b"),
        ({"altered": {"a"}}, "1 delivered with other bytes than were sent: a"),
        ({"accepted": Counter(["a", "x"])}, "1 delivered but never produced: x"),
        (
            {"parked": {"b", "x"}, "notified": Counter(["b", "x"])},
            "1 parked but never produced: x",
        ),
    ],
)
def test_each_disagreement_is_named(change, says):
    """Witnesses that contradict each other fail the run and are said with the ids."""
    evidence = Evidence(
        produced={"a", "b"},
        accepted=Counter(["a"]),
        tried_in_vain={"b"},
        parked={"b"},
        quarantined=set(),
        notified=Counter(["b"]),
        unfinished=set(),
        altered=set(),
    )
    account = account_for(replace(evidence, **change))

    assert account.unaccounted == (says,)
    assert account.exit_code == 1


def test_many_ids_are_shortened():
    """A message about many events names three of them."""
    ids = {f"id-{number}" for number in range(9)}
    evidence = replace(evidence_of([]), produced=ids, parked=ids)

    assert account_for(evidence).unaccounted == (
        "9 parked without a notification: id-0, id-1, id-2, ...",
    )


def test_a_parked_event_whose_notification_is_still_to_come_is_no_disagreement():
    """As long as its record on the failure topic is not committed, the notification may come."""
    evidence = replace(evidence_of([PARKED]), notified=Counter(), unfinished={"id-0"})

    assert account_for(evidence).unaccounted == ()


def test_the_evidence_has_no_part_that_these_tests_overlook():
    """A new kind of evidence needs its tests."""
    assert {field.name for field in fields(Evidence)} == {
        "produced",
        "accepted",
        "tried_in_vain",
        "parked",
        "quarantined",
        "notified",
        "unfinished",
        "altered",
    }
