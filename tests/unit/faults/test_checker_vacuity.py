"""A run that could have shown nothing does not pass."""

from dataclasses import replace

import pytest

from tests.unit.faults.evidence_maker import (
    EVENTS,
    Fate,
    change,
    drop,
    failed,
    finding_of,
    healthy,
)

_ALL_DELIVERED: dict[int, Fate] = dict.fromkeys(range(EVENTS), "delivered")


def test_a_run_with_too_few_events_is_found() -> None:
    """Fewer were confirmed than the run was to have."""
    assert failed(healthy(least_events=EVENTS)) == set()
    assert failed(healthy(least_events=EVENTS + 1)) == {"enough events"}


def test_a_fault_that_did_not_bite_is_found() -> None:
    """A cut that held nothing back has tested nothing."""
    evidence = change(healthy(), "faults", lambda fault: fault.kind == "gstv-cut", bit=False)

    assert failed(evidence) == {"faults bit"}
    assert finding_of(evidence, "faults bit").examples == ("gstv-cut on gstv ()",)


def test_where_faults_are_drawn_some_need_not_bite() -> None:
    """One may strike what another has struck; where most do, the run proves little."""
    faults = healthy().faults
    idle = tuple(replace(fault, bit=n > 0) for n, fault in enumerate(faults))
    enough = 1 / len(faults)

    assert failed(replace(healthy(idle_share=enough), faults=idle)) == set()
    assert failed(replace(healthy(idle_share=enough * 0.9), faults=idle)) == {"faults bit"}


@pytest.mark.parametrize("wanted", ["duplicate", "retry", "parked"])
def test_what_must_be_seen_and_was_not_is_found(wanted: str) -> None:
    """In this run each event was delivered once, at the first attempt."""
    evidence = healthy(_ALL_DELIVERED, must_have=(wanted, "rebalance"))

    assert failed(evidence) == {"seen at least once"}
    assert finding_of(evidence, "seen at least once").examples == (wanted,)


def test_the_first_generation_of_a_group_is_no_rebalance() -> None:
    """Nobody had a partition before."""
    evidence = healthy(_ALL_DELIVERED, must_have=("rebalance",))
    evidence = replace(evidence, generations=evidence.generations[:1])

    assert failed(evidence) == {"seen at least once"}


def test_a_sight_that_is_not_known_was_not_seen() -> None:
    """A slip of the pen in a scenario must not pass for something seen."""
    assert failed(healthy(must_have=("dupplicate",))) == {"seen at least once"}


def test_a_ledger_without_a_line_is_found() -> None:
    """Had no commit been read, each would have been safe."""
    evidence = drop(healthy(), "commits", lambda _: True)

    assert failed(evidence) == {"whole evidence", "quiescence"}
    assert finding_of(evidence, "whole evidence").examples == ("commits.ndjson is empty",)
