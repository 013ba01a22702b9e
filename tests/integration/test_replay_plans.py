"""Events sent once more: to GSTV, a topic, a file, or nowhere; on a real Kafka."""

import asyncio
import json
import subprocess
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import NewTopic

from pop_stream.settings import Settings
from tests.integration.test_accidents import admin_of
from tests.support.account import header_of, id_of
from tests.support.command import run_command
from tests.support.eventually import eventually
from tests.support.kafka import Outgoing, read_all, send
from tests.support.plan_run import RATE, confirmed, confirmed_ids, running_plan
from tests.support.plays import event, events, parked_of, pop_id_of
from tests.support.trial import Trial

Ran = subprocess.CompletedProcess[str]


def replay(settings: Settings, *arguments: str | Path, **overrides: Any) -> Ran:
    """Run the command."""
    return run_command(settings, "events", "replay", *arguments, **overrides)


def planned(settings: Settings, path: Path, *arguments: str, **overrides: Any) -> dict[str, Any]:
    """Make a plan, and give what was told."""
    done = replay(settings, "--plan", path, "--reason", "r", "--json", *arguments, **overrides)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def ran(settings: Settings, path: Path, *arguments: str, **overrides: Any) -> dict[str, Any]:
    """Run a plan to its end, and give the receipt."""
    done = replay(settings, "run", path, "--json", *arguments, **overrides)
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_gstv_gets_the_same_events_under_the_same_ids(topics: Settings, tmp_path: Path) -> None:
    """Each once, however often it stands on topics; body and key as the workers send them."""
    trial, plan, sent = Trial(topics, tmp_path), tmp_path / "plan.json", events(30)
    send(topics, [*sent, sent[0]])
    send(topics, [parked_of(sent[0]), parked_of(event(40))], topics.failure_topic)
    with trial.gstv() as gstv:
        told = planned(topics, plan, "--topic", "events", "--topic", "failure", "--to", "gstv",
                       gstv_url=gstv.url)  # fmt: skip
        assert (told["events"], told["passedOver"]) == (31, {"met before": 2})
        assert trial.entries == [], "nothing was sent"
        receipt = ran(topics, plan, gstv_url=gstv.url)
    assert receipt["outcomes"] == {"sent": 31}
    bodies = {pop_id_of(one): sha256(one.value or b"").hexdigest() for one in sent}
    told_to_gstv = {entry.id: (entry.sha256, entry.attempt) for entry in trial.entries}
    assert len(trial.entries) == len(told_to_gstv) == 31
    for pop_id, body in bodies.items():
        assert told_to_gstv[pop_id] == (body, 1)
    assert sorted(attempt for _, attempt in told_to_gstv.values()) == [1] * 30 + [5]


def test_what_was_recorded_as_confirmed_is_not_sent_again(topics: Settings, tmp_path: Path) -> None:
    """However often the run is killed; what was not recorded yet may come twice."""
    trial, plan, sent = Trial(topics, tmp_path), tmp_path / "plan.json", events(4000)
    send(topics, sent)
    at_kills = []
    with trial.gstv(own_process=True) as gstv:
        planned(topics, plan, "--to", "gstv", gstv_url=gstv.url)
        for _ in range(4):
            enough = confirmed(plan) + 400
            with running_plan(topics, "events", "replay", plan, gstv_url=gstv.url) as process:
                eventually(lambda: confirmed(plan) >= enough, "some are confirmed")  # noqa: B023
                process.kill()
            delivered = trial.account().delivered
            at_kills.append({pop_id: delivered[pop_id] for pop_id in confirmed_ids(plan)})
        assert ran(topics, plan, gstv_url=gstv.url)["outcomes"] == {"sent": 4000}
    account = trial.account()
    assert account.delivered.keys() == set(map(pop_id_of, sent)), "lost"
    for recorded in at_kills:
        assert {pop_id: account.delivered[pop_id] for pop_id in recorded} == recorded
    assert sum(account.duplicates.values()) <= 4 * RATE // 4


