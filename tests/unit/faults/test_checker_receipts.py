"""What is committed as delivered has its receipt by then, and no receipt tells what was not."""

import json
from dataclasses import replace
from typing import Any

import pytest

from faults.evidence import Evidence
from pop_stream.pop.receipt import Delivery
from tests.unit.faults.evidence_maker import (
    BEGIN,
    add,
    change,
    drop,
    failed,
    finding_of,
    id_at,
    of_event,
    with_facts,
)
from tests.unit.faults.receipt_maker import receipt, receipted, retold, stored_at, tells_of


def _forgotten(evidence: Evidence, number: int) -> Evidence:
    return retold(evidence, number, lambda _: None)


def test_a_run_in_which_each_delivery_is_receipted_passes() -> None:
    """The events that failed first, and those that were parked, included."""
    evidence = receipted()

    assert failed(evidence) == set()
    assert finding_of(evidence, "unproven delivery").detail == "78 commits judged, 65 receipts"
    assert finding_of(evidence, "false receipt").detail == "told of: 152"


def test_a_committed_delivery_without_a_receipt_is_found() -> None:
    """Although GSTV has it: nobody could prove that to anybody."""
    evidence = _forgotten(receipted(), 100)

    assert failed(evidence) == {"unproven delivery"}
    (example,) = finding_of(evidence, "unproven delivery").examples
    assert example == "events/0@50 by commit 53: never safe"


def test_a_receipt_that_was_stored_after_the_commit_is_too_late() -> None:
    """A worker that was killed in between would have left a delivery without a proof."""
    evidence = receipted()
    commit_ms = int((BEGIN + 105) * 1000)
    late = change(evidence, "receipts", tells_of(100), timestamp_ms=commit_ms + 7)

    assert stored_at(evidence, 100) == pytest.approx(104.8)
    assert failed(late) == {"unproven delivery"}
    examples = finding_of(late, "unproven delivery").examples
    assert "events/0@50 by commit 53: safe 7 ms later" in examples
    on_time = change(evidence, "receipts", tells_of(100), timestamp_ms=commit_ms)
    assert failed(on_time) == set()


def test_a_delivery_from_the_retry_topic_needs_a_receipt_too() -> None:
    """The player's record was handed on, and is safe; the one on the retry topic is not."""
    evidence = _forgotten(receipted(), 103)

    assert failed(evidence) == {"unproven delivery"}
    (example,) = finding_of(evidence, "unproven delivery").examples
    assert example.startswith("retry/1@")


def test_a_record_that_was_handed_on_needs_no_receipt() -> None:
    """A parked event has none at all, and one that was retried has one, by its last attempt."""
    evidence = receipted()

    assert not any(map(tells_of(107), evidence.receipts))
    assert sum(map(tells_of(103), evidence.receipts)) == 1
    assert failed(evidence) == set()


def test_the_receipt_of_another_event_at_its_place_proves_nothing() -> None:
    """It tells of an offset and of an id: both must be the record's."""
    other = id_at(104)
    evidence = retold(receipted(), 100, lambda told: told._replace(pop_id=other))

    assert failed(evidence) == {"unproven delivery", "false receipt"}


def test_each_copy_that_a_player_sent_needs_its_own_receipt() -> None:
    """The same id stands at two offsets; a receipt tells of one of them."""
    evidence = receipted({100: "sent twice"})

    # Both deliveries are told of under the first copy's place.
    assert failed(evidence) == {"unproven delivery"}
    assert finding_of(evidence, "unproven delivery").measured == 1


@pytest.mark.parametrize("damage", [None, "", "null", "{}", "[1]", '{"group": 1, "topic": 2}'])
def test_a_record_that_is_no_receipt_proves_nothing_and_is_told(damage: str | None) -> None:
    """Whatever cannot be read may have been meant for anything."""
    evidence = change(receipted(), "receipts", tells_of(100), value=damage)

    assert failed(evidence) == {"unproven delivery", "false receipt"}
    (example,) = finding_of(evidence, "false receipt").examples
    assert example.endswith(": no receipt")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("to", 1),
        ("events", 1),
        ("steps", [1]),
        ("ids", "AAAA"),
        ("attempts", "AAAA"),
        ("ids", 3),
        ("at", "1"),
        ("partition", []),
        ("waits", ["1"]),
        ("attempts", [None] * 3),
    ],
)
def test_a_receipt_whose_columns_do_not_agree_is_none(column: str, value: Any) -> None:
    """Half of it may be true, and nobody knows which half."""
    evidence = receipted()
    text = next(filter(tells_of(100), evidence.receipts)).value or ""
    damaged = json.dumps({**json.loads(text), column: value})
    evidence = change(evidence, "receipts", tells_of(100), value=damaged)

    assert failed(evidence) == {"unproven delivery", "false receipt"}


