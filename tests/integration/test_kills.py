"""`kill -9` at five points of an event's way: the next worker loses nothing, and repeats little.

Each point is reached by real means, and seen from outside before the worker is killed.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from pop_stream.settings import Settings
from tests.support.account import Account, Kill, id_of
from tests.support.commit_watch import commits_of, violations
from tests.support.eventually import eventually
from tests.support.kafka import Outgoing
from tests.support.plays import event, events, pop_id_of
from tests.support.silence import swallowing_connections
from tests.support.trial import Trial
from tests.support.worker import Worker

_ENDLESS = {"delay": 300}
_SLOW = {"when": {"field": {"filename": "slow"}}, "then": _ENDLESS}

#: Longer than a worker of these tests lives, and they finish fewer events than make it commit.
_NO_COMMIT = 600


def test_killed_before_a_post(topics: Settings, tmp_path: Path) -> None:
    """Events that were taken, and wait for a connection, are delivered once, by the next worker."""
    trial = Trial(topics, tmp_path)
    trial.send(events(300))
    with swallowing_connections() as port:
        url = f"http://127.0.0.1:{port}"
        with trial.worker(url, gstv_connect_timeout_seconds=0.5) as worker:
            worker.wait_until_it_says("delivery.held")
            kill = trial.note_kill(worker.kill())
    with trial.gstv(port=port), trial.worker(url):
        account = trial.settle()
    assert _judge(trial, account, kill) == 0
    assert len(account.entries) == 300


def test_killed_while_posts_are_in_flight(topics: Settings, tmp_path: Path) -> None:
    """Events whose POST was cut off are POSTed again, under the same id."""
    trial = Trial(topics, tmp_path)
    trial.send(events(300))
    with trial.gstv([{"then": _ENDLESS}]) as gstv:
        with trial.worker(gstv.url) as worker:
            eventually(lambda: gstv.stats()["delayed"] == 16, "all that may be is in flight")
            kill = trial.note_kill(worker.kill())
        gstv.set_rules([])
        with trial.worker(gstv.url):
            account = trial.settle()
    assert _judge(trial, account, kill) == 0
    seen = Counter(entry.id for entry in account.entries)
    # As many as at first: GSTV has to answer before there are more.
    assert sum(times == 2 for times in seen.values()) == 16
    assert {entry.attempt for entry in account.entries} == {1}


def test_killed_after_the_answer_and_before_the_commit(topics: Settings, tmp_path: Path) -> None:
    """Delivered and uncommitted events come again: those, and no others."""
    trial = Trial(topics, tmp_path)
    trial.send([*_heads(), *events(200)])
    with trial.gstv([_SLOW]) as gstv:
        with trial.worker(gstv.url, commit_interval_seconds=_NO_COMMIT) as worker:
            eventually(lambda: trial.delivered == 200, "all but the heads are delivered")
            kill = trial.note_kill(worker.kill())
        assert sum(kill.committed.values()) == 0
        gstv.set_rules([])
        with trial.worker(gstv.url):
            account = trial.settle()
    assert _judge(trial, account, kill) == 200


def test_killed_amid_hand_offs_to_the_retry_topic(topics: Settings, tmp_path: Path) -> None:
    """A hand-off that was not confirmed is made up for; one that was not committed repeats."""
    trial = Trial(topics, tmp_path)
    confirmed, unconfirmed = events(50, screens=2), events(50, screens=2)
    with trial.gstv([_SLOW, {"then": {"status": 503}}]) as gstv:
        # They wait long enough for none of them to be retried before the kill.
        with trial.worker(
            gstv.url, retry_backoff_seconds=5, commit_interval_seconds=_NO_COMMIT
        ) as worker:
            trial.wait_for_members(1)
            trial.send([*_heads(), *confirmed])
            eventually(lambda: trial.records(topics.retry_topic) == 50, "half are handed off")
            with trial.unwritable(topics.retry_topic):
                trial.send(unconfirmed)
                _wait_for_unconfirmed(worker, topics.retry_topic, len(unconfirmed))
                kill = trial.note_kill(worker.kill())
        assert sum(kill.committed.values()) == 0
        gstv.set_rules([])
        with trial.worker(gstv.url):
            account = trial.settle()
    # Both the event and its record on the retry topic are there, and both are delivered.
    assert _judge(trial, account, kill) == 50
    assert account.duplicates.keys() == {pop_id_of(one) for one in confirmed}


def test_killed_amid_hand_offs_to_the_failure_topic_and_notifications(
    topics: Settings, tmp_path: Path
) -> None:
    """Each event that GSTV refuses is parked once and told of once, whenever the worker dies."""
    trial = Trial(topics, tmp_path)
    untold, unparked = events(50, screens=2), events(50, screens=2)
    with trial.gstv([{"then": {"status": 422}}]) as gstv:
        with trial.worker(gstv.url, retries=0) as worker:
            trial.wait_for_members(1)
            with trial.unwritable(topics.notification_topic):
                trial.send(untold)
                _wait_for_unconfirmed(worker, topics.notification_topic, len(untold))
                with trial.unwritable(topics.failure_topic):
                    trial.send(unparked)
                    _wait_for_unconfirmed(worker, topics.failure_topic, len(unparked))
                    kill = trial.note_kill(worker.kill())
        with trial.worker(gstv.url, retries=0):
            account = trial.settle()
    assert _judge(trial, account, kill) == 0
    assert Counter(map(id_of, account.parked)) == Counter(map(pop_id_of, [*untold, *unparked]))
    assert len(account.notifications) == 100


def _heads() -> Sequence[Outgoing]:
    """For each partition an event that stays in flight, so that nothing behind it is committed."""
    return [event(number, filename="slow", partition=number) for number in range(4)]


def _wait_for_unconfirmed(worker: Worker, topic: str, count: int) -> None:
    """Wait until so many events are amid a hand-off to a topic that refuses them."""

    def refused() -> set[str]:
        # A line without an id is of several that were tried together first.
        said = [line for line in worker.said("handoff.unconfirmed") if "pop_id" in line]
        return {line["pop_id"] for line in said if line["topic"] == topic}

    eventually(lambda: len(refused()) == count, f"{count} hand-offs to {topic} are refused")


def _judge(trial: Trial, account: Account, kill: Kill) -> int:
    """Nothing is lost, nothing was committed too early; how many deliveries were too many."""
    account.assert_nothing_lost()
    commits = commits_of(trial.servers, trial.settings.group)
    assert violations(account, commits) == []
    return account.assert_duplicates_explained([kill])
