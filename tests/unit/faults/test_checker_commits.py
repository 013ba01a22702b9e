"""Every commit that passed an event before it was safe is found, and nothing else."""

from dataclasses import replace

import pytest

from faults.evidence import Commit, Evidence
from tests.unit.faults.evidence_maker import (
    BEGIN,
    add,
    change,
    commits_of,
    failed,
    finding_of,
    healthy,
    of_event,
)


def _commit_at(evidence: Evidence, second: float) -> Commit:
    is_it = commits_of("events", 0, after=second - 0.1, before=second + 0.1)
    return next(filter(is_it, evidence.commits))


def test_a_commit_one_too_high_is_found() -> None:
    """The record that it passed was delivered soon after: no crash would have shown the loss."""
    evidence = healthy()
    commit = _commit_at(evidence, 100)
    evidence = change(evidence, "commits", lambda one: one is commit, offset=commit.offset + 1)

    assert failed(evidence) == {"commit safety"}
    assert finding_of(evidence, "commit safety").examples == (
        f"events/0@{commit.offset} by commit {commit.offset + 1}: safe 55 ms later",
    )


@pytest.mark.parametrize(("earlier_ms", "failing"), [(0, set()), (1, {"commit safety"})])
def test_a_commit_may_be_dated_in_the_millisecond_of_the_delivery_and_not_before(
    earlier_ms: int, failing: set[str]
) -> None:
    """Kafka's clock shows whole milliseconds; that is the only allowance."""
    evidence = healthy()
    commit = _commit_at(evidence, 105)
    # Event 104 is the last below it.
    answered_at = BEGIN + 104.0557
    evidence = change(evidence, "requests", of_event(104), answered_at=answered_at)
    at_ms = int(answered_at * 1000) - earlier_ms
    evidence = change(evidence, "commits", lambda one: one is commit, at_ms=at_ms)

    assert failed(evidence) == failing


def test_a_commit_beyond_the_end_of_its_partition_is_found() -> None:
    """It passes no record yet, and would skip the next one."""
    evidence = healthy()
    last = [one for one in evidence.commits if commits_of("retry", 1)(one)][-1]
    evidence = change(evidence, "commits", lambda one: one is last, offset=last.offset + 1)

    assert failed(evidence) == {"commit safety"}
    assert finding_of(evidence, "commit safety").examples == (
        f"retry/1@{last.offset} by commit {last.offset + 1}: beyond the end",
    )


def test_a_hand_off_that_came_after_the_commit_is_too_late() -> None:
    """An event that failed is safe once the broker has its record on the retry topic."""
    evidence = change(
        healthy(), "records", of_event(103, "retry"), timestamp_ms=int((BEGIN + 105.001) * 1000)
    )

    assert failed(evidence) == {"commit safety"}


def test_only_a_record_that_tells_of_more_attempts_answers_for_another() -> None:
    """A second copy of the same record on the retry topic makes the first no safer."""
    evidence = healthy()
    parked = next(filter(of_event(107, "failure"), evidence.records))
    headers = {**parked.headers, "pop-attempt": "1"}
    evidence = change(evidence, "records", of_event(107, "failure"), headers=headers)

    assert failed(evidence) == {"commit safety"}
    (example,) = finding_of(evidence, "commit safety").examples
    assert example.startswith("retry/1@")
    assert example.endswith("never safe")


def test_the_word_of_a_player_about_attempts_is_not_believed() -> None:
    """A player's record under our header's name is before any attempt all the same."""
    evidence = healthy()
    record = next(filter(of_event(107, "events"), evidence.records))
    headers = {**record.headers, "pop-attempt": "9", "pop-origin": "x"}
    evidence = change(evidence, "records", of_event(107, "events"), headers=headers)

    assert failed(evidence) == set()


def test_a_parked_record_is_safe_once_its_notification_is_written() -> None:
    """On the failure topic nothing else counts, and a later notification is too late."""
    evidence = change(
        healthy(), "records", of_event(107, "notifications"),
        timestamp_ms=int((BEGIN + 110.001) * 1000),
    )  # fmt: skip

    assert failed(evidence) == {"commit safety"}


def test_offsets_without_a_record_pass() -> None:
    """A hole in the offsets, such as a transaction leaves, is nothing to wait for."""
    evidence = healthy()
    moved = {"retry": 3, "events": 0, "failure": 0, "notifications": 0}
    records = tuple(replace(one, offset=one.offset + moved[one.topic]) for one in evidence.records)
    commits = tuple(replace(one, offset=one.offset + moved[one.topic]) for one in evidence.commits)

    assert failed(replace(evidence, records=records, commits=commits)) == set()


def test_a_commit_that_goes_back_is_found() -> None:
    """Such as a zombie's, which comes after its successor's."""
    evidence = healthy()
    late = _commit_at(evidence, 100)
    position = evidence.commits.index(_commit_at(evidence, 110)) + 1
    commits = (*evidence.commits[:position], late, *evidence.commits[position:])
    evidence = replace(evidence, commits=commits)

    assert failed(evidence) == {"commit regressions"}
    assert finding_of(evidence, "commit regressions").examples == ("events/0: from 55 to 50",)


def test_the_same_offset_may_be_committed_again() -> None:
    """A worker that leaves commits what it has committed before."""
    evidence = healthy()

    assert failed(add(evidence, "commits", evidence.commits[-1])) == set()
