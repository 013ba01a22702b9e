"""What GSTV failed for a while is sent back by itself, until GSTV has it."""

import os
import subprocess
import sys
from pathlib import Path

from pop_stream.settings import Settings
from tests.support.account import attempts_of, header_of, id_of
from tests.support.eventually import eventually
from tests.support.plays import event, events, pop_id_of
from tests.support.trial import Trial

_FAILS = {"when": {"field": {"filename": "down"}}, "then": {"status": 500}}
_REFUSED = {"when": {"field": {"filename": "refused"}}, "then": {"status": 422}}


def test_parked_events_are_redriven_until_gstv_has_them(topics: Settings, tmp_path: Path) -> None:
    """Failed, parked, told of once, redriven, failed again, redriven again, delivered.

    What GSTV rejects, and what is no event, stays parked.
    """
    trial = Trial(topics, tmp_path)
    failing = [event(n, filename="down") for n in range(3)]
    refused = event(3, filename="refused")
    trial.send([*failing, refused, *events(20)[4:]])
    quick = {"auto_redrive": "1s,2s", "retry_backoff_seconds": "0.05"}
    with trial.gstv([_FAILS, _REFUSED]) as gstv, trial.worker(gstv.url, **quick) as worker:
        eventually(
            lambda: trial.records(topics.failure_topic) >= 4 + 3 + 3, "each was redriven twice"
        )
        gstv.set_rules([_REFUSED])
        eventually(lambda: all(map(trial.has_delivered, failing)), "the rest is delivered")
        account = trial.settle()
        assert worker.said("failure.redriven")
    account.assert_nothing_lost()
    assert account.duplicates == {}
    assert len(account.notifications) == len({id_of(record) for record in account.parked}) == 4
    for sent in (*failing, refused):
        mine = [r for r in account.parked if r.value == sent.value]
        redrives = [int(header_of(record, "pop-redrives") or 0) for record in mine]
        assert redrives == ([0] if sent is refused else list(range(len(mine))))
        # Each redrive is one attempt more, under the same id and with the same origin.
        assert [attempts_of(record) for record in mine] == [4 + n for n in redrives]
        assert len({(id_of(r), header_of(r, "pop-origin")) for r in mine}) == 1


def test_nothing_is_redriven_while_gstv_takes_nothing(topics: Settings, tmp_path: Path) -> None:
    """Parked events wait for GSTV to be well: only then are they sent back, and delivered."""
    trial = Trial(topics, tmp_path)
    failing = [event(n, filename="down") for n in range(3)]
    probing = {"gstv_probe_seconds": 0.5, "gstv_probe_most_seconds": 0.5}
    quick = {"auto_redrive": "2s", "retry_backoff_seconds": "0.05", **probing}
    locked = {"then": {"status": 401}}
    trial.send([*failing, *events(20)[3:]])
    with trial.gstv([_FAILS]) as gstv, trial.worker(gstv.url, **quick) as worker:
        eventually(lambda: trial.records(topics.failure_topic) == 3, "they are parked")
        gstv.set_rules([locked])
        trial.send(events(30)[20:])
        worker.wait_until_it_says("delivery.held")
        retried = trial.records(topics.retry_topic)
        tried = len(trial.entries)
        # By then they have been due for seconds.
        eventually(lambda: len(trial.entries) >= tried + 9, "some probes were made")
        assert trial.records(topics.retry_topic) == retried
        gstv.set_rules([])
        eventually(lambda: all(map(trial.has_delivered, failing)), "they are delivered")
        account = trial.settle()
    account.assert_nothing_lost()
    assert len(account.notifications) == 3


def test_what_a_person_has_settled_is_sent_back_no_more(topics: Settings, tmp_path: Path) -> None:
    """It stays where it is, before one of the same screen that is sent back and delivered."""
    trial = Trial(topics, tmp_path)
    settled, other = (event(n, screens=1, filename="down") for n in range(2))
    trial.send([settled, other, *events(20)[2:]])
    quick = {"auto_redrive": "8s", "retry_backoff_seconds": "0.05"}
    with trial.gstv([_FAILS]) as gstv, trial.worker(gstv.url, **quick):
        eventually(lambda: trial.records(topics.failure_topic) == 2, "both are parked")
        done = _settle(topics, pop_id_of(settled))
        assert (done.returncode, done.stderr) == (0, "1 event marked as settled.\n")
        gstv.set_rules([])
        eventually(lambda: trial.has_delivered(other), "the other is delivered")
        account = trial.account()
    assert not trial.has_delivered(settled)
    assert sum(id_of(record) == pop_id_of(settled) for record in account.parked) == 1
    mine = [header_of(r, "pop-redrives") for r in account.retries if id_of(r) == pop_id_of(settled)]
    assert set(mine) == {None}


def test_what_was_refused_is_sent_back_once_that_is_asked_for(
    topics: Settings, tmp_path: Path
) -> None:
    """Also what was parked long before: its offset was passed over for another reason only."""
    trial = Trial(topics, tmp_path)
    refused, failing = event(0, filename="refused"), event(1, filename="down")
    trial.send([refused, failing, *events(20)[2:]])
    quick = {"auto_redrive": "1s", "retry_backoff_seconds": "0.05"}
    with trial.gstv([_REFUSED, _FAILS]) as gstv:
        with trial.worker(gstv.url, **quick) as worker:
            eventually(lambda: trial.records(topics.failure_topic) >= 2, "both are parked")
            gstv.set_rules([])
            eventually(lambda: trial.has_delivered(failing), "what failed is sent back")
            # Killed before both are committed, the next worker would rightly send it once more.
            worker.wait_until_it_says("failure.redriven")
            trial.settle()
        assert not trial.has_delivered(refused)
        with trial.worker(gstv.url, **quick, auto_redrive_reasons="transient,rejected"):
            eventually(lambda: trial.has_delivered(refused), "what was refused is, too")
            account = trial.settle()
    account.assert_nothing_lost()
    assert account.duplicates == {}


def _settle(settings: Settings, pop_id: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {
        "POP_STREAM_KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
        "POP_STREAM_SETTLED_TOPIC": settings.settled_topic,
    }
    command = [sys.executable, "-m", "pop_stream", "failures", "settle", pop_id, "--reason", "paid"]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
