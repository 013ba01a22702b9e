"""What becomes of events: delivered, retried, parked and told of."""

import json
import time
from hashlib import sha256
from pathlib import Path

import pytest
from confluent_kafka import Producer

from pop_stream import __version__
from pop_stream.pop.identity import notification_id
from pop_stream.settings import Settings
from tests.support.account import Account, by_id, header_of
from tests.support.commit_watch import commits_of, violations
from tests.support.eventually import eventually
from tests.support.kafka import Outgoing
from tests.support.metrics import page_at, samples_of
from tests.support.plays import event, events, pop_id_of, retry_of
from tests.support.trial import Trial
from tests.support.worker import FAUST_WORKER, WORKER

#: Takes what comes with the contract's headers, and refuses everything else for good.
_STRICT = [
    {
        "when": {
            "header": {
                "Content-Type": "application/json",
                "User-Agent": f"pop-stream/{__version__}",
                "X-Pop-Attempt": "1",
                "Idempotency-Key": {"glob": '"????????-????-7???-????-????????????"'},
            }
        },
        "then": {"status": 200},
    },
    {"then": {"status": 422}},
]


@pytest.mark.parametrize("argv", [WORKER, FAUST_WORKER], ids=["pop-stream", "faust"])
def test_every_event_is_delivered_once_as_it_is(
    argv: tuple[str, ...], topics: Settings, tmp_path: Path
) -> None:
    """GSTV gets each event once, byte for byte, with its headers; then all is committed."""
    trial = Trial(topics, tmp_path)
    trial.send(events(1000))
    with trial.gstv(_STRICT) as gstv, trial.worker(gstv.url, argv=argv) as worker:
        account = trial.settle()
        assert worker.leave() == 0
    account.assert_nothing_lost()
    assert account.duplicates == {}
    assert account.parked == account.retries == []
    assert {entry.attempt for entry in account.entries} == {1}
    assert all(sha256_of(account, entry.id) == entry.sha256 for entry in account.entries)
    assert sum(trial.committed().values()) == 1000
    assert violations(account, commits_of(trial.servers, topics.group)) == []


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
def test_events_that_players_compressed_are_delivered(
    codec: str, topics: Settings, tmp_path: Path
) -> None:
    """Without the codec's package one such batch ended every worker that came to it."""
    trial = Trial(topics, tmp_path)
    sent = events(100)
    producer = Producer({
        "bootstrap.servers": topics.kafka_bootstrap_servers,
        "compression.type": codec,
        "linger.ms": 100,
        "log_level": 0,
    })  # fmt: skip
    for each in sent:
        producer.produce(topics.events_topic, each.value, each.key, headers=list(each.headers))
    assert producer.flush(30) == 0
    with trial.gstv() as gstv, trial.worker(gstv.url):
        account = trial.settle()
    account.assert_nothing_lost()
    assert {entry.id for entry in account.entries} == set(map(pop_id_of, sent))


def test_ten_thousand_screens_make_no_series_of_their_own(topics: Settings, tmp_path: Path) -> None:
    """A network has more screens than a Prometheus could keep series for, times every metric."""
    trial = Trial(topics, tmp_path)
    trial.send(events(100, screens=2))
    with trial.gstv() as gstv, trial.worker(gstv.url) as worker:
        eventually(lambda: trial.delivered == 100, "the first are delivered")
        before = samples_of(page_at(worker.metrics_port))
        gstv.set_rules([{"when": {"share": [0, 0.1], "nth": "<=1"}, "then": {"status": 503}}])
        trial.send(events(10_000, screens=10_000))
        account = trial.settle()
        after = samples_of(page_at(worker.metrics_port))
    account.assert_nothing_lost()
    assert len({record.key for record in account.events}) == 10_000
    assert after["events_completed_total", "delivered"] >= 9_000
    assert after["delivery_attempts_total", "1", "server_error"] > 0
    # Partitions have a series each, from when they are looked at first.
    new = {key[0] for key in after.keys() - before.keys()}
    assert new <= {"partition_last_progress_timestamp_seconds"}
    assert len(after) < 1_000


