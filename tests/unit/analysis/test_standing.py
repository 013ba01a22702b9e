"""Where an event is now: by its records and the group's commits, and by nothing else."""

from collections.abc import Sequence

import pytest

from pop_stream.analysis.audit.commits import Commits, Done
from pop_stream.analysis.audit.whereabouts import Outcome
from pop_stream.analysis.event_view import EventView
from pop_stream.analysis.life.life import lives_of
from pop_stream.analysis.life.life_told import life_as_lines, life_as_object
from pop_stream.analysis.life.receipted import Receipted
from pop_stream.analysis.life.standing import Circumstances, Standing, standings_of
from pop_stream.analysis.roles import roles_of
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
    notified,
    produced,
)

ROLES = roles_of(Settings())
PARKED = handed_on(FAILURE, attempt=4, status=503, error="HTTP 503")
SENT_BACK = handed_on(RETRY, 1, at=NOW + 9000, attempt=4, redrives=1)
STEP = Step("transient", 0)
DONE = Done(8)


RECEIPT = Receipted(POP_ID, (EVENTS, 0, 7), NOW + 2000, 3, NOW + 2500, "pop-receipts/5/99")


def standings(records: Sequence[EventView], known: Commits) -> list[Standing]:
    """Of the one event of these tests, a minute after it was produced."""
    life = lives_of([POP_ID], records, ROLES)[POP_ID]
    return standings_of(life, Circumstances(commits=known, now_ms=NOW + 60_000))


@pytest.mark.parametrize(
    ("records", "known", "outcome", "says"),
    [
        ([produced()], commits(), Outcome.OPEN, "not taken yet"),
        ([produced()], commits(Done(7)), Outcome.OPEN, "not taken yet"),
        ([produced()], commits(DONE), Outcome.DELIVERED, "as far as commits tell"),
        ([produced()], commits(Done(3, frozenset((7,)))), Outcome.DELIVERED, "commits tell"),
        ([produced(), handed_on(RETRY)], commits(DONE), Outcome.RETRY, "Due on the retry topic"),
        (
            [produced(), handed_on(RETRY, not_before=NOW + 90_000)],
            commits(DONE),
            Outcome.RETRY,
            "next attempt at 2026-11-20T10:01:30.000Z",
        ),
        ([produced(), handed_on(RETRY)], commits(DONE, Done(1)), Outcome.DELIVERED, "Delivered"),
        # Handed on while the commit was read: what stands there counts.
        ([produced(), handed_on(RETRY)], commits(), Outcome.RETRY, "Due"),
        ([handed_on(RETRY)], commits(DONE, Done(1)), Outcome.DELIVERED, "Delivered"),
        ([produced(), PARKED], commits(DONE), Outcome.PARKED, "Parked"),
        ([produced(), PARKED, mark(settled=True)], commits(DONE), Outcome.SETTLED, "settled"),
        (
            [PARKED, mark(settled=True), mark(settled=False, offset=1, at=NOW + 6000)],
            commits(DONE),
            Outcome.PARKED,
            "after 4 attempts",
        ),
        ([PARKED], commits(DONE, redriven={(STEP, 0): 1}), Outcome.SENT_BACK, "Sent back"),
        ([PARKED], commits(DONE, redriven={(STEP, 0): 0}), Outcome.PARKED, "Parked"),
        # A step passes over what another reason parked.
        (
            [handed_on(FAILURE, reason="quarantined:not-json")],
            commits(DONE, redriven={(STEP, 0): 9}),
            Outcome.PARKED,
            "Quarantined",
        ),
        ([PARKED, SENT_BACK], commits(DONE), Outcome.RETRY, "Due"),
        ([PARKED, SENT_BACK], commits(DONE, Done(2)), Outcome.DELIVERED, "Delivered"),
        (
            [PARKED, SENT_BACK, handed_on(FAILURE, 1, at=NOW + 9500, attempt=5, redrives=1)],
            commits(DONE, Done(2)),
            Outcome.PARKED,
            "after 5 attempts",
        ),
    ],
)
def test_it_is_said_where_an_event_is(
    records: Sequence[EventView], known: Commits, outcome: Outcome, says: str
) -> None:
    """And what that is concluded from."""
    (standing,) = standings(records, known)

    assert standing.outcome is outcome
    assert says in standing.now
    assert standing.origin == f"{EVENTS}/0/7"
    assert standing.proven
    assert bool(standing.inferred) is (outcome in (Outcome.DELIVERED, Outcome.SENT_BACK))


@pytest.mark.parametrize(
    ("at", "reasons", "says"),
    [
        (NOW, frozenset(("transient",)), "for one more attempt at 2026-11-20T11:00:00.000Z"),
        (NOW - 7_200_000, frozenset(("transient",)), "due to be sent back since"),
        (NOW, frozenset[str](), "waits for a person"),
    ],
)
def test_what_happens_next_to_what_is_parked_is_said(
    at: int, reasons: frozenset[str], says: str
) -> None:
    """When it is sent back, or that nobody does so by itself."""
    (standing,) = standings([handed_on(FAILURE, at=at)], commits(DONE, reasons=reasons))

    assert says in standing.next


