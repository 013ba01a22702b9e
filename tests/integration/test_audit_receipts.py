"""The audit of receipts on a real Kafka: what was sent back is told of, whatever became of it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import NewTopic

from pop_stream.analysis.replay.done import SENT, Ended
from pop_stream.analysis.scan import Span
from pop_stream.settings import Settings
from tests.integration.test_accidents import admin_of
from tests.integration.test_audit import account, audit, handed_on
from tests.support.command import run_command
from tests.support.commits import commit, delete_below
from tests.support.eventually import eventually
from tests.support.kafka import Outgoing
from tests.support.plays import event, pop_id_of, retry_of
from tests.support.trial import Trial
from tests.unit.analysis.records import handed_on as seen
from tests.unit.analysis.redrive_files import PLAN, redriven

_QUICK = {"auto_redrive": "off", "retry_backoff_seconds": "0.05"}


def refused(filename: str) -> dict[str, Any]:
    """GSTV's answer to some."""
    return {"when": {"field": {"filename": filename}}, "then": {"status": 422}}


def redriven_by(topics: Settings, folder: Path, name: str = "fixed.json") -> Path:
    """Send back what is parked; the receipt."""
    plan = folder / name
    for arguments in (("--plan", plan, "--reason", "GSTV fixed it"), ("run", plan)):
        done = run_command(topics, "failures", "redrive", *arguments)
        assert done.returncode == 0, done.stderr
    return folder / f"{name}.receipt.json"


def sent(found: dict[str, Any]) -> dict[str, int]:
    """What became of the events of the only receipt; only outcomes that there are."""
    (receipt,) = found["receipts"]
    assert sum(receipt["outcomes"].values()) == receipt["sent"]
    return {name: count for name, count in receipt["outcomes"].items() if count}


def parked(topics: Settings, trial: Trial, count: int) -> list[Outgoing]:
    """Events that are delivered or parked by their group's commits: the first `count` parked."""
    made = [event(n, partition=0) for n in range(count + 1)]
    trial.send(made)
    commit(topics, topics.events_topic, {0: count + 1})
    records = [handed_on(made[n], 0, n, topic=topics.events_topic, reason="rejected")
               for n in range(count)]  # fmt: skip
    trial.send(records, topic=topics.failure_topic)
    return made


def test_what_was_sent_back_is_followed_until_the_retry_topic_forgets_it(
    topics: Settings, tmp_path: Path
) -> None:
    """Delivered, parked again, settled; then known by the receipt only, and not parked."""
    trial = Trial(topics, tmp_path)
    made = [event(0, filename="bad"), event(1, filename="worse"), event(2, filename="worse"),
            *(event(n) for n in range(3, 20))]  # fmt: skip
    trial.send(made)
    with trial.gstv([refused("bad"), refused("worse")]) as gstv:
        with trial.worker(gstv.url, **_QUICK) as worker:
            eventually(lambda: trial.records(topics.failure_topic) == 3, "they are parked")
            trial.settle()
            assert worker.leave() == 0
        gstv.set_rules([refused("worse")])
        receipt = redriven_by(topics, tmp_path)
        assert sent(account(topics, "--receipt", receipt)) == {"retry": 3}
        with trial.worker(gstv.url, **_QUICK) as worker:
            eventually(lambda: trial.has_delivered(made[0]), "GSTV has it")
            eventually(lambda: trial.records(topics.failure_topic) == 5, "two are parked again")
            trial.settle()
            assert worker.leave() == 0
    found = account(topics, "--receipt", receipt)
    assert sent(found) == {"delivered": 1, "parked-again": 2}
    assert found["outcomes"] == {"delivered": 18, "parked": 2}
    assert found["holds"]
    both = account(topics, "--receipt", receipt, "--against", tmp_path / "gstv.ndjson")
    assert both["receipts"] == found["receipts"]
    assert (both["against"]["agreed"], both["against"]["unknownToGstv"]) == (18, 0)
    run_command(topics, "failures", "settle", pop_id_of(made[1]), "--reason", "paid")
    page = audit(topics, "--receipt", receipt)
    assert page.returncode == 0
    assert (
        f"{receipt}: 3 sent = 1 delivered + 0 on the retry topic + 1 parked again + 1 settled + "
        "0 older than the retry topic keeps + 0 MISSING\n"
    ) in page.stdout

    _what_the_retry_topic_forgot_is_not_parked(topics, trial, receipt)


def _what_the_retry_topic_forgot_is_not_parked(
    topics: Settings, trial: Trial, receipt: Path
) -> None:
    """Its record on the failure topic is all that Kafka knows, and the receipt tells the rest."""
    ends = {partition: offset for (topic, partition), offset in trial.committed().items()
            if topic == topics.retry_topic}  # fmt: skip
    delete_below(topics, topics.retry_topic, ends)
    assert account(topics)["outcomes"] == {"delivered": 17, "parked": 2, "settled": 1}
    found = account(topics, "--receipt", receipt)
    assert found["outcomes"] == {"delivered": 17, "parked": 1, "settled": 1, "sent-back": 1}
    assert sent(found) == {"parked-again": 1, "settled": 1, "sent-back": 1}
    assert found["holds"]


