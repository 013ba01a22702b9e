"""Where an event is now and what happens next, in sentences; and what is proven of it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from pop_stream.analysis.audit.commits import Commits
from pop_stream.analysis.audit.whereabouts import (
    Known,
    Outcome,
    of_parked,
    of_retry,
    outcome_of,
    together,
)
from pop_stream.analysis.life.life import Life, Step
from pop_stream.analysis.life.receipted import Receipted
from pop_stream.analysis.roles import Role
from pop_stream.pop.hole import GONE
from pop_stream.pop.moments import utc
from pop_stream.pop.trail import Origin, redrives_of

_ANSWERED = (
    "GSTV has answered success: a worker commits an event only then, or once it stands on one of "
    "those topics."
)
_DONE_BEFORE = (
    "Its record on the retry topic is not there any more: that it was done before it was deleted "
    "follows from the workers' rules alone."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where one copy of an event is."""

    outcome: Outcome
    #: The player's record: topic/partition/offset.
    origin: str
    now: str
    next: str
    #: What Kafka shows.
    proven: tuple[str, ...]
    #: What follows from it, if every worker kept to its rules and nobody moved its commits.
    inferred: tuple[str, ...] = ()

    def as_object(self) -> dict[str, Any]:
        """For programs."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What there is to know beside the event's records."""

    commits: Commits
    #: Epoch milliseconds.
    now_ms: int


def standings_of(life: Life, around: Circumstances) -> list[Standing]:
    """Where the event is: of each copy that its player wrote."""
    receipted: dict[tuple[str, int, int], Receipted] = {}
    for one in life.receipts:
        # Of several the first counts: it was delivered then.
        receipted.setdefault(one.origin, one)
    standings = []
    for origin, steps in life.copies().items():
        told = receipted.pop((origin.topic, origin.partition, origin.offset), None)
        standing = _standing(origin, steps, around, is_settled=life.is_settled)
        standings.append(standing if told is None else _proven(standing, told))
    return standings + [_receipt_alone(told) for told in receipted.values()]


def _standing(
    origin: Origin, steps: Sequence[Step], around: Circumstances, *, is_settled: bool
) -> Standing:
    retries = [step for step in steps if step.role is Role.RETRY]
    parked = [step for step in steps if step.role is Role.FAILURE]
    place = f"{origin.topic}/{origin.partition}/{origin.offset}"
    is_gone = bool(parked) and parked[-1].record.text("reason") == GONE
    match _outcome(origin, steps, around.commits, is_settled=is_settled):
        case _ if is_gone:
            standing = _gone(place, parked[-1], is_settled=is_settled)
        case Outcome.RETRY:
            standing = _waits(place, retries, around)
        case Outcome.SETTLED:
            standing = _settled(place, parked[-1])
        case Outcome.PARKED:
            standing = _parked(place, parked[-1], around)
        case Outcome.SENT_BACK:
            standing = _sent_back(place, parked[-1])
        case Outcome.OPEN:
            standing = _open(place, around)
        case _:
            standing = _delivered(place, origin, steps, around)
    return standing


def _outcome(
    origin: Origin, steps: Sequence[Step], commits: Commits, *, is_settled: bool
) -> Outcome:
    known = together(_known(step, commits, is_settled=is_settled) for step in steps)
    elsewhere = outcome_of(known)
    if elsewhere is not None:
        return elsewhere
    was_handed_on = any(step.role is not Role.EVENTS for step in steps)
    is_done = was_handed_on or commits.of(origin.topic, origin.partition).has(origin.offset)
    return Outcome.DELIVERED if is_done else Outcome.OPEN


def _known(step: Step, commits: Commits, *, is_settled: bool) -> Known:
    event = step.record
    redrives = redrives_of(event.headers)
    if step.role is Role.RETRY:
        is_done = commits.of(event.topic, event.partition).has(event.offset)
        return of_retry(redrives=redrives, is_done=is_done)
    if step.role is Role.FAILURE:
        return of_parked(
            redrives=redrives,
            passed=commits.was_sent_back(event.headers, event.partition, event.offset),
            # Whether the retry topic keeps all since then is not asked for one event.
            is_kept=False,
            settled=is_settled,
        )
    return Known()


def _waits(place: str, retries: Sequence[Step], around: Circumstances) -> Standing:
    commits = around.commits
    waiting = [
        step for step in retries
        if not commits.of(step.record.topic, step.record.partition).has(step.record.offset)
    ]  # fmt: skip
    last = waiting[-1]
    due, attempts = last.record.trail.not_before, last.record.trail.attempts
    if due > around.now_ms:
        now = f"Waits on the retry topic for its next attempt at {utc(due)}."
    else:
        now = "Due on the retry topic: under way, or not taken yet."
    return Standing(
        outcome=Outcome.RETRY,
        origin=place,
        now=now,
        next=f"Attempt {attempts + 1}, when it is due and GSTV takes events: then it is delivered, "
        "or waits again, or is parked and notified.",
        proven=(_stands(last), f"The group {commits.group} has not committed it."),
    )


