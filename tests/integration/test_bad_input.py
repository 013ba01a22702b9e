"""Everything that is bad, in one run with what is good, from the players' topic to its end."""

import json
from collections import Counter
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain
from pathlib import Path

import pytest
from aiokafka import ConsumerRecord

from pop_stream.gstv.mock.ledger import LedgerEntry
from pop_stream.pop.identity import fallback_pop_id, notification_id
from pop_stream.settings import Settings
from tests.integration.bad_items import CANARY, Header, Item, all_items, pop
from tests.support.account import Account, header_of
from tests.support.kafka import Outgoing
from tests.support.metrics import page_at, samples_of
from tests.support.trial import Trial

PARTITIONS = 4
NEIGHBOUR_ID = "017f22e2-79b0-7cc3-98c4-{:012x}"
#: The players' own headers, and what they may not write.
RESERVED = {"pop-id", "pop-attempt", "pop-not-before", "pop-first-failed-at", "pop-reason",
            "pop-status", "pop-error", "pop-origin", "pop-flags", "pop-redrives",
            "pop-replay", "pop-trimmed"}  # fmt: skip

Record = ConsumerRecord[bytes | None, bytes | None]


@dataclass(frozen=True)
class Sent:
    """An item that was sent, and where it stands."""

    item: Item
    pop_id: str
    origin: str


def with_neighbours() -> list[Item]:
    """Each item between two good events, all three on the same partition."""
    items = []
    for number, item in enumerate(all_items()):
        for side in (0, 1):
            pop_id = NEIGHBOUR_ID.format(2 * number + side)
            good = Item(
                name=f"beside {item.name}", value=pop(), headers=[("pop-id", pop_id.encode())]
            )
            items += [good] if side else [good, item]
    return items


