import pytest

from pop_stream.pop.redrive import (
    REDRIVABLE,
    RedriveSchedule,
    Step,
    has_passed,
    redrive_group,
)
from pop_stream.pop.trail import redriven, redrives_of

SCHEDULE = RedriveSchedule((3600, 21_600, 86_400))
PARKED_AT = 1_795_168_800_000


def parked(reason: str = "transient", redrives: int | None = None) -> list[tuple[str, bytes]]:
    """The headers of a parked event."""
    headers = [("pop-id", b"x"), ("pop-attempt", b"4"), ("pop-reason", reason.encode())]
    return headers if redrives is None else [*headers, ("pop-redrives", str(redrives).encode())]


@pytest.mark.parametrize(
    ("redrives", "step", "seconds"),
    [(None, 0, 3600), (0, 0, 3600), (1, 1, 21_600), (2, 2, 86_400), (3, 2, 86_400),
     (1000, 2, 86_400)],
)  # fmt: skip
def test_each_redrive_has_its_step_and_the_last_repeats(
    redrives: int | None, step: int, seconds: int
) -> None:
    """One step alone is responsible for an event: no other sends it back too."""
    dues = [
        SCHEDULE.due(parked(redrives=redrives), PARKED_AT, step=each) for each in SCHEDULE.steps
    ]
    assert dues[step] == PARKED_AT + seconds * 1000
    assert [due for due in dues if due is not None] == [dues[step]]


@pytest.mark.parametrize("reason", ["rejected", "quarantined:not-json", "", "TRANSIENT"])
def test_what_a_redrive_would_not_help_stays_parked(reason: str) -> None:
    """GSTV refused it, it was never fit to be sent, or nobody knows why it is here."""
    assert [SCHEDULE.due(parked(reason), PARKED_AT, step=each) for each in SCHEDULE.steps] == (
        [None] * 3
    )


def test_rejected_events_are_redriven_where_that_is_asked_for() -> None:
    """Once GSTV has changed what it accepts."""
    schedule = RedriveSchedule((60,), frozenset(("rejected",)))
    (step,) = schedule.steps
    assert schedule.due(parked("rejected"), PARKED_AT, step=step) == PARKED_AT + 60_000
    assert schedule.due(parked("transient"), PARKED_AT, step=step) is None


def test_a_reason_that_is_redriven_from_now_on_has_steps_that_passed_nothing_over() -> None:
    """What was parked with it before is behind no commit of theirs."""
    before, after = RedriveSchedule((60, 600)), RedriveSchedule((60, 600), REDRIVABLE)
    known = {redrive_group("g", step) for step in before.steps}

    assert known == {"g-redrive-transient-1", "g-redrive-transient-2"}
    assert {redrive_group("g", step) for step in after.steps} - known == {
        "g-redrive-rejected-1",
        "g-redrive-rejected-2",
    }
    assert after.step_of(parked("rejected", redrives=9)) == Step("rejected", 1)
    assert after.step_of(parked(redrives=1)) == before.step_of(parked(redrives=1))


def test_a_schedule_of_one_step_repeats_it() -> None:
    """Then all redrives wait equally long."""
    schedule = RedriveSchedule((60,))
    assert (
        schedule.due(parked(redrives=7), PARKED_AT, step=Step("transient", 0)) == PARKED_AT + 60_000
    )


def test_a_step_has_passed_what_is_below_its_commit() -> None:
    """Of its own partition; what no step redrives is never passed."""
    step = Step("transient", 0)
    passed = {(step, 0): 5, (step, 2): 99, (Step("transient", 1), 1): 99}

    assert [has_passed(passed, step, 0, offset) for offset in (0, 4, 5)] == [True, True, False]
    assert not has_passed(passed, step, 1, 0)
    assert not has_passed(passed, None, 2, 0)


@pytest.mark.parametrize("times", [1, 2, 12])
def test_each_redrive_is_counted_and_everything_else_stays(times: int) -> None:
    """The id, the attempts, and what others wrote."""
    headers = [*parked(), ("pop-not-before", b"1795168800000"), ("foreign", b"\xff")]
    for _ in range(times):
        headers = redriven(headers)
    assert redrives_of(headers) == times
    assert headers[:-1] == [*parked(), ("foreign", b"\xff")]
    assert [name for name, _ in headers].count("pop-redrives") == 1


@pytest.mark.parametrize("value", [b"", b"-1", b"many", b"1" * 40])
def test_a_count_that_is_none_counts_as_no_redrive(value: bytes) -> None:
    """Then the schedule begins anew."""
    assert redrives_of([("pop-redrives", value)]) == 0