def test_gstv_is_asked_no_more_once_too_much_fails(topics: Settings, tmp_path: Path) -> None:
    """Exit code 1; what failed can be tried again, and what was sent is not."""
    trial, plan, sent = Trial(topics, tmp_path), tmp_path / "plan.json", events(200)
    send(topics, sent)
    with trial.gstv([{"then": {"status": 500}}]) as gstv:
        planned(topics, plan, "--to", "gstv", gstv_url=gstv.url)
        done = replay(topics, "run", plan, "--rate", "100", "--json", gstv_url=gstv.url)
        assert done.returncode == 1
        assert "too many fail" in done.stderr
        tried = json.loads(done.stdout)["outcomes"]["failed: 500"]
        assert tried == len(trial.entries) < 200
        gstv.set_rules([])
        assert ran(topics, plan, "--retry-failed", gstv_url=gstv.url)["outcomes"] == {"sent": 200}
        assert len(trial.entries) == tried + 200


@pytest.mark.parametrize(
    ("rule", "says"),
    [({"then": {"status": 401}}, "GSTV takes nothing: misconfigured (401)"),
     (None, "GSTV takes nothing: unreachable (connect)")],
)  # fmt: skip
def test_a_gstv_that_takes_nothing_ends_the_run(
    topics: Settings, tmp_path: Path, rule: dict[str, Any] | None, says: str
) -> None:
    """No event counts as tried; the next run sends them all."""
    trial, plan = Trial(topics, tmp_path), tmp_path / "plan.json"
    send(topics, events(50))
    with trial.gstv() as gstv:
        planned(topics, plan, "--to", "gstv", gstv_url=gstv.url)
        gstv.set_rules([rule] if rule else [])
        port = gstv.port
        done = replay(topics, "run", plan, gstv_url=gstv.url) if rule else None
    if done is None:
        done = replay(topics, "run", plan, gstv_url=gstv.url)
    assert done.returncode == 1
    assert says in done.stderr
    assert "50 left" in done.stderr
    with trial.gstv(port=port) as gstv:
        assert ran(topics, plan, gstv_url=gstv.url)["outcomes"] == {"sent": 50}
    assert trial.delivered == 50


def test_a_gstv_that_asks_for_fewer_gets_fewer(topics: Settings, tmp_path: Path) -> None:
    """429: the event waits and is sent; it does not count as failed."""
    trial, plan = Trial(topics, tmp_path), tmp_path / "plan.json"
    send(topics, events(20))
    slow = {"when": {"nth": "<=1"}, "then": {"status": 429, "retry_after": 1}}
    with trial.gstv([slow]) as gstv:
        planned(topics, plan, "--to", "gstv", gstv_url=gstv.url)
        assert ran(topics, plan, gstv_url=gstv.url)["outcomes"] == {"sent": 20}
    assert trial.delivered == 20
    assert len(trial.entries) == 40


def test_on_a_topic_an_event_keeps_its_id_and_names_the_replay(
    topics: Settings, tmp_path: Path
) -> None:
    """Also one whose player gave it none; what a player wrote under our names stays behind."""
    name, plan = f"{topics.group}-copy", tmp_path / "plan.json"
    admin_of(topics).create_topics([NewTopic(name, 2, 1)])[name].result(30)
    plain = Outgoing(value=b"{}", key=b"1/1", headers=[("pop-redrives", b"7"), ("x", b"y")])
    send(topics, [event(0), plain])
    told = planned(topics, plan, "--to", f"topic:{name}")
    assert ran(topics, plan)["target"] == f"topic:{name}"
    before = asyncio.run(read_all(topics.kafka_bootstrap_servers, topics.events_topic))
    after = asyncio.run(read_all(topics.kafka_bootstrap_servers, name))

    assert {(id_of(r), r.key, r.value) for r in after} == {
        (id_of(r), r.key, r.value) for r in before
    }
    assert {header_of(record, "pop-replay") for record in after} == {told["planId"]}
    (copy,) = [record for record in after if record.value == b"{}"]
    assert [name for name, _ in copy.headers] == ["x", "pop-id", "pop-origin", "pop-replay"]


