"""Parked events, listed, counted, and sent back by a plan: on a real Kafka, to a mock GSTV."""

import asyncio
import json
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import NewTopic

from pop_stream.settings import Settings
from tests.integration.test_accidents import admin_of
from tests.support.account import header_of, id_of
from tests.support.command import run_command
from tests.support.eventually import eventually
from tests.support.kafka import Outgoing, produce, read_all
from tests.support.plan_run import confirmed, running_plan
from tests.support.plays import event, events, parked_of, pop_id_of
from tests.support.trial import Trial

_REFUSED = {"when": {"field": {"filename": "bad"}}, "then": {"status": 422}}
_QUICK = {"auto_redrive": "off", "retry_backoff_seconds": "0.05"}

Ran = subprocess.CompletedProcess[str]


def failures(settings: Settings, *arguments: str | Path) -> Ran:
    """Run a command of the group."""
    return run_command(settings, "failures", *arguments)


def park(settings: Settings, records: list[Outgoing]) -> None:
    """Put records on the failure topic."""
    asyncio.run(produce(settings.kafka_bootstrap_servers, settings.failure_topic, records))


def planned(settings: Settings, path: Path, *arguments: str) -> dict[str, Any]:
    """Make a plan, and give what was told."""
    done = failures(
        settings, "redrive", "--plan", path, "--reason", "GSTV fixed it", "--json", *arguments
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def receipt(done: Ran) -> dict[str, Any]:
    """What a run printed."""
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def sent_back(settings: Settings) -> list[str]:
    """The ids on the retry topic."""
    records = asyncio.run(read_all(settings.kafka_bootstrap_servers, settings.retry_topic))
    return [id_of(record) for record in records]


def settle(settings: Settings, *pop_ids: str) -> None:
    """Mark events as settled."""
    assert failures(settings, "settle", *pop_ids, "--reason", "credited").returncode == 0


def test_parked_events_are_listed_counted_and_sent_back_until_gstv_has_them(
    topics: Settings, tmp_path: Path
) -> None:
    """Parked by a real worker; told of once; those that are not meant stay where they are."""
    trial, plan = Trial(topics, tmp_path), tmp_path / "plan.json"
    bad = [event(n, filename="bad") for n in range(3)]
    broken = Outgoing(value=b"no JSON", key=b"1/1", headers=event(9).headers)
    trial.send([*bad, broken, *events(20)[4:]])
    with trial.gstv([_REFUSED]) as gstv, trial.worker(gstv.url, **_QUICK):
        eventually(lambda: trial.records(topics.failure_topic) == 4, "they are parked")
        listed = failures(topics, "list", "--json", "--where", "reason=rejected")
        found = [json.loads(line) for line in listed.stdout.splitlines()]
        assert {one["popId"] for one in found} == set(map(pop_id_of, bad))
        summary = receipt(failures(topics, "summary", "--json"))
        assert summary["waiting"]["byReason"] == {"quarantined:not-json": 1, "rejected": 3}

        told = planned(topics, plan, "--where", "reason=rejected")
        assert (told["events"], told["byDay"]) == (3, {"2026-11-20": 3})
        assert sent_back(topics).count(pop_id_of(bad[0])) == 3, "nothing was sent, but the retries"
        gstv.set_rules([])
        done = failures(topics, "redrive", "run", plan, "--json", "--operator", "kim")
        assert done.returncode == 0, done.stderr
        assert receipt(done)["outcomes"] == {"sent": 3}, done.stderr
        eventually(lambda: all(map(trial.has_delivered, bad)), "GSTV has them")
        account = trial.settle()
    assert account.duplicates == {}
    account.assert_nothing_lost()
    assert len(account.notifications) == 4
    told = receipt(done)
    assert (told["sent"], told["left"], told["outcomes"]) == (3, 0, {"sent": 3})
    assert told["runs"][0]["operator"] == "kim"
    assert told == json.loads((tmp_path / "plan.json.receipt.json").read_text())
    assert receipt(failures(topics, "summary", "--json"))["states"]["sent back"] == 3
    assert failures(topics, "redrive", "--where", "reason=rejected").stdout.startswith(
        "events      0"
    )


def test_a_second_failure_parks_again_without_a_second_notification(
    topics: Settings, tmp_path: Path
) -> None:
    """With one redrive more; and its new record waits, not its old one."""
    trial, plan = Trial(topics, tmp_path), tmp_path / "plan.json"
    trial.send([event(0, filename="bad"), *events(20)[1:]])
    with trial.gstv([_REFUSED]) as gstv, trial.worker(gstv.url, **_QUICK):
        eventually(lambda: trial.records(topics.failure_topic) == 1, "it is parked")
        planned(topics, plan)
        assert failures(topics, "redrive", "run", plan).returncode == 0
        eventually(lambda: trial.records(topics.failure_topic) == 2, "it is parked again")
        account = trial.settle()
    assert len(account.notifications) == 1
    assert [header_of(record, "pop-redrives") for record in account.parked] == [None, "1"]
    states = receipt(failures(topics, "summary", "--json"))["states"]
    assert (states["waiting"], states["parked again"]) == (1, 1)


def test_what_is_settled_or_went_back_too_often_is_passed_over(
    topics: Settings, tmp_path: Path
) -> None:
    """What is settled after the plan was made, too; what holds no event; and it is told."""
    plan, sent = tmp_path / "plan.json", events(8)
    park(topics, [parked_of(sent[0], redrives=10), parked_of(sent[1], redrives=9),
                  parked_of(sent[2], reason="gone"), *map(parked_of, sent[3:])])  # fmt: skip
    settle(topics, pop_id_of(sent[3]), pop_id_of(sent[4]))
    assert failures(topics, "settle", pop_id_of(sent[4]), "--reason", "r", "--undo").returncode == 0
    told = planned(topics, plan)
    assert told["passedOver"] == {
        "at the limit of redrives": 1, "no whole event": 1, "settled": 1,
    }  # fmt: skip
    settle(topics, pop_id_of(sent[5]))
    done = failures(topics, "redrive", "run", plan, "--json")

    assert receipt(done)["outcomes"] == {"sent": 4, "settled": 1}
    assert sorted(sent_back(topics)) == sorted(pop_id_of(sent[n]) for n in (1, 4, 6, 7))


def test_what_is_sent_back_is_what_was_parked_but_for_two_headers(
    topics: Settings, tmp_path: Path
) -> None:
    """Key and value untouched, also where they are missing; one redrive more."""
    plan = tmp_path / "plan.json"
    odd = [parked_of(event(0, headers=[("x", b"\xff")])), Outgoing(value=b"\x00", partition=2),
           Outgoing(value=None, key=b"1/2", partition=0)]  # fmt: skip
    park(topics, odd)
    planned(topics, plan)
    assert failures(topics, "redrive", "run", plan).returncode == 0
    records = asyncio.run(read_all(topics.kafka_bootstrap_servers, topics.retry_topic))

    assert sorted((r.key or b"", r.value or b"") for r in records) == sorted(
        (one.key or b"", one.value or b"") for one in odd
    )
    assert {header_of(record, "pop-redrives") for record in records} == {"1"}
    (whole,) = [record for record in records if record.value == odd[0].value]
    assert list(whole.headers) == [*odd[0].headers, ("pop-redrives", b"1")]


def test_a_run_goes_on_where_it_was_paused_or_killed(topics: Settings, tmp_path: Path) -> None:
    """Killed five times, and paused once: each event is sent back, and none twice."""
    plan, sent = tmp_path / "plan.json", events(6000)
    park(topics, list(map(parked_of, sent)))
    planned(topics, plan)
    for _ in range(5):
        enough = confirmed(plan) + 300
        with running_plan(topics, "failures", "redrive", plan) as process:
            eventually(lambda: confirmed(plan) >= enough, "some are confirmed")  # noqa: B023
            process.kill()
    with running_plan(topics, "failures", "redrive", plan) as process:
        enough = confirmed(plan) + 300
        eventually(lambda: confirmed(plan) >= enough, "more are confirmed")
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=60)[1]
        assert process.returncode == 130, said
        assert f"pop-stream failures redrive run {plan}" in said
    at_pause = confirmed(plan)
    assert at_pause < 6000
    done = failures(topics, "redrive", "run", plan, "--json")

    assert done.returncode == 0, done.stderr
    times = Counter(sent_back(topics))
    assert set(times) == set(map(pop_id_of, sent)), "lost"
    twice = sum(count - 1 for count in times.values())
    assert twice <= 5 * 500, "no more than was under way"
    told = receipt(done)
    assert (told["left"], len(told["runs"])) == (0, 7)
    assert sum(told["outcomes"].values()) == 6000