def test_an_event_that_was_written_twice_has_two_standings() -> None:
    """Each of its records has an outcome of its own."""
    twice = [produced(7), produced(9)]

    assert [each.outcome for each in standings(twice, commits(DONE))] == [
        Outcome.DELIVERED,
        Outcome.OPEN,
    ]


def test_a_hole_is_gone() -> None:
    """Its record on the failure topic is no parked event."""
    hole = Hole(topic=EVENTS, partition=0, begin=7, end=9)
    record = EventView(
        FAILURE, 0, 0, timestamp=NOW, key=None, value=hole.value(), headers=hole.headers(NOW),
        is_ours=True,
    )  # fmt: skip
    life = lives_of([hole.pop_id], [record], ROLES)[hole.pop_id]
    (standing,) = standings_of(life, Circumstances(commits=commits(DONE), now_ms=NOW))

    assert standing.outcome is Outcome.GONE
    assert "offsets 7 to 8 were deleted" in standing.now


def test_a_life_is_told_in_order_and_cannot_move_a_cursor() -> None:
    """Whatever players and errors say; a program is told the same."""
    records = [
        mark(settled=True),
        notified(),
        handed_on(FAILURE, at=NOW + 3000, attempt=2, status=503, error="x\x1b[2J"),
        handed_on(RETRY, not_before=NOW + 2000),
        produced(filename="a\x1b[31m\u202e.mp4"),
    ]
    life = lives_of([POP_ID], records, ROLES)[POP_ID]
    found = standings_of(life, Circumstances(commits=commits(DONE, Done(1)), now_ms=NOW))
    lines = list(life_as_lines(life, found))

    assert [step.what for step in life.steps] == [
        "produced", "failed", "parked", "notified", "settled",
    ]  # fmt: skip
    assert all(line.isprintable() for line in lines)
    assert "attempt 1 failed: transient; the next one is due 2026-11-20T10:00:02.000Z" in lines[2]
    assert "parked after 2 attempts: transient, status 503, x?[2J" in lines[3]
    assert "settled by kim: paid" in lines[5]
    told = life_as_object(life, found)
    assert [step["what"] for step in told["steps"]] == [step.what for step in life.steps]
    assert told["copies"][0]["outcome"] == "settled"


def test_what_nobody_knows_has_no_standing() -> None:
    """Of an event of which only the notification is left, nothing can be said."""
    life = lives_of([POP_ID], [notified()], ROLES)[POP_ID]

    assert standings_of(life, Circumstances(commits=commits(), now_ms=NOW)) == []
    assert any("cannot be said" in line for line in life_as_lines(life, []))


def test_a_receipt_proves_what_is_else_inferred() -> None:
    """When GSTV took the event, and as which attempt; the first receipt counts."""
    again = RECEIPT._replace(at_ms=NOW + 7000, stored_ms=NOW + 7500, place="pop-receipts/5/120")
    life = lives_of([POP_ID], [produced()], ROLES, [again, RECEIPT])[POP_ID]
    (standing,) = standings_of(life, Circumstances(commits=commits(DONE), now_ms=NOW))

    assert standing.outcome is Outcome.DELIVERED
    assert standing.now == "Delivered: GSTV took it at 2026-11-20T10:00:02.000Z, as attempt 3."
    assert standing.proven[0].endswith("as attempt 3: pop-receipts/5/99.")
    assert standing.inferred == ()
    lines = list(life_as_lines(life, [standing]))
    assert lines[2] == (
        "  2026-11-20T10:00:02.000Z  delivered, as attempt 3: its receipt  (pop-receipts/5/99)"
    )
    assert life_as_object(life, [standing])["receipts"][0] == {
        "deliveredAt": "2026-11-20T10:00:02.000Z",
        "attempts": 3,
        "origin": "pop-events/0/7",
        "place": "pop-receipts/5/99",
    }


def test_a_receipt_of_what_is_not_committed_is_told_beside_it() -> None:
    """A worker was killed in between: the event will be delivered again."""
    life = lives_of([POP_ID], [produced()], ROLES, [RECEIPT])[POP_ID]
    (standing,) = standings_of(life, Circumstances(commits=commits(), now_ms=NOW))

    assert standing.outcome is Outcome.OPEN
    assert "pop-receipts/5/99" in standing.proven[-1]


def test_an_event_of_which_only_a_receipt_is_left_was_delivered() -> None:
    """Receipts are kept for longer than events."""
    life = lives_of([POP_ID], [], ROLES, [RECEIPT])[POP_ID]
    (standing,) = standings_of(life, Circumstances(commits=commits(DONE), now_ms=NOW))

    assert life.is_found
    assert (standing.outcome, standing.origin) == (Outcome.DELIVERED, "pop-events/0/7")
    assert "kept no more" in standing.now


def test_of_two_copies_each_has_its_own_receipt() -> None:
    """A player wrote it twice, and one of them is delivered."""
    records = [produced(), produced(9)]
    life = lives_of([POP_ID], records, ROLES, [RECEIPT])[POP_ID]
    first, second = standings_of(life, Circumstances(commits=commits(DONE), now_ms=NOW))

    assert "took it" in first.now
    assert second.outcome is Outcome.OPEN
    assert not any("pop-receipts" in each for each in second.proven)
