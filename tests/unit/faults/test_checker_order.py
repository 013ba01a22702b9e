"""Events of one screen that GSTV got out of order are found, where order was asked for."""

from faults.evidence import Evidence
from tests.unit.faults.evidence_maker import (
    BEGIN,
    add,
    change,
    commits_of,
    delivery,
    drop,
    failed,
    finding_of,
    healthy,
    id_at,
    of_event,
)


def _delivered_late(evidence: Evidence, number: int, at: float) -> Evidence:
    return change(
        evidence, "requests", of_event(number),
        received_at=BEGIN + at, answered_at=BEGIN + at + 0.005,
    )  # fmt: skip


def test_events_in_order_pass() -> None:
    """Retries that wait in their place turn nothing round."""
    assert failed(healthy(ordered=True)) == set()
    assert finding_of(healthy(ordered=True), "order").detail.startswith("0 inversions")


def test_an_event_that_another_overtook_is_found() -> None:
    """Event 100 came to GSTV after 104, the next of its screen."""
    evidence = _delivered_late(healthy(ordered=True), 100, 104.5)

    assert failed(evidence) == {"order"}
    assert finding_of(evidence, "order").examples == (id_at(100),)


def test_nobody_is_overtaken_where_order_was_not_asked_for() -> None:
    """The check says so, and passes."""
    evidence = _delivered_late(healthy(), 100, 104.5)

    assert failed(evidence) == set()
    assert "not asked for" in finding_of(evidence, "order").detail


def test_events_of_different_screens_have_no_order() -> None:
    """Event 101 is of another screen."""
    assert failed(_delivered_late(healthy(ordered=True), 100, 101.5)) == set()


def test_only_first_deliveries_count() -> None:
    """A duplicate comes late by its nature."""
    again = delivery(100, 106, attempt=2)
    lost = change(healthy(ordered=True), "requests", of_event(100), decision="reset-after-response")

    assert failed(add(lost, "requests", again)) == set()


def test_an_event_exposed_to_a_rebalance_may_come_late() -> None:
    """Two workers may have had it at once."""
    evidence = drop(healthy(ordered=True), "commits", commits_of("events", 0, after=56, before=61))
    evidence = _delivered_late(evidence, 58, 62.1)

    assert failed(evidence) == set()
    assert finding_of(evidence, "order").detail == "1 inversion, of which excused: 1"


def test_an_event_that_was_parked_in_between_may_come_late() -> None:
    """It was given up, those behind it went on, and it was sent back later."""
    evidence = healthy({100: "redriven"}, ordered=True)

    assert failed(evidence) == set()
    assert finding_of(evidence, "order").detail == "1 inversion, of which excused: 1"


def test_what_stands_out_of_order_on_the_topic_is_the_players_doing() -> None:
    """A player that sends an event again later has it delivered later."""
    evidence = change(healthy(ordered=True), "produced", of_event(100), seq=26)
    evidence = change(evidence, "produced", of_event(104), seq=25)

    assert failed(evidence) == set()