def test_a_plan_that_was_altered_is_refused(topics: Settings, tmp_path: Path) -> None:
    """The plan, its list, or its journal; and nothing is sent."""
    park(topics, list(map(parked_of, events(5))))
    plan = tmp_path / "plan.json"
    planned(topics, plan)
    for name, old, new in (("plan.json", '"operator"', '"Operator"'),
                           ("plan.json", "GSTV fixed it", "because"),
                           ("plan.json.events", "/0/", "/1/")):  # fmt: skip
        path = tmp_path / name
        before = path.read_text()
        path.write_text(before.replace(old, new))
        done = failures(topics, "redrive", "run", plan)
        assert (done.returncode, done.stdout) == (2, "")
        assert "plan" in done.stderr
        path.write_text(before)
    (tmp_path / "plan.json.journal").write_text('{"done":[["sent",0,9]]}\nx\n')
    assert "was altered" in failures(topics, "redrive", "run", plan).stderr
    assert sent_back(topics) == []


def test_what_retention_took_after_the_plan_is_told_and_counted(
    topics: Settings, tmp_path: Path
) -> None:
    """Never passed over in silence: exit code 1."""
    plan, sent = tmp_path / "plan.json", events(10, screens=1)
    park(topics, [parked_of(one, partition=0) for one in sent])
    planned(topics, plan)
    place = TopicPartition(topics.failure_topic, 0, 4)
    for answer in admin_of(topics).delete_records([place]).values():
        answer.result(30)
    done = failures(topics, "redrive", "run", plan, "--json")

    assert done.returncode == 1
    assert receipt(done)["outcomes"] == {"gone": 4, "sent": 6}
    assert "4 gone" in done.stderr
    assert sorted(sent_back(topics)) == sorted(map(pop_id_of, sent[4:]))


