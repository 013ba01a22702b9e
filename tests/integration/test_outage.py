"""GSTV is away, or takes nobody's events for a while: they wait, and no attempt is spent on it."""

from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

from pop_stream.settings import Settings
from tests.support.account import Account
from tests.support.eventually import eventually
from tests.support.plays import event, events
from tests.support.silence import swallowing_connections
from tests.support.trial import Trial
from tests.support.worker import Worker


def test_events_wait_while_connections_are_refused(topics: Settings, tmp_path: Path) -> None:
    """GSTV goes away and comes back: what came meanwhile is delivered at its first attempt."""
    trial = Trial(topics, tmp_path)
    with ExitStack() as stack:
        with trial.gstv() as gstv:
            worker = stack.enter_context(trial.worker(gstv.url))
            trial.send(events(100))
            trial.settle()
        trial.send(events(300))
        _wait_for_probes(worker)
        stack.enter_context(trial.gstv(port=gstv.port))
        _assert_held(trial.settle())


def test_events_wait_while_connections_hang(topics: Settings, tmp_path: Path) -> None:
    """A firewall swallows the connections: the events wait, those too that wait for a connection.

    The client makes 64 connections at once, so with more in flight some never try one.
    """
    trial = Trial(topics, tmp_path)
    impatient = {"gstv_connect_timeout_seconds": 1, "gstv_timeout_seconds": 1.5}
    trial.send(events(300))
    with ExitStack() as stack:
        with swallowing_connections() as port:
            url = f"http://127.0.0.1:{port}"
            worker = stack.enter_context(trial.worker(url, gstv_max_in_flight=300, **impatient))
            _wait_for_probes(worker)
        stack.enter_context(trial.gstv(port=port))
        _assert_held(trial.settle())


def test_events_wait_while_credentials_are_wrong(topics: Settings, tmp_path: Path) -> None:
    """A 401 holds everything, with few attempts, until it is mended."""
    trial = Trial(topics, tmp_path)
    trial.send(events(300))
    with trial.gstv([{"then": {"status": 401}}]) as gstv, trial.worker(gstv.url) as worker:
        _wait_for_probes(worker)
        gstv.set_rules([])
        account = trial.settle()
    _assert_held(account)
    # What was in flight when it began, and a few probes.
    assert sum(not entry.delivered for entry in account.entries) < 64 + 10


def test_events_wait_as_long_as_gstv_asks(topics: Settings, tmp_path: Path) -> None:
    """After a 429 or 503 with Retry-After: 1, the next attempt of any event is a second away."""
    trial = Trial(topics, tmp_path)
    trial.send([event(0), event(1, filename="429"), event(2, filename="503"), *events(20)])
    rules = [
        {
            "when": {"nth": 1, "field": {"filename": str(status)}},
            "then": {"status": status, "retry_after": 1},
        }
        for status in (429, 503)
    ]
    with trial.gstv(rules) as gstv, trial.worker(gstv.url, gstv_max_in_flight=1):
        account = trial.settle()
    _assert_held(account)
    entries = sorted(account.entries, key=lambda entry: entry.received_at)
    waits = {
        entry.status: following.received_at - (entry.answered_at or 0)
        for entry, following in pairwise(entries)
        if not entry.delivered
    }
    assert waits.keys() == {429, 503}
    assert min(waits.values()) >= 1


def _wait_for_probes(worker: Worker) -> None:
    """Wait until the worker has noticed, has tried again, and was no luckier."""
    eventually(lambda: len(worker.said("delivery.held")) > 1, "events are held")


def _assert_held(account: Account) -> None:
    account.assert_nothing_lost()
    assert account.duplicates == {}
    assert account.retries == account.parked == []
    assert {entry.attempt for entry in account.entries} == {1}
