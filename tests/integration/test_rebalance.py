"""Workers join, leave, die and come back from the dead, while events keep coming."""

import time
from contextlib import ExitStack
from pathlib import Path

from pop_stream.settings import Settings
from tests.support.account import Account
from tests.support.commit_watch import commits_of, violations
from tests.support.eventually import eventually
from tests.support.figures import show
from tests.support.plays import event, retry_of
from tests.support.trial import Trial

_RATE = 300
_LOAD = {"then": {"delay": [0, 0.05]}}


def test_workers_join_and_leave_under_load(topics: Settings, tmp_path: Path) -> None:
    """Over four orderly rebalances no event is lost, and none is delivered twice."""
    trial = Trial(topics, tmp_path)
    # Committing nearly all the time, so that a rebalance often comes amid a commit.
    restless = {"commit_interval_seconds": 0.02}
    with ExitStack() as stack:
        gstv = stack.enter_context(trial.gstv([_LOAD], own_process=True))
        old = stack.enter_context(trial.worker(gstv.url, **restless))
        trial.wait_for_members(1)
        with trial.feeding(events_per_second=_RATE):
            for _ in range(2):
                new = stack.enter_context(trial.worker(gstv.url, **restless))
                trial.wait_for_members(2)
                _go_on(trial)
                assert old.leave() == 0
                trial.wait_for_members(1)
                _go_on(trial)
                old = new
        account = trial.settle()
    _assert_sound(trial, account)
    assert account.duplicates == {}


def test_a_worker_dies_under_load(topics: Settings, tmp_path: Path) -> None:
    """Another takes its partitions over; twice comes only what was seen and not committed."""
    trial = Trial(topics, tmp_path)
    with ExitStack() as stack:
        rules = [{"when": {"share": 0.1, "nth": 1}, "then": {"status": 503}}, _LOAD]
        gstv = stack.enter_context(trial.gstv(rules, own_process=True))
        doomed = stack.enter_context(trial.worker(gstv.url))
        stack.enter_context(trial.worker(gstv.url))
        trial.wait_for_members(2)
        with trial.feeding(events_per_second=_RATE):
            _go_on(trial)
            kill = trial.note_kill(doomed.kill())
            trial.wait_for_members(1)
            _go_on(trial)
        account = trial.settle()
    _assert_sound(trial, account)
    account.assert_duplicates_explained([kill])


def test_a_worker_that_slept_does_no_harm(topics: Settings, tmp_path: Path) -> None:
    """A worker frozen until another took over wakes up, and commits nothing that is not safe."""
    trial = Trial(topics, tmp_path)
    with ExitStack() as stack:
        gstv = stack.enter_context(trial.gstv([_LOAD], own_process=True))
        sleeper = stack.enter_context(trial.worker(gstv.url))
        stack.enter_context(trial.worker(gstv.url))
        trial.wait_for_members(2)
        with trial.feeding(events_per_second=_RATE):
            _go_on(trial)
            sleeper.freeze()
            asleep = trial.note_kill(time.time())
            trial.wait_for_members(1)
            _go_on(trial)
            sleeper.thaw()
            trial.wait_for_members(2)
            _go_on(trial)
        account = trial.settle()
    _assert_sound(trial, account)
    # It may have fetched more than GSTV had seen of it, and goes on with that until Kafka tells
    # it that it was taken for dead.
    assert account.duplicates.keys() <= account.uncommitted_at(asleep)


def test_what_is_done_behind_a_waiting_retry_is_not_repeated(
    topics: Settings, tmp_path: Path
) -> None:
    """One event waits for its retry; those behind it are delivered once, whoever comes and goes."""
    trial = Trial(topics, tmp_path)
    waiting = retry_of(event(0), not_before=time.time() + 3600)
    due = [retry_of(event(number), not_before=time.time()) for number in range(1, 51)]
    trial.send([waiting, *due], topic=topics.retry_topic)
    with trial.gstv() as gstv:
        # Nobody has worked yet, whatever stands on the retry topic.
        with trial.worker(gstv.url, start_without_commit="earliest") as worker:
            eventually(lambda: trial.delivered == 50, "those that are due are delivered")
            assert worker.leave() == 0
        # What is read again stands before this one, and is attempted before it.
        last = retry_of(event(51), not_before=time.time())
        trial.send([last], topic=topics.retry_topic)
        with trial.worker(gstv.url):
            eventually(lambda: trial.has_delivered(last), "the last is delivered")
    assert trial.delivered == 51


def _go_on(trial: Trial) -> None:
    """Wait until deliveries have gone on for some more."""
    enough = trial.delivered + _RATE
    eventually(lambda: trial.delivered >= enough, f"{_RATE} more events are delivered")


def _assert_sound(trial: Trial, account: Account) -> None:
    """Nothing is lost, and nothing was committed too early."""
    account.assert_nothing_lost()
    assert violations(account, commits_of(trial.servers, trial.settings.group)) == []
    duplicates = sum(account.duplicates.values())
    show(f"{len(account.events)} events, 0 lost, {duplicates} delivered twice")