def send(trial: Trial, items: list[Item]) -> None:
    """Send items in threes, each three to one partition."""
    trial.send([
        Outgoing(value=item.value, key=item.key, headers=item.headers,
                 partition=number // 3 % PARTITIONS)
        for number, item in enumerate(items)
    ])  # fmt: skip


def place_of_each(items: list[Item], account: Account) -> list[Sent]:
    """Find out where Kafka put each item: on a partition, records stand in the order of sending."""
    records = {(record.partition, record.offset): record for record in account.events}
    offsets: Counter[int] = Counter()
    sent = []
    for number, item in enumerate(items):
        partition = number // 3 % PARTITIONS
        record = records[partition, offsets[partition]]
        offsets[partition] += 1
        assert (record.key, record.value) == (item.key, item.value)
        own = header_of(record, "pop-id") if item.name.startswith("beside ") else None
        place = (record.topic, record.partition, record.offset)
        origin = "/".join(map(str, (*place, record.timestamp)))
        sent.append(Sent(item, own or fallback_pop_id(*place), origin))
    assert len(sent) == len(records)
    return sent


@pytest.mark.parametrize("refused", [0, 1])
def test_what_is_bad_goes_its_way_and_harms_nobody(
    refused: int, topics: Settings, tmp_path: Path
) -> None:
    """Each bad record becomes what the contract says; its neighbours, and the worker, do not mind.

    In one run GSTV takes everything at once; in the other it refuses each event once, so that all
    that is forwarded goes over the retry topic too.
    """
    trial = Trial(topics, tmp_path)
    items = with_neighbours()
    send(trial, items)
    rules = [{"when": {"nth": 1}, "then": {"status": 500}}] if refused else []
    with trial.gstv(rules) as gstv, trial.worker(gstv.url) as worker:
        account = trial.settle()
        metrics = page_at(worker.metrics_port)
        assert worker.leave() == 0

    sent = place_of_each(items, account)
    delivered = [each for each in sent if each.item.fault is None]
    quarantined = [each for each in sent if each.item.fault is not None]
    check_posts(delivered, account.entries, attempts=refused + 1)
    check_retries(delivered if refused else [], account)
    check_parked(quarantined, account)
    check_notifications(quarantined, account)
    check_counts(delivered, quarantined, metrics)
    assert worker.said("worker.aborted") == []
    assert CANARY not in worker.log
    assert CANARY not in metrics


def check_posts(delivered: list[Sent], entries: list[LedgerEntry], *, attempts: int) -> None:
    """GSTV was asked for each of these, so many times, with the right bytes, and for no other."""
    posts: dict[str, list[tuple[int, str]]] = {}
    for entry in entries:
        posts.setdefault(entry.id or "", []).append((entry.attempt or 0, entry.sha256))
    for each in delivered:
        body = each.item.value if each.item.body is None else each.item.body
        digest = sha256(body or b"").hexdigest()
        expected = [(number + 1, digest) for number in range(attempts)]
        assert posts.pop(each.pop_id) == expected, each.item.name
    assert posts == {}
    assert sum(entry.delivered for entry in entries) == len(delivered)


def check_retries(retried: list[Sent], account: Account) -> None:
    """The retry topic has each of these once, flagged, and no other."""
    records = by_pop_id(account.retries)
    for each in retried:
        record = records.pop(each.pop_id)
        check_travelled(each, record)
        assert header_of(record, "pop-attempt") == "1", each.item.name
        flags = header_of(record, "pop-flags")
        assert set(flags.split(",") if flags else ()) == each.item.flags, each.item.name
    assert records == {}


def check_parked(quarantined: list[Sent], account: Account) -> None:
    """The failure topic has each of these once, with the reason and no attempt, and no other."""
    records = by_pop_id(account.parked)
    for each in quarantined:
        record = records.pop(each.pop_id)
        check_travelled(each, record)
        assert header_of(record, "pop-reason") == f"quarantined:{each.item.fault}", each.item.name
        assert header_of(record, "pop-attempt") == "0", each.item.name
        assert header_of(record, "pop-not-before") is None
    assert records == {}


def check_travelled(each: Sent, record: Record) -> None:
    """Value, key and foreign headers are what they were; ours are ours alone, and tell nothing."""
    assert (record.key, record.value) == (each.item.key, each.item.value), each.item.name
    foreign: list[Header] = [h for h in each.item.headers if h[0] not in RESERVED]
    own = len(record.headers) - len(foreign)
    assert list(record.headers[own:]) == foreign, each.item.name
    ours = record.headers[:own]
    assert {name for name, _ in ours} <= RESERVED - {"pop-redrives", "pop-replay", "pop-trimmed"}
    assert len({name for name, _ in ours}) == len(ours)
    assert sum(len(name) + len(value) for name, value in ours) < 2_048
    assert not any(CANARY.encode() in value for _, value in ours), each.item.name
    assert header_of(record, "pop-origin") == each.origin


def check_notifications(quarantined: list[Sent], account: Account) -> None:
    """Each of these was told of once, in the owner's words, and no other."""
    records = by_pop_id(account.notifications)
    for each in quarantined:
        record = records.pop(each.pop_id)
        assert json.loads(record.value or b"") == {
            "id": notification_id(each.pop_id),
            "notificationType": "MEDIA_POP_FAILED",
            "status": "failure",
            "additionalInformation": "Failed to post POP",
        }
        assert [name for name, _ in record.headers] == ["pop-id"]
    assert records == {}


def check_counts(delivered: list[Sent], quarantined: list[Sent], metrics: str) -> None:
    """The worker's own figures agree with what is seen from outside."""
    counted = samples_of(metrics)
    completed = "events_completed_total"
    assert counted[completed, "delivered"] == len(delivered)
    assert counted[completed, "quarantined"] == len(quarantined)
    assert counted[completed, "failed"] == 0
    flags = Counter(chain.from_iterable(each.item.flags for each in delivered))
    flagged = "events_flagged_total"
    assert {key[1]: n for key, n in counted.items() if key[0] == flagged and n} == flags


def by_pop_id(records: list[Record]) -> dict[str, Record]:
    """Our records by the id that they tell; each must have another."""
    sorted_records = {header_of(record, "pop-id") or "": record for record in records}
    assert len(sorted_records) == len(records)
    return sorted_records
