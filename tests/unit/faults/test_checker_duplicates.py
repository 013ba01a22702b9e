"""Every duplicate is put down to its cause; one without a cause, or too many, is found."""

from dataclasses import replace

import pytest

from faults.evidence import Evidence, Fault
from tests.unit.faults.evidence_maker import (
    BEGIN,
    KILL,
    Fate,
    add,
    append,
    change,
    commits_of,
    delivery,
    drop,
    failed,
    finding_of,
    generation,
    healthy,
    id_at,
    of_event,
    record_of,
    with_facts,
)

#: What the duplicates of a healthy run are put down to.
_USUAL = "ambiguous 1, crash 1"


def _causes(evidence: Evidence) -> str:
    return finding_of(evidence, "duplicates").detail.partition(": ")[2]


def test_a_duplicate_out_of_nothing_is_found() -> None:
    """No worker came or went, no answer was lost, nothing stands anywhere twice."""
    evidence = add(healthy(), "requests", delivery(100, 101))

    assert failed(evidence) == {"duplicates"}
    assert finding_of(evidence, "duplicates").examples == (id_at(100),)


@pytest.mark.parametrize(
    ("fate", "causes"),
    [
        ("sent twice", "player 1, ambiguous 1, crash 1"),
        ("answer lost", "ambiguous 2, crash 1"),
        ("handed on twice", "ambiguous 1, crash 1, handoff 1"),
        ("redriven", _USUAL),
        ("delivered", _USUAL),
    ],
)
def test_each_cause_is_recognised(fate: Fate, causes: str) -> None:
    """A duplicate of each kind is explained by its own cause, and no check fails."""
    evidence = healthy({100: fate})

    assert failed(evidence) == set()
    assert _causes(evidence) == causes


def test_a_cause_explains_no_more_than_it_can_have_made() -> None:
    """A second copy, a lost answer and a second hand-off each explain one duplicate."""
    fates: tuple[Fate, ...] = ("sent twice", "answer lost", "handed on twice")

    for fate in fates:
        evidence = add(healthy({100: fate}), "requests", delivery(100, 104))
        assert failed(evidence) == {"duplicates"}, fate


def test_a_lost_answer_explains_nothing_that_came_before_it() -> None:
    """The answer to the first delivery arrived; so there was no reason for a second."""
    evidence = add(healthy(), "requests", delivery(100, 101, decision="reset-after-response"))

    assert failed(evidence) == {"duplicates"}


@pytest.mark.parametrize(
    ("values", "failing"),
    [
        ({"attempt": 1}, set()),
        # It was sent after the other, whose answer was known.
        ({"attempt": 3}, {"duplicates"}),
    ],
)
def test_a_request_that_was_overtaken_on_its_way_is_ambiguous(
    values: dict[str, int], failing: set[str]
) -> None:
    """Held back by a cut, it is delivered after the attempt that was made in its stead."""
    late = delivery(103, 115.1, **values)
    evidence = add(healthy({103: "retried"}), "requests", late)

    assert failed(evidence) == failing


@pytest.mark.parametrize(("number", "failing"), [(112, set()), (118, {"duplicates"})])
def test_answers_during_a_fault_of_the_way_to_the_partner_may_be_lost(
    number: int, failing: set[str]
) -> None:
    """The way is cut from 110 s to 115 s; what was answered well after that had arrived."""
    evidence = add(healthy(), "requests", delivery(number, number + 3, attempt=2))

    assert failed(evidence) == failing


def test_a_killed_worker_explains_what_was_seen_and_not_committed() -> None:
    """Event 60 was delivered before the kill at 60.5 s, and committed long after it."""
    assert _causes(healthy()) == _USUAL


def test_a_killed_worker_explains_what_was_handed_on_and_not_committed() -> None:
    """Event 60 stood on the retry topic before the kill at 60.5 s, and GSTV had not seen it.

    Its first attempt never reached GSTV. It is delivered from the retry topic, and by whoever
    reads it again on the players' topic.
    """
    handed_on = drop(
        healthy({60: "retried"}),
        "requests",
        lambda request: of_event(60)(request) and request.attempt == 1,
    )
    # Its rebalance would explain it as well.
    handed_on = drop(handed_on, "generations", lambda each: each.at_ms > (BEGIN + KILL) * 1000)
    handed_on = with_facts(handed_on, must_have=())
    again = delivery(60, 75, attempt=1)

    assert failed(add(handed_on, "requests", again)) == set()
    assert _causes(add(handed_on, "requests", again)) == _USUAL
    # What was handed on after the kill was exposed to nothing.
    later = change(handed_on, "records", of_event(60, "retry"),
                   timestamp_ms=int((BEGIN + 60.9) * 1000))  # fmt: skip
    assert failed(add(later, "requests", again)) == {"duplicates"}


def test_a_killed_worker_explains_nothing_that_was_committed() -> None:
    """Nobody reads again what is below the committed offset: that is another fault."""
    evidence = add(healthy(), "requests", delivery(20, 75))

    assert failed(evidence) == {"duplicates"}


def test_a_killed_worker_explains_nothing_that_came_before_its_death() -> None:
    """Event 60 was delivered a second time before the kill at 60.5 s."""
    evidence = add(healthy(), "requests", delivery(60, 60.3))

    assert failed(evidence) == {"duplicates"}


