"""Where events are now that a receipt says were sent back, by what the topics tell of them."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from pop_stream.analysis.audit.commits import Done
from pop_stream.analysis.audit.elsewhere import Elsewhere
from pop_stream.analysis.audit.receipts import Receipt, read_receipts
from pop_stream.analysis.audit.sendings import Sending, Sendings
from pop_stream.analysis.audit.whereabouts import Outcome, outcome_of
from pop_stream.analysis.event_view import EventView
from pop_stream.analysis.replay.done import SENT, Ended
from pop_stream.analysis.roles import roles_of
from pop_stream.pop.redrive import Step
from pop_stream.settings import Settings
from tests.unit.analysis.records import FAILURE, POP_ID, RETRY, commits, handed_on, mark
from tests.unit.analysis.redrive_files import BEGAN_MS, redriven

PARKED = handed_on(FAILURE, 5, reason="rejected")
BACK = handed_on(RETRY, 3, reason="rejected", redrives=1)
AGAIN = handed_on(FAILURE, 8, reason="rejected", redrives=1)
BACK_AGAIN = handed_on(RETRY, 4, reason="rejected", redrives=2)
#: What the retry topic keeps, by when it was stored.
ALL, NOTHING = 0.0, float("inf")


@pytest.fixture
def receipt(tmp_path: Path) -> Receipt:
    """The receipt of PARKED."""
    return read_receipts([redriven(tmp_path, [PARKED], [Ended(SENT, 0, 1)])], Settings())[0]


def outcomes(
    receipts: Sequence[Receipt],
    *records: EventView,
    retry_done: int = 99,
    redriven: int = 0,
    kept_since: float = ALL,
) -> tuple[Outcome, Outcome | None]:
    """Where the event of a receipt is, and what became of its offset by the same audit."""
    known = commits(Done(99), Done(retry_done), {(Step("rejected", 0), 0): redriven})
    with Sendings(receipts) as sendings:
        elsewhere = Elsewhere(known, roles_of(Settings()), sendings)
        elsewhere.retry_kept_since = kept_since
        for record in records:
            elsewhere.take(record)
        (account,) = sendings.accounts(elsewhere.settled, kept_since)
    (outcome,) = account.counts.elements()
    assert account.missing == ([Sending(POP_ID, 0, 5)] if outcome is Outcome.MISSING else [])
    seen = elsewhere.known[0].get(7)
    return outcome, None if seen is None else outcome_of(seen)


def test_what_was_sent_back_is_delivered_or_on_its_way(receipt: Receipt) -> None:
    """As the group's commits of the retry topic tell."""
    assert outcomes([receipt], BACK, PARKED) == (Outcome.DELIVERED,) * 2
    assert outcomes([receipt], BACK, PARKED, retry_done=3) == (Outcome.RETRY,) * 2
    # The failure topic keeps it no more.
    assert outcomes([receipt], BACK)[0] is Outcome.DELIVERED


def test_what_failed_again_is_parked_again(receipt: Receipt) -> None:
    """Whether the retry topic still keeps that it was sent, and until it is sent once more."""
    for records in ((BACK, PARKED, AGAIN), (BACK, AGAIN, PARKED), (PARKED, AGAIN), (AGAIN,)):
        assert outcomes([receipt], *records) == (Outcome.PARKED,) * 2
    assert outcomes([receipt], PARKED, AGAIN, kept_since=NOTHING) == (Outcome.PARKED,) * 2
    records = (BACK, BACK_AGAIN, PARKED, AGAIN)
    assert outcomes([receipt], *records) == (Outcome.DELIVERED,) * 2
    assert outcomes([receipt], *records, retry_done=4) == (Outcome.RETRY,) * 2


def test_what_a_person_settled_is_settled(receipt: Receipt) -> None:
    """Where it stands, or where nothing else tells of it; not what was delivered before."""
    settled = mark(settled=True)
    assert outcomes([receipt], settled, BACK, PARKED, AGAIN) == (Outcome.SETTLED,) * 2
    assert outcomes([receipt], settled)[0] is Outcome.SETTLED
    assert outcomes([receipt], settled, BACK, PARKED) == (Outcome.DELIVERED,) * 2


def test_what_the_retry_topic_keeps_no_more_was_sent_back(receipt: Receipt) -> None:
    """And is not parked any more; without the receipt it would count as that."""
    assert outcomes([receipt], PARKED, kept_since=NOTHING) == (Outcome.SENT_BACK,) * 2
    assert outcomes([receipt], kept_since=NOTHING) == (Outcome.SENT_BACK, None)
    kept_from_the_run_on = float(BEGAN_MS)
    assert outcomes([receipt], PARKED, kept_since=kept_from_the_run_on)[0] is Outcome.SENT_BACK


def test_what_must_be_on_the_retry_topic_and_is_not_is_missing(receipt: Receipt) -> None:
    """For the whole audit; whether the failure topic still keeps where it came from or not."""
    assert outcomes([receipt], PARKED) == (Outcome.MISSING,) * 2
    assert outcomes([receipt]) == (Outcome.MISSING, None)
    kept_an_hour_longer = float(receipt.since_ms)
    assert outcomes([receipt], PARKED, kept_since=kept_an_hour_longer) == (Outcome.MISSING,) * 2
    # The workers' redrive says so, too, of where it was parked again.
    assert outcomes([receipt], BACK, PARKED, AGAIN, redriven=9) == (Outcome.MISSING,) * 2


def test_only_the_very_record_was_sent_back(receipt: Receipt) -> None:
    """In a topic that was made anew, another event may stand in its place, or it elsewhere."""
    elsewhere = handed_on(FAILURE, 6, reason="rejected")
    assert outcomes([receipt], elsewhere, kept_since=NOTHING) == (Outcome.PARKED,) * 2
    other = handed_on(FAILURE, 5, id="019af0c2-6b5e-7a51-9c0e-3f2b8d1c4e78")
    assert outcomes([receipt], other, kept_since=NOTHING) == (Outcome.SENT_BACK, Outcome.PARKED)


def test_an_event_of_two_receipts_is_told_of_in_both(tmp_path: Path) -> None:
    """Sent back, parked again, and sent back once more: where it is now is asked, not when."""
    files = [
        redriven(tmp_path, [one], [Ended(SENT, 0, 1)], name=name)
        for one, name in ((PARKED, "a.json"), (AGAIN, "b.json"))
    ]
    with Sendings(read_receipts(files, Settings())) as sendings:
        elsewhere = Elsewhere(commits(retry=Done(99)), roles_of(Settings()), sendings)
        for record in (BACK, BACK_AGAIN, PARKED, AGAIN):
            elsewhere.take(record)
        found = sendings.accounts(elsewhere.settled, ALL)

    assert [each.counts for each in found] == [Counter({Outcome.DELIVERED: 1})] * 2


def test_of_many_missing_events_the_first_are_named(tmp_path: Path) -> None:
    """All are counted."""
    ids = [f"019af0c2-6b5e-7a51-9c0e-{number:012x}" for number in range(40)]
    parked = [handed_on(FAILURE, n, id=each) for n, each in enumerate(ids)]
    file = redriven(tmp_path, parked, [Ended(SENT, 0, 30), Ended("gone", 30, 40)])
    with Sendings(read_receipts([file], Settings())) as sendings:
        (account,) = sendings.accounts(set(), ALL)

    assert account.counts == {Outcome.MISSING: 30}
    assert [each.pop_id for each in account.missing] == ids[:10]
