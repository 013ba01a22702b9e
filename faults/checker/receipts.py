"""Delivery receipts: no delivery is committed without one, and none tells what was not.

The clocks are those of `commits.py`, and so is the only allowance. What is noted beside a commit as
finished beyond it is not judged here: each record is judged by the first commit that passes it.
"""

from collections import defaultdict
from dataclasses import dataclass, field

from faults.checker.account import Account, delivered_at, id_of
from faults.checker.finding import Finding, counted, some
from faults.checker.passed import (
    Partition,
    SafeTimes,
    earliest,
    handed_on_at_ms,
    passed_too_early,
)
from faults.checker.receipt_reading import ReceiptText, Told, read_receipt
from faults.evidence import Evidence, Receipt, Record

#: Where a player's own record stands on the events topic, and its event's id.
Place = tuple[int, int, str]


@dataclass(frozen=True, slots=True)
class Receipts:
    """All receipts of a run, read once."""

    #: Each record that is a receipt, with what it tells.
    read: list[tuple[Receipt, ReceiptText]] = field(default_factory=list)
    #: Those that are none.
    unreadable: list[Receipt] = field(default_factory=list)


def read_receipts(evidence: Evidence) -> Receipts:
    """Read them all."""
    receipts = Receipts()
    for record in evidence.receipts:
        try:
            receipts.read.append((record, read_receipt(record.value)))
        except ValueError:
            receipts.unreadable.append(record)
    return receipts


def unproven_delivery(account: Account, receipts: Receipts) -> Finding:
    """No commit passes as delivered what has no receipt dated at or before the commit.

    For each commit of the events or the retry topic in its order, and each record below its offset:
    a receipt tells of its event, under the place of the player's own record; or it was handed on
    by then: a record of it stands on the retry or the failure topic that tells of more attempts.
    """
    if not account.evidence.run.receipted:
        return Finding(
            check="unproven delivery", ok=True, measured=0, allowed="any",
            detail="no receipts were asked for in this run",
        )  # fmt: skip
    safe = _proven_times(account, receipts)
    commits = [one for one in account.evidence.commits if (one.topic, one.partition) in safe]
    # Whoever commits beyond the end has passed nothing yet: that is judged as commit safety.
    bare = [one for one in passed_too_early(commits, safe) if one.is_record]
    return Finding(
        check="unproven delivery",
        ok=not bare,
        measured=len(bare),
        allowed="0",
        detail=f"{counted(len(commits), 'commit')} judged, "
        f"{counted(len(receipts.read), 'receipt')}",
        examples=some(map(str, bare)),
    )


def false_receipt(account: Account, receipts: Receipts) -> Finding:
    """Each receipt tells of attempts that GSTV took, and of where their events stand.

    GSTV answered "taken" to the attempt of that number, at or before the time that is told; and at
    that place of the events topic the player's record has that id. What cannot be read is false.
    """
    told = [(record, text, one) for record, text in receipts.read for one in text.deliveries]
    false = [f"{_place_of(record)}: no receipt" for record in receipts.unreadable]
    places = {_player_place(one) for one in account.topics["events"]}
    for record, text, one in told:
        why = _what_is_false(account, places, text, one)
        if why is not None:
            false.append(f"{one.id} ({_place_of(record)}): {why}")
    return Finding(
        check="false receipt",
        ok=not false,
        measured=len(false),
        allowed="0",
        detail=f"told of: {len(told):,}",
        examples=some(false),
    )


def _proven_times(account: Account, receipts: Receipts) -> SafeTimes:
    topic = account.evidence.run.topics["events"]
    stored: dict[Place, int] = {}
    for record, text in receipts.read:
        for one in text.deliveries if text.topic == topic else ():
            place = one.partition, one.offset, one.id
            stored[place] = min(record.timestamp_ms, stored.get(place, record.timestamp_ms))
    safe: dict[Partition, list[tuple[int, int | None]]] = defaultdict(list)
    for role in ("events", "retry"):
        for each in account.topics[role]:
            origin = _player_place(each) if role == "events" else _origin_of(each, topic)
            proven = None if origin is None else stored.get(origin)
            at_ms = earliest(proven, handed_on_at_ms(account, each))
            safe[role, each.partition].append((each.offset, at_ms))
    for records in safe.values():
        records.sort(key=lambda each: each[0])
    return safe


def _what_is_false(
    account: Account, places: set[Place], text: ReceiptText, one: Told
) -> str | None:
    run = account.evidence.run
    if text.group != run.group or text.topic != run.topics["events"]:
        return f"of {text.group} and {text.topic}"
    if (one.partition, one.offset, one.id) not in places:
        return f"not at events/{one.partition}@{one.offset}"
    taken = [each for each in account.deliveries.get(one.id, ()) if each.attempt == one.attempts]
    if not taken:
        return f"attempt {one.attempts} was not taken"
    early = min(int(delivered_at(each) * 1000) for each in taken) - one.at_ms
    return f"taken {early} ms later than told" if early > 0 else None


def _player_place(record: Record) -> Place:
    return record.partition, record.offset, id_of(record)


def _origin_of(record: Record, events_topic: str) -> Place | None:
    """The place of the player's record, as one on the retry topic tells it."""
    topic, *numbers = record.headers.get("pop-origin", "").rsplit("/", 3)
    if topic != events_topic or not all(number.isdecimal() for number in numbers[:2]):
        return None
    return int(numbers[0]), int(numbers[1]), id_of(record)


def _place_of(record: Receipt) -> str:
    return f"receipts/{record.partition}@{record.offset}"
