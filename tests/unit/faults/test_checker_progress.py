"""Work that does not go on after the faults, or never comes to rest, is found."""

from dataclasses import replace

from tests.unit.faults.evidence_maker import (
    BEGIN,
    EVENTS,
    commits_of,
    drop,
    failed,
    finding_of,
    healthy,
    id_at,
    with_facts,
)

#: Event 120 is confirmed by then, and delivered 35 ms later.
_AMID = BEGIN + 120.02


def test_a_slow_recovery_is_found() -> None:
    """The first delivery after the faults came later than was asked for."""
    evidence = replace(healthy(healed_at=_AMID, recovery_seconds=0.01), faults=())

    assert failed(evidence) == {"progress"}
    assert finding_of(evidence, "progress").measured == 0.035


def test_a_recovery_in_time_passes() -> None:
    """It takes as long as it may."""
    evidence = replace(healthy(healed_at=_AMID, recovery_seconds=0.04), faults=())

    assert failed(evidence) == set()
    assert "after 0.0 s; 1 event waited" in finding_of(evidence, "progress").detail


def test_no_delivery_at_all_after_the_faults_is_no_progress() -> None:
    """There was something left to deliver, and nothing came."""
    evidence = drop(
        healthy(healed_at=_AMID), "requests", lambda request: request.received_at > _AMID
    )
    finding = finding_of(evidence, "progress")

    assert not finding.ok
    assert finding.detail == "nothing was delivered any more; 1 event waited"


def test_where_nothing_was_left_nothing_has_to_come() -> None:
    """All was delivered before the last fault was over."""
    evidence = healthy(healed_at=BEGIN + 199)

    assert failed(evidence) == set()
    assert finding_of(replace(evidence, faults=()), "progress").measured == 0


def test_a_fault_after_which_nothing_comes_for_long_is_found() -> None:
    """Also one in the middle of the run, while no other lasts; the last one may go well."""
    calm = BEGIN + 100, BEGIN + 110
    evidence = drop(
        healthy(recovery_seconds=5),
        "requests",
        lambda request: calm[0] - 0.5 < request.received_at < calm[1],
    )
    fault = replace(evidence.faults[0], began_at=calm[0] - 2, ended_at=calm[0])

    finding = finding_of(replace(evidence, faults=(fault,)), "progress")
    assert not finding.ok
    assert finding.measured >= 10


def test_a_fault_that_follows_at_once_excuses_the_wait() -> None:
    """What is asked for is progress while all is well."""
    calm = BEGIN + 100, BEGIN + 110
    evidence = drop(
        healthy(recovery_seconds=5),
        "requests",
        lambda request: calm[0] - 0.5 < request.received_at < calm[1],
    )
    first = replace(evidence.faults[0], began_at=calm[0] - 2, ended_at=calm[0])
    second = replace(first, began_at=calm[0] + 2, ended_at=calm[1])

    assert finding_of(replace(evidence, faults=(first, second)), "progress").ok


def test_what_is_parked_in_the_end_was_not_left_to_deliver() -> None:
    """Hopeless events alone make no progress, and are no reason to fail."""
    evidence = healthy({EVENTS - 1: "parked"}, healed_at=BEGIN + EVENTS - 0.95)

    assert failed(evidence) == set()


def test_if_no_event_sent_after_the_faults_is_delivered_that_is_found() -> None:
    """What had been under way before them comes through, and nothing else."""
    evidence = healthy(dict.fromkeys(range(121, EVENTS), "parked"))

    assert failed(evidence) == set()
    evidence = with_facts(evidence, healed_at=_AMID)
    assert failed(evidence) == {"fresh events"}
    assert finding_of(evidence, "fresh events").examples[0] == id_at(121)


def test_a_run_that_was_never_quiet_has_failed() -> None:
    """It is not left out, for nobody knows what would have become of the rest."""
    assert failed(healthy(quiet=False)) == {"quiescence"}


def test_a_run_whose_commits_do_not_reach_the_end_was_not_at_rest() -> None:
    """Whatever it says of itself: records lie above the last commit."""
    evidence = drop(healthy(), "commits", commits_of("events", 1, after=156))

    assert failed(evidence) == {"quiescence"}
    assert finding_of(evidence, "quiescence").examples == ("events/1: 3 left",)
