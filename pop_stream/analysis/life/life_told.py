"""The life of an event as lines for people and as an object for programs."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from pop_stream.analysis.as_object import printable, stored_at
from pop_stream.analysis.life.life import Life, Step
from pop_stream.analysis.life.standing import Standing
from pop_stream.analysis.roles import Role
from pop_stream.pop.identity import time_of
from pop_stream.pop.moments import utc
from pop_stream.pop.trail import redrives_of

_WIDTH = len("2026-11-20T10:00:00.000Z")


class _Happening(NamedTuple):
    """One line of a life."""

    stored_ms: int
    at: str
    told: str
    place: str


def life_as_object(life: Life, standings: Sequence[Standing]) -> dict[str, Any]:
    """Everything; `copies` has one entry, or several when its player wrote it again."""
    produced = [step.record for step in life.steps if step.role is Role.EVENTS]
    minted = time_of(life.pop_id)
    return {
        "popId": life.pop_id,
        "mintedAt": None if minted is None else utc(int(minted * 1000)),
        "key": produced[0].text("key") if produced else None,
        "event": (produced[0].fields or None) if produced else None,
        "settled": life.is_settled,
        "steps": [step.as_object() for step in life.steps],
        "receipts": [each.as_object() for each in life.receipts],
        "copies": [standing.as_object() for standing in standings],
    }


def life_as_lines(life: Life, standings: Sequence[Standing]) -> Iterator[str]:
    """What happened, line by line; then where it is and what happens next."""
    yield f"event {life.pop_id}"
    for each in sorted(_happenings(life), key=lambda each: each.stored_ms):
        yield printable(f"  {each.at:<{_WIDTH}}  {each.told}  ({each.place})")
    if not any(step.role is Role.EVENTS for step in life.steps):
        yield "  The player's own record is not there any more; the others tell where it stood."
    if not standings:
        yield "  Only notifications or marks tell of it: where it is cannot be said."
    for standing in standings:
        which = f" of {standing.origin}" if len(standings) > 1 else ""
        yield printable(f"  now{which}:  {standing.now}")
        yield f"  next:  {standing.next}"
        yield from (f"  proven:  {each}" for each in standing.proven)
        yield from (f"  inferred:  {each}" for each in standing.inferred)
    if len(standings) > 1:
        yield "  Its player wrote it more than once; GSTV is told the same id each time."


def _happenings(life: Life) -> Iterator[_Happening]:
    for step in life.steps:
        at = stored_at(step.record) or "no time"
        yield _Happening(step.record.timestamp, at, _told(life, step), step.place)
    for one in life.receipts:
        told = f"delivered, as attempt {one.attempts}: its receipt"
        yield _Happening(one.stored_ms, utc(one.at_ms), told, one.place)


def _told(life: Life, step: Step) -> str:
    event = step.record
    match step.role:
        case Role.EVENTS:
            return _produced(life, step)
        case Role.RETRY if step.what == "sent back":
            return f"sent back for one more attempt (redrive {redrives_of(event.headers)})"
        case Role.RETRY:
            due = utc(event.trail.not_before) if event.trail.not_before else "at once"
            return f"attempt {event.trail.attempts} failed: {_why(step)}; the next one is due {due}"
        case Role.FAILURE:
            return _failure(step)
        case Role.NOTIFICATIONS:
            return "failure notified"
        case Role.SETTLED:
            by, why = (
                step.as_object()["mark"].get("operator"),
                step.as_object()["mark"].get("reason"),
            )
            what = "settled" if step.what == "settled" else "settlement taken back"
            return f"{what} by {by or 'somebody'}: {why or 'no reason given'}"


def _produced(life: Life, step: Step) -> str:
    event = step.record
    told = [
        f"{step.what}: {event.text('filename') or 'no file'} on {event.text('key') or 'no key'}"
    ]
    if start := event.text("startTimestamp"):
        told.append(f"played {start} to {event.text('endTimestamp') or 'no time'} by its site")
    minted = time_of(life.pop_id)
    if minted is not None:
        told.append(f"id minted {utc(int(minted * 1000))} by its player's clock")
    return ", ".join(told)


def _failure(step: Step) -> str:
    attempts = step.record.trail.attempts
    if step.what == "quarantined":
        return f"quarantined, without an attempt: {_why(step)}"
    if step.what == "deleted":
        return f"found deleted: {step.record.text('error') or 'no reason given'}"
    return f"parked after {attempts} attempts: {_why(step)}"


def _why(step: Step) -> str:
    event = step.record
    status, error = event.text("status"), event.text("error")
    parts = [event.text("reason") or "no reason", status and f"status {status}", error]
    return ", ".join(part for part in parts if part)
