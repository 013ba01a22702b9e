"""GSTV answers, and takes next to nothing: it is told whether events are bad, or GSTV is down."""

import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from pop_stream.settings import Settings
from tests.support.account import Account, id_of
from tests.support.eventually import eventually
from tests.support.kafka import fresh_settings
from tests.support.plays import events, pop_id_of
from tests.support.trial import Trial

#: Not the 30 s of the contract: a test has no time for that.
_PROBES = {"gstv_probe_seconds": 0.5, "gstv_probe_most_seconds": 1}
_SHOW = 15


@pytest.mark.parametrize(
    ("then", "reason"),
    [
        ({"status": 503}, "transient"),
        ({"status": 422}, "rejected"),
        ({"status": 404}, "misconfigured"),
    ],
)
def test_an_outage_parks_nothing_and_spends_few_attempts(
    then: dict[str, object], reason: str, topics: Settings, tmp_path: Path
) -> None:
    """All fails for a while: all is held, one event at a time probes, and then all is delivered."""
    trial = Trial(topics, tmp_path)
    trial.send(events(3000))
    with trial.gstv([{"then": then}]) as gstv, trial.worker(gstv.url, **_PROBES) as worker:
        eventually(lambda: len(worker.said("delivery.held")) >= 4, "three failed probes")
        held = worker.said("delivery.held")
        gstv.set_rules([])
        account = trial.settle()
        probes = len(worker.said("delivery.held")) - 1
        assert worker.leave() == 0

    account.assert_nothing_lost()
    assert account.parked == []
    assert account.duplicates == {}
    assert len(account.delivered) == 3000
    assert {line["reason"] for line in held} == {reason}
    # What showed it, and a probe now and then; what was under way besides did not count.
    assert len(account.retries) <= _SHOW + probes
    assert sum(not entry.delivered for entry in account.entries) <= 64 + probes


def test_a_404_on_single_events_is_their_own_matter(topics: Settings, tmp_path: Path) -> None:
    """They go over the retry topic and are parked as rejected; nothing is held."""
    trial = Trial(topics, tmp_path)
    trial.send(events(400))
    rules = [{"when": {"share": [0, 0.05]}, "then": {"status": 404}}]
    with trial.gstv(rules) as gstv, trial.worker(gstv.url) as worker:
        account = trial.settle()
        assert worker.leave() == 0

    account.assert_nothing_lost()
    assert account.parked
    assert {_attempts(account, id_of(record)) for record in account.parked} == {4}
    assert worker.said("delivery.held") == []


def test_a_partner_that_wants_fewer_events_gets_fewer(topics: Settings, tmp_path: Path) -> None:
    """It answers 429 above 300 a second: hardly any is asked for beyond that, and none is spent."""
    trial = Trial(topics, tmp_path)
    trial.send(events(3000))
    rules = [{"when": {"above_per_second": 300}, "then": {"status": 429}}]
    with trial.gstv(rules) as gstv, trial.worker(gstv.url) as worker:
        account = trial.settle()
        assert worker.leave() == 0

    account.assert_nothing_lost()
    assert account.retries == account.parked == []
    assert account.duplicates == {}
    assert {entry.attempt for entry in account.entries} == {1}
    refused = [entry for entry in account.entries if not entry.delivered]
    assert refused
    # The first burst, before anything is known, and now and then one that asks for more.
    assert len(refused) <= 64 + 100


def test_a_rate_limit_is_shared_by_all_workers(topics: Settings, tmp_path: Path) -> None:
    """Two workers together keep to it, from the first event to the last.

    Not told by a partner that answers 429 above it: on a busy machine it is the partner that stands
    still for a while, and then reads in one moment what came over many.
    """
    trial = Trial(topics, tmp_path)
    with (
        trial.gstv() as gstv,
        trial.worker(gstv.url, gstv_rate_limit=300),
        trial.worker(gstv.url, gstv_rate_limit=300),
    ):
        trial.wait_for_members(2)
        trial.send(events(1500))
        account = trial.settle()

    account.assert_nothing_lost()
    assert len(account.delivered) == 1500
    received = sorted(entry.received_at for entry in account.entries)
    # 600 a second, were the limit each worker's own.
    assert 1500 / (received[-1] - received[0]) < 400


def test_in_screen_order_retries_hold_only_their_own_screen(
    topics: Settings, tmp_path: Path
) -> None:
    """A third of the events fails twice: each screen's are delivered in the order of playing."""
    trial = Trial(topics, tmp_path)
    sent = events(600)
    trial.send(sent)
    rules = [{"when": {"share": [0, 0.3], "nth": "<=2"}, "then": {"status": 500}},
             {"then": {"delay": [0, 0.02]}}]  # fmt: skip
    with trial.gstv(rules) as gstv, trial.worker(gstv.url, order="screen") as worker:
        account = trial.settle()
        assert worker.leave() == 0

    account.assert_nothing_lost()
    assert account.retries == account.parked == []
    assert account.duplicates == {}
    wanted, seen = defaultdict(list), defaultdict(list)
    screens = {pop_id_of(one): one.key for one in sent}
    for one in sent:
        wanted[one.key].append(pop_id_of(one))
    for entry in sorted(account.entries, key=lambda entry: entry.received_at):
        if entry.delivered:
            seen[screens[entry.id or ""]].append(entry.id)
    assert seen == wanted


def test_status_says_what_is_going_on(topics: Settings, tmp_path: Path) -> None:
    """GSTV is down: why, the backlog, and that it stands still."""
    trial = Trial(topics, tmp_path)
    trial.send(events(500))
    with trial.gstv([{"then": {"status": 401}}]) as gstv, trial.worker(gstv.url) as worker:
        worker.wait_until_it_says("delivery.held")
        told = _status(topics, worker.metrics_port)

    assert told["worker"]["work"]["held"]["reason"] == "misconfigured"
    assert told["worker"]["group"] == topics.group
    assert told["backlog_events"] == 500
    assert told["finished_per_second"] == 0
    assert told["drained_in_seconds"] is None


def test_status_of_topics_that_are_missing_says_what_to_do(kafka: str) -> None:
    """It does not take a topic that is not there for one that is empty."""
    settings = fresh_settings(kafka)
    done = _run_status(settings, 1)

    assert done.returncode == 1
    assert settings.events_topic in done.stderr
    assert "pop-stream topics ensure" in done.stderr


def _status(settings: Settings, port: int) -> dict[str, object]:
    done = _run_status(settings, port)
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    return found


def _run_status(settings: Settings, port: int) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            sys.executable, "-m", "pop_stream", "status", "--json", "--sample-seconds", "0.5",
            "--kafka-bootstrap-servers", settings.kafka_bootstrap_servers,
            "--events-topic", settings.events_topic, "--retry-topic", settings.retry_topic,
            "--group", settings.group, "--metrics-port", str(port),
        ],
        check=False, capture_output=True, text=True,
    )  # fmt: skip


def _attempts(account: Account, pop_id: str) -> int:
    return sum(entry.id == pop_id for entry in account.entries)
