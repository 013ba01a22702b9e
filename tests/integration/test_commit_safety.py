"""The one guarantee, watched by somebody else: no offset is committed before its event is safe.

Kafka's own history of commits is laid beside the mock GSTV's ledger and the topics. A stock Faust
forwarder under the same watch is caught, so the watch can see what it looks for.
"""

from dataclasses import replace
from pathlib import Path

from pop_stream.settings import Settings
from tests.support.account import by_id
from tests.support.commit_watch import commits_of, violations
from tests.support.eventually import eventually
from tests.support.figures import show
from tests.support.plays import events
from tests.support.stock_faust import running_stock_faust
from tests.support.trial import Trial

_SLOW = {"delay": [0, 0.3]}
#: Answers in disorder; a tenth refused for good, a fifth refused twice.
_DISORDER = [
    {"when": {"share": 0.1}, "then": _SLOW | {"status": 422}},
    {"when": {"share": [0.1, 0.3], "nth": "<=2"}, "then": _SLOW | {"status": 503}},
    {"then": _SLOW},
]
#: The same without an event that is refused for good: the control has nowhere to put it.
_DISORDER_FOR_CONTROL = [
    {"when": {"share": [0.1, 0.3], "nth": "<=2"}, "then": _SLOW | {"status": 503}},
    {"then": _SLOW},
]


def test_no_offset_is_committed_before_its_event_is_safe(topics: Settings, tmp_path: Path) -> None:
    """Under disorder, every commit there ever was passes only events that were safe by then."""
    trial = Trial(topics, tmp_path)
    trial.send(events(2000))
    with (
        trial.gstv(_DISORDER, own_process=True) as gstv,
        trial.worker(gstv.url, gstv_max_in_flight=200),
    ):
        account = trial.settle()
    account.assert_nothing_lost()
    commits = commits_of(trial.servers, topics.group)
    assert violations(account, commits) == []
    show(f"{len(account.events)} events, {len(commits)} commits, 0 violations")

    # It was no walk-over: commits came in between, and events went all ways.
    assert len({commit.at_ms for commit in commits}) > 20
    assert len(account.parked) > 100
    assert len(account.retries) > 500
    # And the watch would have seen a single event that is missing.
    missed = next(iter(account.delivered.keys() - by_id(account.retries).keys()))
    entries = [entry for entry in account.entries if entry.id != missed]
    assert len(violations(replace(account, entries=entries), commits)) == 1


def test_the_watch_catches_stock_faust(topics: Settings, tmp_path: Path) -> None:
    """Stock Faust commits past events that GSTV does not have yet, although used with care."""
    trial = Trial(topics, tmp_path)
    trial.send(events(2000))
    with (
        trial.gstv(_DISORDER_FOR_CONTROL, own_process=True) as gstv,
        running_stock_faust(topics, gstv.url, tmp_path / "stock.log"),
    ):
        eventually(lambda: trial.delivered == 2000, "all events are delivered")
        account = trial.account()
        commits = commits_of(trial.servers, topics.group)
    caught = violations(account, commits)
    show(f"stock Faust: {len(caught)} violations in {len(commits)} commits")
    assert caught
