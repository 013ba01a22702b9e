"""The audit on a real Kafka: it accounts for every offset, and finds what was planted."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pop_stream.pop.hole import Hole
from pop_stream.settings import Settings
from tests.support.command import run_command
from tests.support.commits import commit, delete_below
from tests.support.eventually import eventually
from tests.support.kafka import Outgoing
from tests.support.plays import event, events, pop_id_of
from tests.support.transactions import write_in_transactions
from tests.support.trial import Trial

_RULES = [
    {"when": {"field": {"filename": "down"}}, "then": {"status": 500}},
    {"when": {"field": {"filename": "once"}, "nth": 1}, "then": {"status": 500}},
]


def audit(settings: Settings, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    """Run the command."""
    return run_command(settings, "audit", *arguments)


def account(settings: Settings, *arguments: str | Path, code: int = 0) -> dict[str, Any]:
    """What it finds, as JSON; only outcomes that there are."""
    done = audit(settings, "--json", *arguments)
    assert done.returncode == code, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    assert sum(found["outcomes"].values()) == found["offsets"]
    found["outcomes"] = {name: count for name, count in found["outcomes"].items() if count}
    return found


def handed_on(sent: Outgoing, partition: int, offset: int, **headers: object) -> Outgoing:
    """An event's record on the retry or the failure topic, to partition 0 of it."""
    given = {
        "pop-attempt": 1,
        "pop-reason": "transient",
        "pop-origin": f"{headers.pop('topic')}/{partition}/{offset}/1790000000000",
    } | {f"pop-{name}": value for name, value in headers.items()}
    trail = [(name, str(value).encode()) for name, value in given.items()]
    return Outgoing(key=sent.key, value=sent.value, partition=0, headers=[*sent.headers, *trail])


def test_a_days_work_is_accounted_for(topics: Settings, tmp_path: Path) -> None:
    """Delivered at once or later, parked, quarantined; GSTV's side agrees, and nothing is open."""
    trial = Trial(topics, tmp_path)
    sent = [event(0, filename="once"), event(1, filename="down"), *events(60)[2:]]
    trial.send([*sent, Outgoing(value=b"no JSON", partition=2)])
    with trial.gstv(_RULES) as gstv, trial.worker(gstv.url, retry_backoff_seconds="0.05") as worker:
        eventually(lambda: trial.records(topics.notification_topic) == 2, "both are notified")
        trial.settle()
        assert worker.leave() == 0
    ledger = tmp_path / "gstv.ndjson"
    found = account(topics, "--against", ledger)

    assert found["holds"]
    assert found["outcomes"] == {"delivered": 59, "parked": 2}
    assert (
        found["against"] | {"agreed": 59, "unknownToGstv": 0, "theirsOnly": 0} == found["against"]
    )
    page = audit(topics)
    assert "61 offsets = 59 delivered + 2 parked\n" in page.stdout
    assert "--against compares it with GSTV's side." in page.stdout

    _a_commit_that_was_moved_by_hand_is_found(topics, trial, ledger)
    _a_delivery_that_gstv_does_not_know_is_found(topics, ledger, pop_id_of(sent[5]), tmp_path)


def _a_commit_that_was_moved_by_hand_is_found(topics: Settings, trial: Trial, ledger: Path) -> None:
    """By GSTV's side, and by nothing else: without it, a commit is believed."""
    skipped = [event(1000 + n, partition=3) for n in range(3)]
    trial.send(skipped)
    end = trial.committed()[topics.events_topic, 3] + 3
    commit(topics, topics.events_topic, {3: end})

    assert account(topics)["outcomes"] == {"delivered": 62, "parked": 2}
    done = audit(topics, "--against", ledger)
    assert done.returncode == 1
    assert "3 UNKNOWN to GSTV" in done.stdout
    for number, one in enumerate(skipped):
        assert f"unknown-to-gstv: {pop_id_of(one)} 3/{end - 3 + number}" in done.stdout


