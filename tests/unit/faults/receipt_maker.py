"""Adds delivery receipts to the evidence of a healthy run, as a worker would have written them.

Each partition's are written two tenths of a second before each commit, of what was delivered until
four tenths before it. What was delivered last before the kill has none of that delivery.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from math import ceil

from faults.checker.account import delivered_at, delivers
from faults.evidence import Evidence, Receipt, Record, Request
from pop_stream.pop.receipt import Delivery, decode_receipt, encode_receipt, receipt_of
from tests.unit.faults.evidence_maker import BEGIN, KILL, Fate, healthy, id_at, with_facts

_EVENTS_TOPIC = "pop-events"
_COMMIT_EVERY = 5
_TAKEN_UNTIL = 0.4
_WRITTEN = 0.2


def receipted(fates: Mapping[int, Fate] | None = None) -> Evidence:
    """A healthy run with receipts on."""
    evidence = with_facts(healthy(fates), receipted=True)
    places = {one.headers["pop-id"]: one for one in reversed(evidence.records)
              if one.topic == "events"}  # fmt: skip
    records = tuple(_with_origin(one, places) for one in evidence.records)
    receipts = tuple(_receipts(evidence, places))
    return replace(evidence, records=records, receipts=receipts)


def retold(
    evidence: Evidence, number: int, told: Callable[[Delivery], Delivery | None]
) -> Evidence:
    """Have the receipt of an event tell something else of it, or nothing; one there must be."""
    rewritten = tuple(_retold(one, number, told) for one in evidence.receipts)
    assert rewritten != evidence.receipts
    return replace(evidence, receipts=rewritten)


def receipt(partition: int, deliveries: list[Delivery], at: float, offset: int = 0) -> Receipt:
    """A record of the receipts topic, stored at a time."""
    told = receipt_of(
        deliveries, group="pop-stream", worker="0", topic=_EVENTS_TOPIC, partition=partition
    )
    return Receipt(
        partition=0,
        offset=offset,
        timestamp_ms=int((BEGIN + at) * 1000),
        key=f"{_EVENTS_TOPIC}/{partition}",
        value=encode_receipt(told).decode(),
    )


def stored_at(evidence: Evidence, number: int) -> float:
    """When the receipt of an event was stored."""
    (found,) = (one for one in evidence.receipts if tells_of(number)(one))
    return found.timestamp_ms / 1000 - BEGIN


def tells_of(number: int) -> Callable[[Receipt], bool]:
    """Tells the receipts of an event from all others."""

    def is_it(one: Receipt) -> bool:
        return any(each.pop_id == id_at(number) for each in _deliveries(one))

    return is_it


def _with_origin(record: Record, places: Mapping[str, Record]) -> Record:
    if "pop-origin" not in record.headers:
        return record
    player = places[record.headers["pop-id"]]
    origin = f"{_EVENTS_TOPIC}/{player.partition}/{player.offset}/{player.timestamp_ms}"
    return replace(record, headers={**record.headers, "pop-origin": origin})


def _receipts(evidence: Evidence, places: Mapping[str, Record]) -> Iterator[Receipt]:
    # The first is the one that a worker writes as it starts.
    yield receipt(0, [], -50)
    batches: defaultdict[tuple[int, int], list[Delivery]] = defaultdict(list)
    for request in evidence.requests:
        if delivers(request) and _is_heard(request):
            player = places[request.id or ""]
            at = delivered_at(request)
            commit = ceil((at - BEGIN + _TAKEN_UNTIL) / _COMMIT_EVERY) * _COMMIT_EVERY
            batches[commit, player.partition].append(
                Delivery(player.offset, request.id or "", ceil(at * 1000), request.attempt or 0)
            )
    for offset, ((commit, partition), deliveries) in enumerate(sorted(batches.items()), 1):
        yield receipt(partition, deliveries, commit - _WRITTEN, offset)


def _is_heard(request: Request) -> bool:
    """Whether the worker heard the answer, and lived until its receipt."""
    at = delivered_at(request) - BEGIN
    return not isinstance(request.decision, str) and not KILL - 0.5 < at < KILL


def _retold(record: Receipt, number: int, told: Callable[[Delivery], Delivery | None]) -> Receipt:
    changed = [told(one) if one.pop_id == id_at(number) else one for one in _deliveries(record)]
    partition = int((record.key or "").rpartition("/")[2])
    kept = [one for one in changed if one is not None]
    at = record.timestamp_ms / 1000 - BEGIN
    return receipt(partition, kept, at, record.offset)


def _deliveries(record: Receipt) -> list[Delivery]:
    found = decode_receipt((record.value or "").encode())
    return [] if found is None else list(found.deliveries())
