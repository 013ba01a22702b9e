"""The life of one event: every record that tells of it, in order."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from pop_stream.analysis.as_object import stored_at
from pop_stream.analysis.event_view import EventView
from pop_stream.analysis.life.receipted import Receipted
from pop_stream.analysis.roles import Role
from pop_stream.pop.hole import GONE
from pop_stream.pop.identity import parse_pop_id
from pop_stream.pop.moments import utc
from pop_stream.pop.settlement import is_settled
from pop_stream.pop.trail import Origin, player_pop_id, redrives_of

_ORDER = {Role.EVENTS: 0, Role.RETRY: 1, Role.FAILURE: 2, Role.NOTIFICATIONS: 3, Role.SETTLED: 4}


@dataclass(frozen=True, slots=True)
class Step:
    """One record of an event's life."""

    role: Role
    record: EventView

    @property
    def what(self) -> str:
        """What it tells, in a word or two."""
        event = self.record
        match self.role:
            case Role.EVENTS:
                return "produced"
            case Role.RETRY:
                # A redrive keeps the count of attempts, and waits no more.
                is_back = redrives_of(event.headers) and not event.trail.not_before
                return "sent back" if is_back else "failed"
            case Role.FAILURE:
                reason = event.text("reason") or ""
                if reason == GONE:
                    return "deleted"
                return "quarantined" if reason.startswith("quarantined:") else "parked"
            case Role.NOTIFICATIONS:
                return "notified"
            case Role.SETTLED:
                return "settled" if is_settled(event.value) else "not settled"

    @property
    def place(self) -> str:
        """Where the record stands."""
        return f"{self.record.topic}/{self.record.partition}/{self.record.offset}"

    def as_object(self) -> dict[str, Any]:
        """For programs. What is not known, or not of this kind of record, is null."""
        event, trail = self.record, self.record.trail
        has_trail = self.role in (Role.RETRY, Role.FAILURE)
        return {
            "what": self.what,
            "at": stored_at(event),
            "place": self.place,
            "attempts": trail.attempts if has_trail else None,
            "status": event.text("status") if has_trail else None,
            "reason": event.text("reason") if has_trail else None,
            "error": event.text("error") if has_trail else None,
            "notBefore": utc(trail.not_before) if has_trail and trail.not_before else None,
            "redrives": redrives_of(event.headers) if has_trail else None,
            "mark": mark_of(event.value) if self.role is Role.SETTLED else None,
        }


@dataclass(frozen=True, slots=True)
class Life:
    """All that is found of one event."""

    pop_id: str
    #: In the order in which they were stored.
    steps: tuple[Step, ...]
    #: What workers have written down of its delivery; in the order in which that was stored.
    receipts: tuple[Receipted, ...] = ()

    @property
    def is_found(self) -> bool:
        """Whether anything tells of it."""
        return bool(self.steps or self.receipts)

    @property
    def is_settled(self) -> bool:
        """Whether a person has settled it: the last mark counts."""
        marks = [step for step in self.steps if step.role is Role.SETTLED]
        return bool(marks) and marks[-1].what == "settled"

    def copies(self) -> dict[Origin, list[Step]]:
        """Its records on the players', the retry and the failure topic, by the player's record.

        A player that was not told of Kafka's confirmation writes an event again: then it has two.
        """
        copies: dict[tuple[str, int, int], tuple[Origin, list[Step]]] = {}
        for step in self.steps:
            if step.role in (Role.EVENTS, Role.RETRY, Role.FAILURE):
                origin = step.record.trail.origin
                place = (origin.topic, origin.partition, origin.offset)
                copies.setdefault(place, (origin, []))[1].append(step)
        return dict(copies.values())


def id_of(event: EventView, role: Role) -> str | None:
    """Of which event a record tells; None: of none."""
    if role is Role.EVENTS:
        # Not the whole trail, which takes three times as long: every record is asked.
        return player_pop_id(event.headers, event.topic, event.partition, event.offset)
    return parse_pop_id(event.key) if role is Role.SETTLED else event.pop_id


def lives_of(
    pop_ids: Iterable[str],
    records: Iterable[EventView],
    roles: Mapping[str, Role],
    receipts: Iterable[Receipted] = (),
) -> dict[str, Life]:
    """The lives of events, by their ids in the order given; without steps where nothing is."""
    receipted: dict[str, list[Receipted]] = {}
    for one in sorted(receipts, key=lambda each: each.stored_ms):
        receipted.setdefault(one.pop_id, []).append(one)
    found: dict[str, list[Step]] = {pop_id: [] for pop_id in pop_ids}
    for record in records:
        role = roles[record.topic]
        pop_id = id_of(record, role)
        if pop_id in found:
            found[pop_id].append(Step(role, record))
    return {
        pop_id: Life(
            pop_id, tuple(sorted(steps, key=_when)), receipts=tuple(receipted.get(pop_id, ()))
        )
        for pop_id, steps in found.items()
    }


def _when(step: Step) -> tuple[int, int, int]:
    # What follows within a millisecond may be stored on different brokers.
    return (step.record.timestamp, _ORDER[step.role], step.record.offset)


def mark_of(value: bytes | None) -> dict[str, Any]:
    """What stands in a mark, as far as it can be read."""
    try:
        mark = orjson.loads(value or b"")
    except orjson.JSONDecodeError:
        return {}
    return mark if type(mark) is dict else {}
