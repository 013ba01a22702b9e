"""What the retry topic, the failure topic and the marks tell of the players' records."""

from pop_stream.analysis.audit.commits import Done
from pop_stream.analysis.audit.doubts import doubts_of
from pop_stream.analysis.audit.elsewhere import Elsewhere, ToldHole
from pop_stream.analysis.audit.whereabouts import Outcome, outcome_of
from pop_stream.analysis.event_view import EventView
from pop_stream.analysis.roles import roles_of
from pop_stream.analysis.scan import Span
from pop_stream.pop.hole import Hole
from pop_stream.pop.redrive import Step
from pop_stream.settings import Settings
from tests.unit.analysis.records import (
    EVENTS,
    FAILURE,
    NOW,
    POP_ID,
    RETRY,
    commits,
    handed_on,
    mark,
)

ROLES = roles_of(Settings())


def collected(*records: EventView, retry: Done | None = None, sent_back: int = 0) -> Elsewhere:
    """All of it, in this order."""
    known = commits(Done(99), retry, {(Step("transient", 0), 0): sent_back})
    elsewhere = Elsewhere(known, ROLES)
    for record in records:
        elsewhere.take(record)
    return elsewhere


def offsets(elsewhere: Elsewhere) -> list[int]:
    """Those of partition 0 of which something is known."""
    return list(elsewhere.known[0].within(0, 100))


def outcome(elsewhere: Elsewhere, offset: int = 7) -> Outcome | None:
    """Of an event of partition 0."""
    known = elsewhere.known[0].get(offset)
    assert known is not None
    return outcome_of(known)


def test_what_is_done_is_not_kept_in_memory() -> None:
    """Only what may still hold an event back: millions come by the retry topic."""
    done = [handed_on(RETRY, n, origin=n) for n in range(50)]

    assert not collected(*done, retry=Done(50)).known
    assert len(offsets(collected(*done, retry=Done(49)))) == 1
    assert len(offsets(collected(*done, retry=Done(0, frozenset(range(1, 50)))))) == 1


def test_of_two_places_where_an_event_was_parked_the_later_counts() -> None:
    """Parked, sent back, and parked anew, in whatever order the partitions are read."""
    first = handed_on(FAILURE, 0, attempt=4)
    back = handed_on(RETRY, 0, attempt=4, redrives=1)
    second = handed_on(FAILURE, 1, attempt=5, redrives=1)
    for records in ((back, first, second), (back, second, first)):
        assert outcome(collected(*records, retry=Done(1), sent_back=1)) is Outcome.PARKED
    assert outcome(collected(back, first, retry=Done(1))) is Outcome.DELIVERED


def test_what_a_redrive_passed_over_must_be_on_the_retry_topic() -> None:
    """Unless that keeps it no more: then it is only not there any more."""
    parked = handed_on(FAILURE, 0, attempt=4)
    assert outcome(collected(parked, sent_back=1)) is Outcome.MISSING
    elsewhere = Elsewhere(commits(Done(99), redriven={(Step("transient", 0), 0): 1}), ROLES)
    elsewhere.retry_kept_since = NOW + 60_000
    elsewhere.take(parked)
    assert outcome(elsewhere) is Outcome.SENT_BACK


def test_marks_settle_and_take_back() -> None:
    """The last one counts."""
    parked = handed_on(FAILURE, 0, attempt=4)
    settled = collected(mark(settled=True), parked)
    undone = collected(mark(settled=True), mark(settled=False, offset=1), parked)

    assert outcome(settled) is Outcome.SETTLED
    assert outcome(undone) is Outcome.PARKED


def test_what_names_no_place_of_the_players_topic_is_known_by_its_id() -> None:
    """As what stood on a topic of another name."""
    strange = handed_on(RETRY, 3, origin=1, first_failed_at=NOW)
    other = EventView(
        RETRY, 0, 3, timestamp=NOW, key=None, value=b"{}", is_ours=True,
        headers=[("pop-id", POP_ID.encode()), ("pop-origin", b"elsewhere/0/7/1")],
    )  # fmt: skip
    elsewhere = collected(strange, other)

    assert offsets(elsewhere) == [1]
    assert elsewhere.strays.keys() == {POP_ID}


def test_a_hole_is_no_parked_event() -> None:
    """It tells of all its offsets; one that cannot be read counts as an event."""
    whole = Hole(topic=EVENTS, partition=0, begin=7, end=9)
    for value, holes in ((whole.value(), 1), (b"no JSON", 0), (b'{"from":"x"}', 0), (b"[]", 0)):
        record = EventView(FAILURE, 0, 0, timestamp=NOW, key=None, value=value, is_ours=True,
                           headers=whole.headers(NOW))  # fmt: skip
        elsewhere = collected(record)
        assert len(elsewhere.holes) == holes
        assert len(offsets(elsewhere)) == 1 - holes


def test_evidence_that_is_gone_is_told() -> None:
    """Records deleted from the retry topic before they were done, and from the failure topic."""
    spans = [Span(EVENTS, 0, 0, 99), Span(RETRY, 0, 9, 20), Span(FAILURE, 0, 4, 4)]
    first_stored = {(RETRY, 0): NOW}

    def texts(retry: Done, *holes: ToldHole, events: int = 99) -> list[str]:
        known = commits(Done(events), retry)
        return [each.text for each in doubts_of(spans, ROLES, known, holes, first_stored)]

    assert len(texts(Done(9))) == 1
    assert "failure/0: offsets 0 to 3 are kept no more" in texts(Done(9))[0]
    assert "retry/0: offsets 5 to 8 were deleted before" in texts(Done(5))[0]
    assert "100 is committed and the partition ends at 99" in texts(Done(9), events=100)[0]
    told = ToldHole(RETRY, 1, 3, 5, NOW, settled=False)
    assert "up to 2 events" in texts(Done(9), told)[1]
    assert len(texts(Done(9), told._replace(settled=True))) == 1


def test_evidence_that_is_gone_concerns_only_what_is_older() -> None:
    """What came after all that is missing was stored cannot have been among it."""
    spans = [Span(RETRY, 0, 9, 20)]
    (doubt,) = doubts_of(spans, ROLES, commits(Done(9), Done(5)), (), {(RETRY, 0): NOW})

    assert doubt.concerns(NOW - 1)
    assert doubt.concerns(None)
    assert not doubt.concerns(NOW + 1)