def _a_delivery_that_gstv_does_not_know_is_found(
    topics: Settings, ledger: Path, missing: str, folder: Path
) -> None:
    """In a file of another form, too; with every difference in a file."""
    ids = {json.loads(line)["id"] for line in ledger.read_text().splitlines()}
    theirs, listed = folder / "theirs.csv", folder / "differences.ndjson"
    strange = pop_id_of(event(7777))
    theirs.write_text("ref,day\n" + "".join(f"{one},1\n" for one in [*ids - {missing}, strange]))
    arguments = ("--against", theirs, "--id-column", "ref", "--differences", listed)
    found = account(topics, *arguments, code=1)

    assert found["against"]["unknownToGstv"] == 4
    # What failed was asked of GSTV, too: to it, an id is known.
    assert found["against"]["knownAlready"] == 1
    assert found["against"]["theirsOnly"] == 1
    lines = [json.loads(line) for line in listed.read_text().splitlines()]
    assert len(lines) == 6
    assert {"unknown-to-gstv", "theirs-only", "known-already"} == {
        one["difference"] for one in lines
    }
    assert missing in {one["popId"] for one in lines if one["difference"] == "unknown-to-gstv"}


def test_every_outcome_is_told_apart(topics: Settings, tmp_path: Path) -> None:
    """What waits, is parked, settled, sent back, done beyond the commit, or not done yet."""
    trial, name = Trial(topics, tmp_path), topics.events_topic
    sent = [event(n, partition=0) for n in range(12)]
    trial.send(sent)
    commit(topics, name, {0: 8}, beyond=frozenset((9,)))
    retries = [
        handed_on(sent[1], 0, 1, topic=name),
        handed_on(sent[2], 0, 2, topic=name),
        handed_on(sent[4], 0, 4, topic=name, redrives=1, attempt=4),
        # Handed on, while the commit is behind.
        handed_on(sent[10], 0, 10, topic=name),
    ]
    trial.send(retries, topic=topics.retry_topic)
    commit(topics, topics.retry_topic, {0: 1}, beyond=frozenset((2,)))
    parked = [handed_on(sent[n], 0, n, topic=name, attempt=4) for n in (3, 4, 5, 6)]
    trial.send(parked, topic=topics.failure_topic)
    run_command(topics, "failures", "settle", pop_id_of(sent[5]), "--reason", "paid")
    found = account(topics, "--to", "end")

    assert found["holds"]
    assert found["outcomes"] == {
        "delivered": 5, "retry": 2, "parked": 2, "settled": 1, "open": 2,
    }  # fmt: skip
    assert account(topics, "--from", "2", "--to", "4", "--partition", "0")["outcomes"] == {
        "parked": 1, "retry": 1,
    }  # fmt: skip
    assert account(topics)["offsets"] == 8


def test_a_record_that_is_missing_on_the_retry_topic_is_found(
    topics: Settings, tmp_path: Path
) -> None:
    """Deleted before it was done: its event counts as delivered, and the audit doubts that."""
    trial, name = Trial(topics, tmp_path), topics.events_topic
    sent = [event(n, partition=0) for n in range(4)]
    trial.send(sent)
    commit(topics, name, {0: 4})
    waiting = [handed_on(sent[n], 0, n, topic=name) for n in (1, 2)]
    trial.send(waiting, topic=topics.retry_topic)
    commit(topics, topics.retry_topic, {0: 1})
    assert account(topics)["outcomes"] == {"delivered": 3, "retry": 1}

    delete_below(topics, topics.retry_topic, {0: 2})
    found = account(topics, code=1)
    assert found["outcomes"] == {"delivered": 4}
    assert not found["holds"]
    (doubt,) = found["doubts"]
    assert "retry_topic" not in doubt
    assert "/0: offsets 1 to 1 were deleted before they were done: up to 1 events" in doubt
    theirs = tmp_path / "ids.txt"
    theirs.write_text("\n".join(pop_id_of(sent[n]) for n in (0, 1, 3)))
    assert f"unknown-to-gstv: {pop_id_of(sent[2])} 0/2" in audit(topics, "--against", theirs).stdout