def test_what_is_parked_after_the_plan_is_not_sent(topics: Settings, tmp_path: Path) -> None:
    """The plan says what was reviewed, and the run does no more than that."""
    plan, sent = tmp_path / "plan.json", events(20)
    park(topics, list(map(parked_of, sent[:10])))
    planned(topics, plan)
    park(topics, list(map(parked_of, sent[10:])))
    assert failures(topics, "redrive", "run", plan).returncode == 0

    assert sorted(sent_back(topics)) == sorted(map(pop_id_of, sent[:10]))
    summary = failures(topics, "summary", "--where", "siteId=0,1,2,3,4,5,6,7,8,9,10,11")
    assert "records\twaiting\t2\n" in summary.stdout
    assert "records\tsent back\t10\n" in summary.stdout
    (first, second) = failures(topics, "list", "--where", "siteId=10,11").stdout.splitlines()
    assert {pop_id_of(sent[10]), pop_id_of(sent[11])} == {
        next(word for word in line.split() if len(word) == 36) for line in (first, second)
    }


def test_a_topic_that_was_deleted_or_made_anew_is_not_taken_for_the_old_one(
    topics: Settings, tmp_path: Path
) -> None:
    """Nothing is sent that was not reviewed, and all that is missing is told."""
    plan, admin, name = tmp_path / "plan.json", admin_of(topics), topics.failure_topic
    park(topics, [parked_of(one, partition=0) for one in events(6)])
    planned(topics, plan)
    admin.delete_topics([name])[name].result(30)
    eventually(lambda: name not in admin.list_topics(timeout=15).topics, "the topic is gone")
    gone = failures(topics, "redrive", "run", plan)
    assert gone.returncode == 1
    assert f"no such topic: {name}" in gone.stderr
    assert "6 left" in gone.stderr
    admin.create_topics([NewTopic(name, 4, 1)])[name].result(30)
    park(topics, [parked_of(one, partition=0) for one in events(4)])
    done = failures(topics, "redrive", "run", plan, "--json")

    assert done.returncode == 1
    assert receipt(done)["outcomes"] == {"another record": 4, "gone": 2}
    assert sent_back(topics) == []


