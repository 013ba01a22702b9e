"""Which deliveries receipts prove, and which should have one and have none."""

import pytest

from pop_stream.analysis.audit.partition_account import MOST_RANGES
from pop_stream.analysis.audit.proofs import Bare, Proofs, Proven
from pop_stream.analysis.scan import Span
from pop_stream.cli.proof_report import proof_as_object, proof_lines
from pop_stream.pop.identity import uuid7
from tests.unit.analysis.records import EVENTS, NOW, handed_on, produced, receipt

_SPANS = (Span(EVENTS, 0, 5, 40), Span(EVENTS, 1, 3, 3))


def id_of(number: int) -> str:
    """The id of an event."""
    return uuid7(NOW, number)


def judged(
    records: object, offsets: object, *, is_on: bool = True, at: int = NOW + 1000, kept: float = 0.0
) -> Proven:
    """What is proven of events at offsets that count as delivered, stored `at`."""
    proofs = Proofs("pop-stream", _SPANS, is_on=is_on)
    for record in records:  # type: ignore[attr-defined]
        proofs.take(record)
    proofs.kept_since(kept)
    for offset in offsets:  # type: ignore[attr-defined]
        proofs.judge(produced(offset, pop_id=id_of(offset), at=at))
    return proofs.found


def test_what_has_a_receipt_is_proven() -> None:
    """By one receipt or by several, and however often."""
    records = [
        receipt(*((n, id_of(n)) for n in range(5, 9))),
        receipt((8, id_of(8)), (39, id_of(39))),
        receipt((8, id_of(8))),
    ]
    found = judged(records, [5, 6, 7, 8, 39])

    assert (found.proven, found.bare, found.exempt) == (5, 0, 0)
    assert found.since_ms == NOW + 120


def test_what_should_have_a_receipt_and_has_none_is_named() -> None:
    """In ranges, of each partition."""
    found = judged([receipt((7, id_of(7)))], [5, 6, 7, 8, 20, 21])

    assert (found.proven, found.bare, found.exempt) == (1, 5, 0)
    assert found.ranges == [Bare(0, 5, 7), Bare(0, 8, 9), Bare(0, 20, 22)]
    page = list(proof_lines(found))
    assert page[0] == "1 of 6 delivered are proven by a delivery receipt; 5 have NO RECEIPT"
    assert page[1].startswith("NO RECEIPT: partition 0, offsets 5 to 6: committed")
    told = proof_as_object(found)
    assert (told["proven"], told["withoutReceipt"], told["notNeeded"]) == (1, 5, 0)
    assert told["ranges"][0] == {"partition": 0, "begin": 5, "end": 7}
    assert told["since"] == "2026-11-20T10:00:00.120Z"


@pytest.mark.parametrize(
    ("at", "is_on", "bare"),
    [
        (NOW + 119, True, 0),
        (NOW + 120, True, 1),
        (NOW + 120, False, 1),
        (NOW + 519, False, 1),
        (NOW + 520, False, 0),
        (NOW + 520, True, 1),
        (NOW + 10**9, True, 1),
        (-1, True, 0),
    ],
)
def test_a_receipt_is_needed_while_there_are_some(at: int, *, is_on: bool, bare: int) -> None:
    """From the first on; after the last only where they are still written."""
    records = [receipt((6, id_of(6))), receipt((7, id_of(7)), at=NOW + 500)]
    found = judged(records, [8], is_on=is_on, at=at)

    assert (found.bare, found.exempt) == (bare, 1 - bare)


def test_an_empty_receipt_says_since_when_there_are_some() -> None:
    """A worker begins with it, before it delivers anything."""
    assert judged([receipt()], [5]).bare == 1
    assert judged([], [5]).exempt == 1
    assert next(iter(proof_lines(judged([], [5])))) == (
        "0 of 1 delivered are proven by a delivery receipt; 1 were stored while none were needed"
    )


def test_what_the_receipts_topic_keeps_no_more_is_needed_of_nothing() -> None:
    """Of what was stored before, the receipt may have been there."""
    records = [receipt((6, id_of(6)))]

    assert judged(records, [8], kept=float(NOW + 1000)).bare == 1
    assert judged(records, [8], kept=float(NOW + 1001)).exempt == 1
    gone = judged(records, [8], kept=float("inf"))
    assert gone.exempt == 1
    assert proof_as_object(gone)["since"] is None


def test_a_receipt_of_another_event_at_that_offset_proves_nothing() -> None:
    """The topic was made anew, and its offsets began anew; both may have their receipts."""
    old, new = receipt((6, id_of(99))), receipt((6, id_of(6)))

    assert judged([old], [6]).bare == 1
    assert judged([old, new], [6]).proven == 1
    assert judged([new, old], [6]).proven == 1
    assert judged([old, receipt((6, id_of(98)))], [6]).bare == 1


def test_receipts_of_others_count_for_nothing() -> None:
    """Of another group, topic or partition, or of offsets that are not walked."""
    others = [
        receipt((6, id_of(6)), group="staging"),
        receipt((6, id_of(6)), topic="pop-events-retry"),
        receipt((6, id_of(6)), partition=1),
        receipt((6, id_of(6)), partition=9),
        receipt((4, id_of(4)), (40, id_of(40)), (10**18, id_of(7))),
    ]
    assert judged(others, [6]).bare == 1
    only = judged(others[:1], [6])
    assert (only.since_ms, only.exempt) == (None, 1)


def test_what_is_no_receipt_is_counted() -> None:
    """And told of."""
    found = judged([receipt((6, id_of(6))), handed_on("pop-receipts")], [6])

    assert (found.proven, found.unreadable) == (1, 1)
    assert list(proof_lines(found))[-1] == "1 records on the receipts topic are no receipts"


def test_of_many_ranges_the_first_are_kept() -> None:
    """All are counted."""
    proofs = Proofs("pop-stream", [Span(EVENTS, 0, 0, 10_000)], is_on=True)
    proofs.take(receipt())
    proofs.kept_since(0.0)
    for offset in range(0, 10_000, 2):
        proofs.judge(produced(offset, at=NOW + 1000))

    assert (proofs.found.bare, len(proofs.found.ranges)) == (5000, MOST_RANGES)
    page = list(proof_lines(proofs.found))
    assert len(page) == 12
    assert page[-1] == "and 990 ranges more: --json lists up to 1,000"