def test_what_a_redrive_lost_is_found(topics: Settings, tmp_path: Path) -> None:
    """Its step has passed the parked event, and no record of it came to the retry topic."""
    trial, name = Trial(topics, tmp_path), topics.events_topic
    sent = [event(n, partition=0) for n in range(2)]
    trial.send(sent)
    commit(topics, name, {0: 2})
    trial.send([handed_on(sent[1], 0, 1, topic=name, attempt=4)], topic=topics.failure_topic)
    assert account(topics)["outcomes"] == {"delivered": 1, "parked": 1}
    commit(topics, topics.failure_topic, {0: 1}, group=f"{topics.group}-redrive-transient-1")

    found = account(topics, code=1)
    assert found["holes"] == [{"partition": 0, "begin": 1, "end": 2, "outcome": "missing"}]
    assert "HOLE: partition 0, offsets 1 to 1: MISSING" in audit(topics).stdout


def test_what_was_deleted_before_it_was_delivered_is_a_hole(
    topics: Settings, tmp_path: Path
) -> None:
    """Whether a worker has told of it or not; until a person has settled it."""
    trial, name = Trial(topics, tmp_path), topics.events_topic
    trial.send([event(n, partition=0) for n in range(9)])
    commit(topics, name, {0: 3})
    delete_below(topics, name, {0: 5})
    assert account(topics, code=1)["outcomes"] == {"expired": 3, "gone": 2}
    found = account(topics, "--to", "end", code=1)
    assert found["holes"] == [{"partition": 0, "begin": 3, "end": 5, "outcome": "gone"}]
    assert found["outcomes"] == {"expired": 3, "gone": 2, "open": 4}

    hole = Hole(topic=name, partition=0, begin=3, end=5)
    trial.send([Outgoing(value=hole.value(), headers=hole.headers(1_790_000_000_000))],
               topic=topics.failure_topic)  # fmt: skip
    commit(topics, name, {0: 9})
    assert account(topics, code=1)["outcomes"] == {"expired": 3, "gone": 2, "delivered": 4}
    run_command(topics, "failures", "settle", hole.pop_id, "--reason", "credited")
    assert account(topics)["outcomes"] == {"expired": 3, "gone-settled": 2, "delivered": 4}


def test_an_audit_amid_the_work_finds_nothing_wrong(topics: Settings, tmp_path: Path) -> None:
    """Events come, fail, are parked and sent back meanwhile: what is read later was done later."""
    trial, offsets = Trial(topics, tmp_path), 0
    trial.send([event(n, filename="once" if n % 5 else "down") for n in range(60)])
    quick = {"retry_backoff_seconds": "0.05,0.3", "auto_redrive": "1s"}
    with (
        trial.gstv(_RULES) as gstv,
        trial.worker(gstv.url, **quick),
        trial.feeding(events_per_second=100),
    ):
        eventually(lambda: trial.records(topics.failure_topic) >= 12, "some are parked")
        for _ in range(3):
            found = account(topics, "--to", "end")
            assert found["holds"], found
            assert found["offsets"] > offsets
            offsets = found["offsets"]


def test_offsets_without_a_record_are_told_apart(topics: Settings) -> None:
    """A transaction ends with a mark that takes an offset: it is no event."""
    write_in_transactions(topics, events(30))
    found = account(topics, "--to", "end")

    assert found["outcomes"]["open"] == 30
    assert found["outcomes"]["no-record"] > 0


def test_a_topic_that_was_made_anew_proves_nothing(topics: Settings, tmp_path: Path) -> None:
    """Its commits are those of another: what they say is not believed."""
    trial = Trial(topics, tmp_path)
    trial.send([event(n, partition=0) for n in range(3)])
    commit(topics, topics.events_topic, {0: 90})
    found = account(topics, code=1)

    assert "90 is committed and the partition ends at 3" in found["doubts"][0]


def test_empty_topics_have_no_holes(topics: Settings) -> None:
    """And it is said that nothing was walked."""
    done = audit(topics)

    assert done.returncode == 0
    assert done.stdout.startswith("0\t0\t0\t0\n")
    assert "No offset was walked" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--to", "soon"], "neither an offset"),
        (["--partition", "99"], "there is no partition 99"),
        (["--differences", "x"], "needs --against"),
        (["--from", "3", "--stored-from", "2d"], "either --from"),
        (["--against", "/nowhere"], "cannot be read"),
        (["--zone", "Mars"], "is no zone"),
    ],
)
def test_wrong_use_is_told(topics: Settings, arguments: list[str], says: str) -> None:
    """With what to write instead."""
    done = audit(topics, *arguments)

    assert done.returncode == 2
    assert says in done.stderr