def test_a_receipt_of_an_event_that_gstv_refused_is_false() -> None:
    """Event 27 was parked: GSTV has never taken it."""
    offset = next(filter(of_event(27, "events"), receipted().records)).offset
    told = Delivery(offset, id_at(27), int((BEGIN + 29.1) * 1000), 2)
    evidence = add(receipted(), "receipts", receipt(1, [told], 29.2))

    assert failed(evidence) == {"false receipt"}
    (example,) = finding_of(evidence, "false receipt").examples
    assert example == f"{id_at(27)} (receipts/0@0): attempt 2 was not taken"


def test_a_receipt_tells_of_the_attempt_that_was_taken() -> None:
    """Event 103 failed once, and was taken at its second attempt."""
    evidence = retold(receipted(), 103, lambda told: told._replace(attempts=1))

    assert failed(evidence) == {"false receipt"}
    assert finding_of(evidence, "false receipt").examples[0].endswith("attempt 1 was not taken")


def test_a_receipt_of_an_answer_that_was_broken_off_is_false() -> None:
    """Half an answer is none."""
    evidence = change(
        receipted(), "requests", of_event(100), decision="reset-mid-response", answered_at=None
    )

    assert "false receipt" in failed(evidence)


@pytest.mark.parametrize(("earlier_ms", "failing"), [(0, set()), (1, {"false receipt"})])
def test_a_delivery_is_not_told_of_before_gstv_answered(earlier_ms: int, failing: set[str]) -> None:
    """All clocks are of one machine, and show whole milliseconds: that is the only allowance."""
    answered_at = BEGIN + 100.0587
    told_ms = int(answered_at * 1000) - earlier_ms
    evidence = change(receipted(), "requests", of_event(100), answered_at=answered_at)
    evidence = retold(evidence, 100, lambda told: told._replace(at_ms=told_ms))

    assert failed(evidence) == failing


def test_a_receipt_for_another_place_than_the_players_record_is_false() -> None:
    """An analyst would look for the event there."""
    evidence = retold(receipted(), 100, lambda told: told._replace(offset=told.offset + 500))

    assert failed(evidence) == {"unproven delivery", "false receipt"}


def test_an_event_may_have_two_receipts() -> None:
    """It was delivered twice, around a kill, or its receipt was written again."""
    evidence = receipted()
    twice = next(filter(tells_of(100), evidence.receipts))
    evidence = add(
        evidence, "receipts", replace(twice, offset=900, timestamp_ms=twice.timestamp_ms + 9)
    )

    assert failed(evidence) == set()


def test_where_receipts_were_not_asked_for_none_is_missed() -> None:
    """What is there is judged all the same."""
    without = drop(with_facts(receipted(), receipted=False), "receipts", lambda _: True)

    assert failed(without) == set()
    late = retold(receipted(), 103, lambda told: told._replace(attempts=1))
    assert failed(with_facts(late, receipted=False)) == {"false receipt"}


def test_a_run_with_receipts_and_none_of_them_is_found() -> None:
    """The ledger was never written, or the worker never had them on."""
    evidence = drop(receipted(), "receipts", lambda _: True)

    assert failed(evidence) == {"whole evidence", "unproven delivery"}
    assert finding_of(evidence, "whole evidence").examples == ("receipts.ndjson is empty",)


def test_what_is_committed_beyond_the_end_has_no_delivery_to_prove() -> None:
    """That is judged as commit safety, once."""
    evidence = receipted()
    last = [one for one in evidence.commits if one.topic == "events"][-1]
    evidence = change(evidence, "commits", lambda one: one is last, offset=last.offset + 1)

    assert failed(evidence) == {"commit safety"}