def test_nothing_goes_around_in_the_live_system(topics: Settings, tmp_path: Path) -> None:
    """It must be asked for by its own flag; and a second replay passes over the first one's."""
    live = f"topic:{topics.events_topic}"
    refused = replay(topics, "--to", live)
    assert (refused.returncode, "--yes-into-live-topic" in refused.stderr) == (2, True)
    for topic in (
        topics.retry_topic,
        topics.failure_topic,
        topics.notification_topic,
        topics.settled_topic,
    ):
        done = replay(topics, "--to", f"topic:{topic}", "--yes-into-live-topic")
        assert (done.returncode, "nothing is replayed" in done.stderr) == (2, True)
    send(topics, events(10))
    for number in range(2):
        plan = tmp_path / f"plan-{number}.json"
        told = planned(topics, plan, "--to", live, "--yes-into-live-topic")
        assert told["events"] == 10
        ran(topics, plan)
    assert told["passedOver"] == {"written by a replay": 10}


def test_a_file_gets_every_byte_and_no_line_twice(topics: Settings, tmp_path: Path) -> None:
    """What was written beyond what the journal knows is taken away before the run goes on."""
    plan, file = tmp_path / "plan.json", tmp_path / "events.ndjson"
    sent = events(40)
    send(topics, [*sent, Outgoing(value=b"\xff\x00", key=b"1/1")])
    planned(topics, plan, "--to", f"file:{file}")
    ran(topics, plan, "--max", "20")
    with file.open("ab") as written:
        written.write(b"half a line")
    ran(topics, plan)
    lines = [json.loads(line) for line in file.read_text().splitlines()]

    assert len(lines) == 41
    assert {one["value"].encode() for one in lines if "value" in one} == {s.value for s in sent}
    assert [one["valueBase64"] for one in lines if "valueBase64" in one] == ["/wA="]
    assert "is there already" in replay(topics, "--to", f"file:{file}").stderr


def test_nowhere_takes_everything(topics: Settings, tmp_path: Path) -> None:
    """A rehearsal, with journal and receipt."""
    plan = tmp_path / "plan.json"
    send(topics, events(30))
    assert planned(topics, plan, "--where", "siteId=7")["bySite"] == {"7": 2}
    assert ran(topics, plan)["outcomes"] == {"sent": 2}
    assert (tmp_path / "plan.json.receipt.json").exists()


def test_what_is_settled_does_not_reach_gstv(topics: Settings, tmp_path: Path) -> None:
    """It was credited by hand; a file gets it."""
    sent = events(3)
    send(topics, list(map(parked_of, sent)), topics.failure_topic)
    run_command(topics, "failures", "settle", pop_id_of(sent[0]), "--reason", "credited")
    for target, events_told in (("gstv", 2), ("null", 3)):
        told = planned(topics, tmp_path / target, "--topic", "failure", "--to", target,
                       gstv_url="http://127.0.0.1:1/")  # fmt: skip
        assert told["events"] == events_told


def test_a_plan_runs_only_in_the_world_it_was_made_for(topics: Settings, tmp_path: Path) -> None:
    """Another GSTV, or another kind of plan, is refused."""
    plan = tmp_path / "plan.json"
    send(topics, events(3))
    planned(topics, plan, "--to", "gstv", gstv_url="http://127.0.0.1:1/secret?key=k1")
    assert "secret" not in plan.read_text()
    other = replay(topics, "run", plan, gstv_url="http://127.0.0.1:2/")
    assert (other.returncode, "was made for gstv:http://127.0.0.1:1;" in other.stderr) == (2, True)
    kind = run_command(topics, "failures", "redrive", "run", plan)
    assert (kind.returncode, "plan of a replay" in kind.stderr) == (2, True)


@pytest.mark.parametrize("target", ["topic:", "file:", "nowhere", "gstv:x"])
def test_what_is_no_target_is_refused(target: str) -> None:
    """With what to write instead."""
    done = replay(Settings(kafka_bootstrap_servers="127.0.0.1:1"), "--to", target)

    assert done.returncode == 2
    assert "write gstv, topic:NAME, file:FILE or null" in done.stderr
