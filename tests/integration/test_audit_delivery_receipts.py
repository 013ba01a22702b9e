"""Analysts prove deliveries by the workers' receipts, on a real Kafka."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from pop_stream.pop.receipt import encode_receipt, receipt_of
from pop_stream.settings import Settings
from tests.integration.test_audit import account, audit
from tests.integration.test_delivery_receipts import delete_topic
from tests.integration.test_explain import explain, told
from tests.support.commits import commit, delete_below
from tests.support.eventually import eventually
from tests.support.kafka import Outgoing
from tests.support.plays import event, events, pop_id_of
from tests.support.trial import Trial

_RULES = [
    {"when": {"field": {"filename": "down"}}, "then": {"status": 500}},
    {"when": {"field": {"filename": "once"}, "nth": 1}, "then": {"status": 500}},
]


@pytest.fixture
def receipts_are_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands are told so as workers are."""
    monkeypatch.setenv("POP_STREAM_RECEIPTS", "on")


def receipted(topics: Settings, sent: dict[int, Outgoing], **told: Any) -> Outgoing:
    """A receipt of events at offsets of partition 0, as a worker writes it."""
    given = {"group": topics.group, "topic": topics.events_topic, "partition": 0} | told
    receipt = receipt_of(
        [(offset, pop_id_of(one), 1_790_000_000_000, 1) for offset, one in sent.items()],
        worker="0.1.0", **given,
    )  # fmt: skip
    return Outgoing(value=encode_receipt(receipt))


def test_a_days_work_is_proven_by_its_receipts(topics: Settings, tmp_path: Path) -> None:
    """Delivered at once or later; parked is parked. And a life tells when it was delivered."""
    trial = Trial(topics, tmp_path)
    once, down = event(0, filename="once"), event(1, filename="down")
    trial.send([once, down, *events(60)[2:]])
    quick = {"retry_backoff_seconds": "0.05", "receipts": "on"}
    with trial.gstv(_RULES) as gstv, trial.worker(gstv.url, **quick) as worker:
        eventually(lambda: trial.records(topics.notification_topic) == 1, "one is notified")
        trial.settle()
        assert worker.leave() == 0
    found = account(topics)

    assert found["outcomes"] == {"delivered": 59, "parked": 1}
    proof = found["deliveryReceipts"]
    assert (proof["proven"], proof["withoutReceipt"], proof["notNeeded"]) == (59, 0, 0)
    page = audit(topics).stdout
    assert "59 of 59 delivered are proven by a delivery receipt\n" in page
    assert "what is delivered, the workers' receipts tell" in page

    lives = told(explain(topics, pop_id_of(once), pop_id_of(down), "--json"))
    assert [one["attempts"] for one in lives[pop_id_of(once)]["receipts"]] == [2]
    assert lives[pop_id_of(once)]["copies"][0]["now"].endswith("as attempt 2.")
    assert lives[pop_id_of(down)]["receipts"] == []

    _a_commit_that_was_moved_by_hand_has_no_receipt(topics, trial)
    _a_delivery_is_told_of_when_its_event_is_kept_no_more(topics, pop_id_of(once))


def _a_commit_that_was_moved_by_hand_has_no_receipt(topics: Settings, trial: Trial) -> None:
    """It is found without GSTV's side; before the next receipt, only where receipts are on."""
    end = trial.committed()[topics.events_topic, 3]
    trial.send([event(1000 + n, partition=3) for n in range(3)])
    commit(topics, topics.events_topic, {3: end + 3})
    assert account(topics)["deliveryReceipts"]["notNeeded"] == 3

    trial.send([receipted(topics, {})], topic=topics.receipts_topic)
    found = account(topics, code=1)
    assert not found["holds"]
    assert found["outcomes"] == {"delivered": 62, "parked": 1}
    assert found["deliveryReceipts"]["withoutReceipt"] == 3
    assert found["deliveryReceipts"]["ranges"] == [{"partition": 3, "begin": end, "end": end + 3}]
    assert f"NO RECEIPT: partition 3, offsets {end} to {end + 2}: " in audit(topics).stdout


def _a_delivery_is_told_of_when_its_event_is_kept_no_more(topics: Settings, pop_id: str) -> None:
    """Receipts are kept for longer."""
    for topic in (topics.events_topic, topics.retry_topic):
        delete_below(topics, topic, dict.fromkeys(range(4), -1))
    done = explain(topics, pop_id)

    assert done.returncode == 0
    assert "delivered, as attempt 2: its receipt" in done.stdout
    assert "Its records are kept no more" in done.stdout


@pytest.mark.usefixtures("receipts_are_on")
def test_where_receipts_are_on_the_last_deliveries_need_them_too(
    topics: Settings, tmp_path: Path
) -> None:
    """From the first receipt of the group on; others' receipts, and what is none, prove nothing."""
    trial = Trial(topics, tmp_path)
    before, after = (
        [event(n, partition=0) for n in range(2)],
        [event(n, partition=0) for n in range(2, 6)],
    )
    trial.send(before)
    trial.send([receipted(topics, {})], topic=topics.receipts_topic)
    trial.send(after)
    commit(topics, topics.events_topic, {0: 6})
    trial.send(
        [
            receipted(topics, {2: after[0], 3: after[0]}),
            receipted(topics, {4: after[2]}, group="staging"),
            receipted(topics, {5: after[3]}, topic="pop-other"),
            Outgoing(value=b"{}"),
        ],
        topic=topics.receipts_topic,
    )
    proof = account(topics, code=1)["deliveryReceipts"]

    assert (proof["proven"], proof["notNeeded"], proof["withoutReceipt"]) == (1, 2, 3)
    assert proof["ranges"] == [{"partition": 0, "begin": 3, "end": 6}]
    assert proof["unreadable"] == 1
    trial.send([receipted(topics, {3: after[1], 4: after[2], 5: after[3]})],
               topic=topics.receipts_topic)  # fmt: skip
    assert account(topics)["deliveryReceipts"]["proven"] == 4


def test_without_receipts_an_audit_says_nothing_of_them(
    topics: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor does it need the topic; where receipts are on, it does."""
    trial = Trial(topics, tmp_path)
    trial.send([event(n, partition=0) for n in range(3)])
    commit(topics, topics.events_topic, {0: 3})
    assert account(topics)["deliveryReceipts"] is None
    asyncio.run(delete_topic(topics, topics.receipts_topic))
    assert account(topics)["deliveryReceipts"] is None
    assert explain(topics, pop_id_of(event(9))).returncode == 1

    monkeypatch.setenv("POP_STREAM_RECEIPTS", "on")
    done = audit(topics)
    assert done.returncode == 1
    assert f"no such topic: {topics.receipts_topic}" in done.stderr
