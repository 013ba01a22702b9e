"""What failed is told of, and nothing else is; what was delivered did not fail."""

from tests.unit.faults.evidence_maker import (
    add,
    append,
    commits_of,
    delivery,
    drop,
    failed,
    finding_of,
    healthy,
    id_at,
    of_event,
    record_of,
)


def test_a_parked_event_that_nobody_was_told_of_is_a_silent_failure() -> None:
    """And a commit on the failure topic has passed it."""
    evidence = drop(healthy(), "records", of_event(27, "notifications"))

    assert failed(evidence) == {"silent failure", "commit safety"}
    assert finding_of(evidence, "silent failure").examples == (id_at(27),)


def test_a_notification_of_an_event_that_is_not_parked_is_false() -> None:
    """GSTV's side would look for a failure that there was not."""
    evidence = append(healthy(), record_of("notifications", 100, 101))

    assert failed(evidence) == {"false notification"}


def test_an_event_that_is_told_of_twice_is_no_failure() -> None:
    """At least once holds for notifications too; how many came again is reported."""
    evidence = append(healthy(), record_of("notifications", 27, 31))

    assert failed(evidence) == set()
    assert finding_of(evidence, "silent failure").detail.endswith("told again: 1")


def test_a_delivered_event_that_was_parked_as_well_needs_a_reason() -> None:
    """The worker knew that GSTV had taken it, nothing was under way elsewhere, and yet."""
    evidence = add(healthy(), "requests", delivery(7, 8))

    assert failed(evidence) == {"wrong failure"}
    assert finding_of(evidence, "wrong failure").examples == (id_at(7),)


def test_a_lost_answer_explains_an_event_that_went_both_ways() -> None:
    """GSTV took it, the worker could not know, and GSTV refused it from then on."""
    evidence = add(healthy(), "requests", delivery(7, 8, decision="reset-after-response"))

    assert failed(evidence) == set()
    assert finding_of(evidence, "wrong failure").detail.endswith("ambiguous 1")


def test_a_crash_explains_an_event_that_went_both_ways() -> None:
    """Two workers did it, one after the other, and GSTV answered them differently."""
    evidence = healthy({56: "parked"})
    # Its record was not committed when the worker was killed.
    evidence = drop(evidence, "commits", commits_of("events", 0, after=56, before=80))
    evidence = add(evidence, "requests", delivery(56, 75))

    assert failed(evidence) == set()
    assert finding_of(evidence, "wrong failure").detail.endswith("crash 1")


def test_a_redrive_explains_an_event_that_went_both_ways() -> None:
    """Parked for a passing reason, sent back, and delivered: that is what redrives are for."""
    evidence = healthy({100: "redriven"})

    assert failed(evidence) == set()
    assert finding_of(evidence, "wrong failure").detail.endswith("redriven 1")


def test_an_event_parked_again_after_a_redrive_needs_no_second_notification() -> None:
    """It was told of when it was parked first."""
    again = record_of("failure", 100, 130, pop_attempt="3", pop_redrives="1")
    evidence = append(healthy({100: "redriven"}), again)

    assert failed(evidence) == set()
