"""The life of an event on a real Kafka: found wherever it stands, and told as it was."""

import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from pop_stream.settings import Settings
from tests.integration.test_accidents import delete_records
from tests.support.command import run_command
from tests.support.eventually import eventually
from tests.support.kafka import Outgoing
from tests.support.plays import event, events, pop_id_of, retry_of
from tests.support.trial import Trial

_RULES = [
    {"when": {"field": {"filename": "down"}}, "then": {"status": 500}},
    {"when": {"field": {"filename": "once"}, "nth": 1}, "then": {"status": 500}},
]


def explain(settings: Settings, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run the command."""
    return run_command(settings, "explain", *arguments)


def told(done: "subprocess.CompletedProcess[str]") -> dict[str, dict[str, Any]]:
    """What it told, by id."""
    assert done.returncode == 0, done.stderr
    return {one["popId"]: one for one in map(json.loads, done.stdout.splitlines())}


def test_lives_are_told_as_they_were(topics: Settings, tmp_path: Path) -> None:
    """Delivered at once or after a retry, parked and notified, quarantined; then settled."""
    trial = Trial(topics, tmp_path)
    sound, once, down = event(0), event(1, filename="once"), event(2, filename="down")
    unfit = Outgoing(value=b"no JSON", key=b"1/1", headers=event(3).headers)
    trial.send([sound, once, down, unfit, *events(20)[4:]])
    with trial.gstv(_RULES) as gstv, trial.worker(gstv.url, retry_backoff_seconds="0.05"):
        eventually(lambda: trial.records(topics.notification_topic) == 2, "both are notified")
        trial.settle()
    ids = [pop_id_of(one) for one in (sound, once, down, unfit)]
    lives = told(explain(topics, *ids, "--json"))
    whats = {pop_id: [step["what"] for step in lives[pop_id]["steps"]] for pop_id in ids}

    assert whats[ids[0]] == ["produced"]
    assert whats[ids[1]] == ["produced", "failed"]
    assert whats[ids[2]] == ["produced", "failed", "failed", "failed", "parked", "notified"]
    assert whats[ids[3]] == ["produced", "quarantined", "notified"]
    assert [lives[pop_id]["copies"][0]["outcome"] for pop_id in ids] == [
        "delivered", "delivered", "parked", "parked",
    ]  # fmt: skip
    assert [step["status"] for step in lives[ids[2]]["steps"]] == [None, *["500"] * 4, None]
    run_command(topics, "failures", "settle", ids[2], "--reason", "credited", "--operator", "kim")
    page = explain(topics, ids[2])
    assert "settled by kim: credited" in page.stdout
    assert "sent back for one more attempt at" not in page.stdout
    assert "was minted, less an hour; --whole searches what is older, too." in page.stderr


def test_an_event_whose_player_had_a_wrong_clock_is_found(topics: Settings, tmp_path: Path) -> None:
    """An id of the future would begin the search behind it: then everything is searched."""
    early = event(int((time.time() + 86_400) * 1000) - 1_790_000_000_000)
    Trial(topics, tmp_path).send([early, *events(5)])
    done = explain(topics, pop_id_of(early), "--json")

    assert told(done)[pop_id_of(early)]["copies"][0]["outcome"] == "open"
    assert "not found from the time in its id on" in done.stderr


def test_an_id_that_is_nowhere_is_said_with_where_it_was_looked_for(topics: Settings) -> None:
    """On topics without a record, too."""
    wanted = pop_id_of(event(0))
    done = explain(topics, wanted)

    assert (done.returncode, done.stdout) == (1, "")
    assert f"{wanted}: found nowhere." in done.stderr
    assert f"{topics.events_topic}, kept 14 d; offsets 0: 0-0, 1: 0-0" in done.stderr
    assert f"{topics.failure_topic}, kept for ever" in done.stderr


def test_an_event_without_an_id_is_found_by_that_of_its_place(
    topics: Settings, tmp_path: Path
) -> None:
    """As search tells it; what waits on the retry topic tells of a record that is deleted."""
    trial = Trial(topics, tmp_path)
    trial.send([Outgoing(value=b"{}", partition=1)])
    waiting = retry_of(event(3), not_before=time.time() + 3600)
    trial.send([waiting], topic=topics.retry_topic)
    (found,) = run_command(topics, "events", "search", "--json").stdout.splitlines()
    nameless = json.loads(found)["popId"]
    delete_records(topics, {1: 1})

    done = explain(topics, nameless, pop_id_of(waiting), "--json")
    assert done.returncode == 1
    assert f"{nameless}: found nowhere." in done.stderr
    (life,) = map(json.loads, done.stdout.splitlines())
    assert life["copies"][0]["outcome"] == "retry"
    assert life["copies"][0]["origin"] == "elsewhere/0/0"
    assert life["copies"][0]["now"].startswith("Waits on the retry topic for its next attempt at")


@pytest.mark.parametrize("wrong", [["x"], ["@/nowhere"], []])
def test_wrong_use_is_told(topics: Settings, wrong: list[str]) -> None:
    """Before anything is read."""
    assert explain(topics, *wrong).returncode == 2


def test_a_topic_that_is_gone_is_said(topics: Settings) -> None:
    """With what makes it."""
    done = run_command(topics, "explain", pop_id_of(event(0)), retry_topic="t-nowhere")

    assert done.returncode == 1
    assert "no such topic: t-nowhere" in done.stderr
