"""Records on each topic, as workers and people write them, for tests of where an event is."""

import json
from collections.abc import Mapping
from typing import Any

from pop_stream.analysis.audit.commits import Commits, Done
from pop_stream.analysis.event_view import EventView
from pop_stream.pop.receipt import encode_receipt, receipt_of
from pop_stream.pop.redrive import REDRIVABLE, RedriveSchedule, Step

NOW = 1_795_168_800_000
EVENTS, RETRY, FAILURE = "pop-events", "pop-events-retry", "pop-events-failure"
NOTIFICATIONS, SETTLED = "pop-failure-notifications", "pop-failures-settled"
RECEIPTS = "pop-receipts"
POP_ID = "019af0c2-6b5e-7a51-9c0e-3f2b8d1c4e77"


def produced(offset: int = 7, *, pop_id: str = POP_ID, at: int = NOW, **fields: Any) -> EventView:
    """A player's record."""
    event = {
        "filename": "spot.mp4",
        "assetId": "5942",
        "startTimestamp": "2026-11-20 10:00:00",
        "endTimestamp": "2026-11-20 10:00:15",
        "siteId": "1202",
        "screenId": "2",
    } | fields
    return _record(EVENTS, offset, at, {"pop-id": pop_id}, json.dumps(event).encode())


def handed_on(
    topic: str, offset: int = 0, *, origin: int = 7, at: int = NOW + 1000, **headers: object
) -> EventView:
    """A record on the retry or the failure topic; `headers` without `pop-`, `_` for `-`."""
    given = {
        "pop-id": POP_ID,
        "pop-attempt": 1,
        "pop-reason": "transient",
        "pop-origin": f"{EVENTS}/0/{origin}/{NOW}",
    } | {f"pop-{name.replace('_', '-')}": value for name, value in headers.items()}
    return _record(topic, offset, at, given, b"{}")


def mark(*, settled: bool, offset: int = 0, at: int = NOW + 5000) -> EventView:
    """A person's mark."""
    value = json.dumps({"settled": settled, "operator": "kim", "reason": "paid"}).encode()
    return _record(SETTLED, offset, at, {}, value, key=POP_ID.encode())


def notified(at: int = NOW + 4000) -> EventView:
    """A failure notification."""
    return _record(NOTIFICATIONS, 0, at, {"pop-id": POP_ID}, b"{}")


def receipt(
    *deliveries: tuple[int, str],
    at: int = NOW + 100,
    attempts: int = 1,
    group: str = "pop-stream",
    partition: int = 0,
    topic: str = EVENTS,
) -> EventView:
    """A receipt of deliveries: each is the offset of a player's record, and an id."""
    told = receipt_of(
        [(offset, pop_id, at, attempts) for offset, pop_id in deliveries],
        group=group, worker="0.1.0", topic=topic, partition=partition,
    )  # fmt: skip
    key = f"{topic}/{partition}".encode()
    return _record(RECEIPTS, 0, at + 20, {}, encode_receipt(told), key=key)


def _record(
    topic: str,
    offset: int,
    at: int,
    headers: Mapping[str, object],
    value: bytes,
    key: bytes = b"1202/2",
) -> EventView:
    return EventView(
        topic,
        0,
        offset,
        timestamp=at,
        key=key,
        value=value,
        headers=[(name, str(text).encode()) for name, text in headers.items()],
        is_ours=topic != EVENTS,
    )


def commits(
    events: Done | None = None,
    retry: Done | None = None,
    redriven: Mapping[tuple[Step, int], int] | None = None,
    *,
    reasons: frozenset[str] = frozenset(("transient",)),
) -> Commits:
    """What was committed of partition 0 of each topic."""
    done = {(EVENTS, 0): events, (RETRY, 0): retry}
    return Commits(
        group="pop-stream",
        failure_topic=FAILURE,
        done={place: each for place, each in done.items() if each is not None},
        redriven=redriven or {},
        steps=RedriveSchedule((3600,), REDRIVABLE),
        schedule=RedriveSchedule((3600,), reasons),
    )
