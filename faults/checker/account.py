"""What became of every event: views of the evidence that several checks need, each made once."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from faults.evidence import Evidence, Fault, Produced, Record, Request

#: The topics whose records the group works off, and commits.
WORKED_TOPICS = ("events", "retry", "failure")

_ALREADY_KNOWN = 409
#: How long what was on the wire just before a fault, or held back by it, may still be under way.
_WIRE_SECONDS = 2.0


# Without slots: what is made once is kept in the object's dictionary.
@dataclass(frozen=True, eq=False)
class Account:
    """The evidence of one run, sorted by event."""

    evidence: Evidence

    @cached_property
    def produced(self) -> dict[str, Produced]:
        """What the players meant, by id."""
        return {event.id: event for event in self.evidence.produced}

    @cached_property
    def acked(self) -> dict[str, float]:
        """When the broker confirmed each event to its player for the first time."""
        acked: dict[str, float] = {}
        for each in self.evidence.acked:
            acked[each.id] = min(each.at, acked.get(each.id, each.at))
        return acked

    @cached_property
    def topics(self) -> dict[str, list[Record]]:
        """All records by the role of their topic; those without any record are there as well."""
        topics: dict[str, list[Record]] = {role: [] for role in (*WORKED_TOPICS, "notifications")}
        for record in self.evidence.records:
            topics.setdefault(record.topic, []).append(record)
        return topics

    @cached_property
    def on_events(self) -> dict[str, list[Record]]:
        """The players' records by id."""
        return _by_id(self.topics["events"])

    @cached_property
    def on_retry(self) -> dict[str, list[Record]]:
        """The records that wait or waited for another attempt, by id."""
        return _by_id(self.topics["retry"])

    @cached_property
    def parked(self) -> dict[str, list[Record]]:
        """The records on the failure topic, by id."""
        return _by_id(self.topics["failure"])

    @cached_property
    def told(self) -> dict[str, int]:
        """When each failed event was notified for the first time, in epoch milliseconds."""
        told: dict[str, int] = {}
        for record in self.topics["notifications"]:
            pop_id, at = id_of(record), record.timestamp_ms
            told[pop_id] = min(at, told.get(pop_id, at))
        return told

    @cached_property
    def deliveries(self) -> dict[str, list[Request]]:
        """The requests that delivered each event, in the order in which GSTV read them."""
        found: dict[str, list[Request]] = {}
        for request in self.evidence.requests:
            if request.id is not None and delivers(request):
                found.setdefault(request.id, []).append(request)
        for requests in found.values():
            requests.sort(key=lambda request: request.received_at)
        return found

    @cached_property
    def first_seen(self) -> dict[str, float]:
        """When GSTV read each event for the first time, whatever it answered."""
        seen: dict[str, float] = {}
        for request in self.evidence.requests:
            if request.id is not None:
                at = request.received_at
                seen[request.id] = min(at, seen.get(request.id, at))
        return seen

    @cached_property
    def gstv_faults(self) -> tuple[Fault, ...]:
        """The faults of GSTV, and of the way to it."""
        return tuple(fault for fault in self.evidence.faults if fault.kind.startswith("gstv-"))

    def is_ambiguous(self, delivery: Request) -> bool:
        """Whether the answer of a delivery may not have reached the worker.

        There was none, or the partner broke it off, or it was given during a fault of GSTV or of
        the way to it.
        """
        if delivery.answered_at is None or isinstance(delivery.decision, str):
            return True
        return any(
            delivery.received_at <= fault.ended_at + _WIRE_SECONDS
            and fault.began_at - _WIRE_SECONDS <= delivery.answered_at
            for fault in self.gstv_faults
        )


def delivers(request: Request) -> bool:
    """Whether an answer that says "taken" (2xx or 409) may have reached the client whole."""
    status = request.status
    taken = status is not None and (200 <= status < 300 or status == _ALREADY_KNOWN)
    return taken and request.decision != "reset-mid-response"


def delivered_at(delivery: Request) -> float:
    """When a delivery was answered; when it was read, if that is not known."""
    return delivery.received_at if delivery.answered_at is None else delivery.answered_at


def id_of(record: Record) -> str:
    """The event's id; empty when the record has none, which no event of a run is."""
    return record.headers.get("pop-id", "")


def attempts_of(record: Record) -> int:
    """How many attempts a record tells of; -1 for a player's own, which is before any."""
    # A player may say what it likes under this name, so only a record with an origin counts.
    if record.topic == "events" or "pop-origin" not in record.headers:
        return -1
    return _number(record.headers.get("pop-attempt"), -1)


def redrives_of(record: Record) -> int:
    """How often the event of a record was sent back from the failure topic."""
    return _number(record.headers.get("pop-redrives"), 0)


def place_of(record: Record) -> str:
    """Where a record stands, for people."""
    return f"{record.topic}/{record.partition}@{record.offset}"


def _by_id(records: Iterable[Record]) -> dict[str, list[Record]]:
    sorted_records: dict[str, list[Record]] = {}
    for record in records:
        sorted_records.setdefault(id_of(record), []).append(record)
    return sorted_records


def _number(text: str | None, otherwise: int) -> int:
    return int(text) if text is not None and text.isdecimal() else otherwise