def test_a_run_keeps_to_its_rate_and_to_its_most(topics: Settings, tmp_path: Path) -> None:
    """It goes on with the next run; a third one finds it done, and prints the receipt."""
    park(topics, list(map(parked_of, events(100))))
    plan = tmp_path / "plan.json"
    planned(topics, plan)
    began = time.monotonic()
    first = failures(topics, "redrive", "run", plan, "--rate", "40", "--max", "60", "--json")
    assert time.monotonic() - began > 50 / 40
    assert (first.returncode, receipt(first)["sent"], receipt(first)["left"]) == (0, 60, 40)
    second = failures(topics, "redrive", "run", plan, "--json")
    assert receipt(second)["sent"] == 100
    third = failures(topics, "redrive", "run", plan, "--json")
    assert third.stderr.startswith("The plan was done before.")
    assert receipt(third)["sentIdsSha256"] == receipt(second)["sentIdsSha256"]
    assert len(sent_back(topics)) == 100


def test_a_run_ends_when_too_many_are_parked_again(topics: Settings, tmp_path: Path) -> None:
    """GSTV refuses them still: what was not sent back stays where it is."""
    trial, plan = Trial(topics, tmp_path), tmp_path / "plan.json"
    park(topics, [parked_of(event(n, filename="bad")) for n in range(3000)])
    planned(topics, plan)
    anew = {"start_without_commit": "earliest"}
    with trial.gstv([_REFUSED]) as gstv, trial.worker(gstv.url, **_QUICK, **anew) as worker:
        worker.wait_until_it_says("worker.started")
        done = failures(topics, "redrive", "run", plan, "--rate", "100", "--stop-at-errors", "30")
    assert done.returncode == 1
    assert "too many fail" in done.stderr
    assert "are parked again" in done.stderr
    assert len(sent_back(topics)) < 3000


def test_nothing_is_there_is_an_answer_too(topics: Settings, tmp_path: Path) -> None:
    """Of an empty topic; no plan is written; of one that is missing it is said."""
    assert failures(topics, "list").stdout == ""
    assert failures(topics, "summary").returncode == 0
    done = failures(topics, "redrive", "--plan", tmp_path / "p.json", "--reason", "r")
    assert "No plan was written" in done.stderr
    assert list(tmp_path.iterdir()) == []
    done = run_command(topics, "failures", "redrive", failure_topic="t-nowhere")
    assert (done.returncode, "no such topic: t-nowhere" in done.stderr) == (1, True)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--plan", "p.json"], "needs --reason"),
        (["--plan", "p.json", "--reason", "r", "--dry-run"], "either --dry-run or --plan"),
        (["--where", "siteId=1", "run", "p.json"], "stands in the plan"),
        (["run", "nowhere.json"], "cannot be read"),
        (["run", "/dev/null"], "no plan"),
    ],
)
def test_wrong_use_is_told_before_anything_is_read(arguments: list[str], says: str) -> None:
    """Exit code 2, without a Kafka."""
    settings = Settings(kafka_bootstrap_servers="127.0.0.1:1")
    done = failures(settings, "redrive", *arguments)

    assert done.returncode == 2, done.stderr
    assert says in done.stderr