def _settled(place: str, last: Step) -> Standing:
    return Standing(
        outcome=Outcome.SETTLED,
        origin=place,
        now="Parked on the failure topic, and settled by a person.",
        next="Nothing: it is not sent back by itself.",
        proven=(_stands(last), "The last mark says that it is settled."),
    )


def _parked(place: str, last: Step, around: Circumstances) -> Standing:
    event, schedule = last.record, around.commits.schedule
    step = schedule.step_of(event.headers)
    due = None if step is None else schedule.due(event.headers, event.timestamp, step=step)
    if due is None:
        told = "It waits for a person, who redrives or settles it: no redrive of its reason is set."
    elif due > around.now_ms:
        told = f"It is sent back for one more attempt at {utc(due)}, or as soon after as GSTV and "
        told += "the rate limit allow."
    else:
        told = f"It is due to be sent back since {utc(due)}: a worker does that once GSTV takes "
        told += "events."
    quarantined = last.what == "quarantined"
    return Standing(
        outcome=Outcome.PARKED,
        origin=place,
        now="Quarantined on the failure topic: it is unfit to be sent."
        if quarantined
        else f"Parked on the failure topic after {event.trail.attempts} attempts.",
        next=told,
        proven=(_stands(last), "No record on the retry topic tells that it was sent back since."),
    )


def _sent_back(place: str, last: Step) -> Standing:
    return Standing(
        outcome=Outcome.SENT_BACK,
        origin=place,
        now="Sent back from the failure topic, and not parked again: delivered, as far as "
        "commits tell.",
        next="Nothing.",
        proven=(_stands(last), "The commit of its redrive has passed that record."),
        inferred=(_DONE_BEFORE,),
    )


def _gone(place: str, last: Step, *, is_settled: bool) -> Standing:
    return Standing(
        outcome=Outcome.GONE_SETTLED if is_settled else Outcome.GONE,
        origin=place,
        now=f"Gone: {last.record.text('error') or 'deleted before it was delivered'}.",
        next="Only its player can send it again." + (" A person has settled it." * is_settled),
        proven=(_stands(last),),
    )


def _open(place: str, around: Circumstances) -> Standing:
    return Standing(
        outcome=Outcome.OPEN,
        origin=place,
        now="On the players' topic: under way, or not taken yet.",
        next="Its next attempt, when a worker takes it and GSTV takes events.",
        proven=(
            f"The group {around.commits.group} has not committed it.",
            "There is no record of it on the retry and the failure topic.",
        ),
    )


def _delivered(
    place: str, origin: Origin, steps: Sequence[Step], around: Circumstances
) -> Standing:
    group, done = around.commits.group, around.commits.of(origin.topic, origin.partition)
    proven = []
    if done.committed is not None and origin.offset < done.committed:
        proven.append(f"The group {group} has committed {place}: it stands at {done.committed}.")
    elif done.has(origin.offset):
        proven.append(f"The group {group} has noted {place} as done beyond its commit.")
    if any(step.role is not Role.EVENTS for step in steps):
        proven.append("Every record of it on the retry topic is committed, and it is not parked.")
    else:
        proven.append("There is no record of it on the retry and the failure topic.")
    return Standing(
        outcome=Outcome.DELIVERED,
        origin=place,
        now="Delivered, as far as commits tell.",
        next="Nothing.",
        proven=tuple(proven),
        inferred=(_ANSWERED,),
    )


def _proven(standing: Standing, told: Receipted) -> Standing:
    """The same, and what a receipt tells of it."""
    by = f"A worker has written down that {told}: {told.place}."
    if standing.outcome is not Outcome.DELIVERED:
        # It was killed before its commit, or has not come to it yet.
        return replace(standing, proven=(*standing.proven, by))
    now = f"Delivered: {told}."
    return replace(standing, now=now, proven=(by, *standing.proven), inferred=())


def _receipt_alone(told: Receipted) -> Standing:
    return Standing(
        outcome=Outcome.DELIVERED,
        origin="/".join(map(str, told.origin)),
        now=f"Delivered: {told}. Its records are kept no more, or were not searched.",
        next="Nothing.",
        proven=(f"A worker has written down that {told}: {told.place}.",),
    )


def _stands(step: Step) -> str:
    return f"Its record stands at {step.place}."