def test_an_event_is_attempted_four_times_and_then_parked_and_told_of(
    topics: Settings, tmp_path: Path
) -> None:
    """After four refusals an event is parked as it came, with its trail, and told of once.

    Two workers share the stages, so everything that one needs to know must be in the records.
    """
    trial = Trial(topics, tmp_path)
    foreign = [("x-camera", b"\x00\xff"), ("pop-seq", b"17"), ("pop-attempt", b"999")]
    refused = event(1, filename="refused", headers=foreign)
    trial.send([refused, *events(20)])
    rules = [{"when": {"field": {"filename": "refused"}}, "then": {"status": 422}}]
    with (
        trial.gstv(rules) as gstv,
        trial.worker(gstv.url, stages="forward"),
        trial.worker(gstv.url, stages="retry,failure"),
    ):
        account = trial.settle()
    account.assert_nothing_lost()
    assert account.duplicates == {}
    assert attempts_of_event(account, refused) == [1, 2, 3, 4]

    (parked,) = account.parked
    assert (parked.key, parked.value) == (refused.key, refused.value)
    headers = dict(parked.headers)
    assert headers["x-camera"] == b"\x00\xff"
    assert headers["pop-seq"] == b"17"
    assert header_of(parked, "pop-id") == pop_id_of(refused)
    assert header_of(parked, "pop-attempt") == "4"
    assert header_of(parked, "pop-status") == "422"
    assert header_of(parked, "pop-reason") == "rejected"
    assert header_of(parked, "pop-not-before") is None
    origin = account.sent[pop_id_of(refused)]
    place = f"{origin.topic}/{origin.partition}/{origin.offset}/{origin.timestamp}"
    assert header_of(parked, "pop-origin") == place
    first_answer = min(e.answered_at or 0 for e in account.entries if e.id == pop_id_of(refused))
    assert int(header_of(parked, "pop-first-failed-at") or 0) >= int(first_answer * 1000)
    assert len(parked.headers) == len(headers)

    (notification,) = account.notifications
    assert json.loads(notification.value or b"") == {
        "id": notification_id(pop_id_of(refused)),
        "notificationType": "MEDIA_POP_FAILED",
        "status": "failure",
        "additionalInformation": "Failed to post POP",
    }
    assert notification.key == refused.key
    assert header_of(notification, "pop-id") == pop_id_of(refused)


def test_an_event_refused_twice_is_delivered_at_the_third_attempt(
    topics: Settings, tmp_path: Path
) -> None:
    """Each attempt waits for its time; the third is accepted, and nobody is told of a failure."""
    trial = Trial(topics, tmp_path)
    sent = events(100)
    trial.send(sent)
    # Not of all events: then GSTV would be down.
    rules = [{"when": {"nth": "<=2", "share": [0, 0.3]}, "then": {"status": 503}}]
    with trial.gstv(rules) as gstv, trial.worker(gstv.url):
        account = trial.settle()
    account.assert_nothing_lost()
    assert account.duplicates == {}
    assert account.parked == []
    arrived = {(entry.id, entry.attempt): entry.received_at for entry in account.entries}
    retries = by_id(account.retries)
    assert retries
    for one in [one for one in sent if pop_id_of(one) in retries]:
        assert attempts_of_event(account, one) == [1, 2, 3]
        first, second = retries[pop_id_of(one)]
        assert (header_of(first, "pop-attempt"), header_of(second, "pop-attempt")) == ("1", "2")
        for record, attempt in ((first, 2), (second, 3)):
            not_before = int(header_of(record, "pop-not-before") or 0) / 1000
            assert arrived[pop_id_of(one), attempt] >= not_before


def test_an_event_that_is_due_does_not_wait_behind_one_that_is_not(
    topics: Settings, tmp_path: Path
) -> None:
    """On one partition of the retry topic, the later record is delivered hours before the first."""
    trial = Trial(topics, tmp_path)
    late = retry_of(event(0), not_before=time.time() + 3600)
    due = [retry_of(event(number), not_before=time.time()) for number in range(1, 10)]
    trial.send([late, *due], topic=topics.retry_topic)
    # Nobody has worked yet, whatever stands on the retry topic.
    begin = {"start_without_commit": "earliest"}
    with trial.gstv() as gstv, trial.worker(gstv.url, **begin) as worker:
        eventually(lambda: trial.delivered == len(due), "those that are due are delivered")
        assert worker.leave() == 0
    assert {entry.id for entry in trial.entries} == {pop_id_of(one) for one in due}
    # The one that waits is not passed: it is read again by the next worker.
    assert trial.committed().get((topics.retry_topic, 0), 0) == 0


def sha256_of(account: Account, pop_id: str | None) -> str:
    """The hash of an event's body as its player sent it."""
    return sha256(account.sent[pop_id or ""].value or b"").hexdigest()


def attempts_of_event(account: Account, sent: Outgoing) -> list[int | None]:
    """The numbers of the attempts that GSTV saw, in the order in which they came."""
    pop_id = pop_id_of(sent)
    mine = [entry for entry in account.entries if entry.id == pop_id]
    return [entry.attempt for entry in sorted(mine, key=lambda entry: entry.received_at)]