def test_what_is_missing_on_a_retry_topic_that_was_made_anew_is_named(
    topics: Settings, tmp_path: Path
) -> None:
    """All that was sent there since it was made is there, and what was sent back is not."""
    trial, admin, name = Trial(topics, tmp_path), admin_of(topics), topics.retry_topic
    made = parked(topics, trial, 12)
    receipt = redriven_by(topics, tmp_path)
    admin.delete_topics([name])[name].result(30)
    eventually(lambda: name not in admin.list_topics(timeout=15).topics, "the topic is gone")
    admin.create_topics([NewTopic(name, 4, 1)])[name].result(30)
    assert account(topics)["outcomes"] == {"delivered": 1, "parked": 12}

    found = account(topics, "--receipt", receipt, code=1)
    assert found["outcomes"] == {"delivered": 1, "missing": 12}
    assert sent(found) == {"missing": 12}
    assert not found["holds"]
    (told,) = found["receipts"]
    assert len(told["missing"]) == 10
    page = audit(topics, "--receipt", receipt, "--from", "12")
    assert page.returncode == 1, "it is asked of all that was sent, whatever is walked"
    assert "HOLE" not in page.stdout
    assert page.stdout.count("  MISSING: ") == 10
    ids = set(map(pop_id_of, made))
    assert {one["popId"] for one in told["missing"]} < ids


def test_what_was_deleted_from_the_retry_topic_before_it_was_done_is_in_doubt(
    topics: Settings, tmp_path: Path
) -> None:
    """It is older than what is kept; and though only what came later is walked, it is said."""
    trial = Trial(topics, tmp_path)
    parked(topics, trial, 2)
    receipt = redriven_by(topics, tmp_path)
    delete_below(topics, topics.retry_topic, dict.fromkeys(range(4), -1))
    later = [retry_of(event(90 + n), not_before=0, partition=n) for n in range(4)]
    trial.send(later, topic=topics.retry_topic)
    trial.send([event(99, partition=0)])
    commit(topics, topics.events_topic, {0: 4})
    assert account(topics, "--from", "3")["outcomes"] == {"delivered": 1}
    found = account(topics, "--from", "3", "--receipt", receipt, code=1)

    assert sent(found) == {"sent-back": 2}
    assert "were deleted before they were done" in found["doubts"][0]


def test_two_receipts_of_the_same_event_are_both_told(topics: Settings, tmp_path: Path) -> None:
    """Each asks where it is now; both stand in the order in which they were given."""
    trial = Trial(topics, tmp_path)
    (one, _) = parked(topics, trial, 1)
    first = redriven_by(topics, tmp_path, "first.json")
    again = handed_on(one, 0, 0, topic=topics.events_topic, reason="rejected", redrives=1)
    trial.send([again], topic=topics.failure_topic)
    second = redriven_by(topics, tmp_path, "second.json")
    found = account(topics, "--receipt", second, "--receipt", first)

    assert [each["file"] for each in found["receipts"]] == [str(second), str(first)]
    assert [each["outcomes"]["retry"] for each in found["receipts"]] == [1, 1]


def test_a_receipt_of_another_cluster_is_refused(topics: Settings, tmp_path: Path) -> None:
    """Its places and ids would be those of others."""
    plan = replace(
        PLAN,
        cluster="elsewhere",
        spans=[Span(topics.failure_topic, 0, 0, 1)],
        target=f"topic:{topics.retry_topic}",
    )
    receipt = redriven(tmp_path, [seen(topics.failure_topic)], [Ended(SENT, 0, 1)], plan=plan)
    done = audit(topics, "--receipt", receipt)

    assert (done.returncode, done.stdout) == (2, "")
    assert f"{receipt} is of the Kafka cluster elsewhere; the one that is asked is " in done.stderr


def test_what_was_altered_is_refused_before_anything_is_read(
    topics: Settings, tmp_path: Path
) -> None:
    """The files of a real run, one byte each; without a Kafka."""
    parked(topics, Trial(topics, tmp_path), 3)
    receipt = redriven_by(topics, tmp_path)
    nowhere = topics.model_copy(update={"kafka_bootstrap_servers": "127.0.0.1:1"})
    for name, old, new in (
        ("fixed.json.receipt.json", '"sent": 3', '"sent": 2'),
        ("fixed.json.journal", '"sent",0,3', '"sent",0,2'),
        ("fixed.json.events", "/0/", "/1/"),
        ("fixed.json", "GSTV fixed it", "GSTV fixed at"),
    ):
        path = tmp_path / name
        before = path.read_text()
        assert old in before
        path.write_text(before.replace(old, new, 1))
        done = audit(nowhere, "--receipt", receipt)
        assert (done.returncode, done.stdout) == (2, ""), name
        assert str(path) in done.stderr or f"{receipt} does not agree" in done.stderr
        path.write_text(before)
    assert account(topics, "--receipt", receipt)["receipts"]


@pytest.mark.parametrize(
    ("files", "says"),
    [
        (["fixed.json"], "a receipt is called PLAN.receipt.json"),
        (["nowhere.json.receipt.json"], "cannot be read"),
    ],
)
def test_wrong_use_is_told(files: list[str], says: str) -> None:
    """Exit code 2, without a Kafka."""
    nowhere = Settings(kafka_bootstrap_servers="127.0.0.1:1")
    done = audit(nowhere, *(word for file in files for word in ("--receipt", file)))

    assert done.returncode == 2
    assert says in done.stderr