def test_a_rebalance_explains_what_was_seen_and_not_committed() -> None:
    """The partitions' next owners read it again."""
    evidence = add(healthy(), "requests", delivery(100, 104))

    assert failed(evidence) == {"duplicates"}
    evidence = add(evidence, "generations", generation(3, 101))
    assert failed(evidence) == set()
    assert _causes(evidence) == f"{_USUAL}, rebalance 1"


def test_a_rebalance_explains_nothing_that_came_after_it() -> None:
    """Event 103 was first seen two seconds later."""
    evidence = add(healthy(), "requests", delivery(103, 105))

    assert failed(add(evidence, "generations", generation(3, 101))) == {"duplicates"}


@pytest.mark.parametrize("kind", ["broker-kill", "broker-blackhole", "worker-pause", "worker-cut"])
def test_a_worker_that_cannot_hear_of_a_rebalance_goes_on_for_a_while(kind: str) -> None:
    """It does what it holds, which another has by then; without a rebalance nobody has."""
    fault = Fault(
        kind=kind, target="worker-1", began_at=BEGIN + 100.1, ended_at=BEGIN + 110, bit=True
    )
    evidence = add(healthy(), "requests", delivery(103, 105))
    evidence = add(evidence, "faults", fault)

    assert failed(evidence) == {"duplicates"}
    evidence = add(evidence, "generations", generation(3, 101))
    assert failed(evidence) == set()
    assert _causes(evidence) == f"{_USUAL}, rebalance 1"


@pytest.mark.parametrize("kind", ["worker-pause", "worker-cut"])
def test_a_worker_that_was_frozen_or_cut_off_is_as_good_as_dead(kind: str) -> None:
    """What it had under way is done by another."""
    fault = Fault(
        kind=kind, target="worker-1", began_at=BEGIN + 100.1, ended_at=BEGIN + 130, bit=True
    )
    evidence = add(add(healthy(), "requests", delivery(100, 120)), "faults", fault)

    assert failed(evidence) == set()
    assert _causes(evidence) == "ambiguous 1, crash 2"


def _ended(evidence: Evidence, at: float, exit_code: int) -> Evidence:
    """Another run of a worker, which began long before."""
    run = replace(evidence.workers[0], ended_at=BEGIN + at, exit_code=exit_code)
    return add(evidence, "workers", run)


def test_an_orderly_end_of_a_worker_explains_nothing_by_itself() -> None:
    """Exit code 0 is no crash; what moves its partitions is the rebalance after it."""
    evidence = add(healthy(), "requests", delivery(130, 133))
    evidence = _ended(evidence, 131, 0)

    assert failed(evidence) == {"duplicates"}
    evidence = add(evidence, "generations", generation(3, 131))
    assert _causes(evidence) == f"{_USUAL}, rebalance 1"


def test_the_end_of_all_workers_after_the_run_excuses_nothing_in_it() -> None:
    """They are told to end once all is at rest."""
    evidence = _ended(healthy(), 201, 0)

    assert failed(add(evidence, "requests", delivery(158, 180))) == {"duplicates"}


def test_a_worker_that_could_open_no_more_files_kept_its_partitions() -> None:
    """A fault of a worker that neither ends, freezes nor cuts it off explains no duplicate."""
    fault = Fault(
        kind="worker-files", target="worker-1", began_at=BEGIN + 99, ended_at=BEGIN + 110, bit=True
    )
    evidence = add(healthy(), "requests", delivery(100, 101))

    assert failed(add(evidence, "faults", fault)) == {"duplicates"}


def test_more_duplicates_than_an_event_was_exposed_to_are_over_the_budget() -> None:
    """Copies that multiply at each rebalance are found, though each has had its crash."""
    within = add(healthy(), "requests", *(delivery(60, 76 + second) for second in range(1)))
    over = add(healthy(), "requests", *(delivery(60, 76 + second) for second in range(2)))

    assert failed(within) == set()
    assert failed(over) == {"duplicate budget"}
    assert finding_of(over, "duplicate budget").examples == (id_at(60),)
    assert finding_of(over, "duplicate budget").measured == 3


def test_the_budget_tells_how_many_were_exposed_to_the_crash() -> None:
    """At the kill, all that had been seen was committed but for one event."""
    detail = finding_of(healthy(), "duplicate budget").detail

    assert detail.startswith("crash 1 of 1, rebalance 0 of ")


def test_a_copy_that_the_player_sends_later_explains_nothing_before_it() -> None:
    """The event comes to stand twice on the topic after both deliveries."""
    evidence = append(healthy(), record_of("events", 100, 150))

    assert failed(evidence) == set()
    assert failed(add(evidence, "requests", delivery(100, 151))) == set()
    assert failed(add(evidence, "requests", delivery(100, 149))) == {"duplicates"}


def test_a_record_that_tells_of_other_attempts_is_no_repeated_hand_off() -> None:
    """Two records on the retry topic are two attempts, not one that was written twice."""
    evidence = healthy({100: "handed on twice"})
    first = next(filter(of_event(100, "retry"), evidence.records))
    headers = {**first.headers, "pop-attempt": "2"}
    evidence = change(evidence, "records", lambda one: one is first, headers=headers)

    assert "duplicates" in failed(evidence)


def test_without_the_commit_that_passed_it_an_event_stays_exposed() -> None:
    """What counts is what was committed then, not what GSTV had."""
    evidence = drop(healthy(), "commits", commits_of("events", 0, after=54, before=80))
    evidence = add(evidence, "requests", delivery(54, 70))

    assert failed(evidence) == set()
    assert _causes(evidence) == "ambiguous 1, crash 2"
