"""The conformance check on a real Kafka, and on what was read from it."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest

from pop_stream.kafka.topics import ensure
from pop_stream.pop.identity import uuid7
from pop_stream.settings import Settings
from tests.support.command import run_command
from tests.support.header_names import produce_named
from tests.support.kafka import Outgoing, committed, fresh_settings, send

EVENT = {
    "filename": "spot.webm", "assetId": "5942", "startTimestamp": "2026-11-20 10:00:00",
    "endTimestamp": "2026-11-20 10:00:15", "siteId": "1202", "screenId": "3",
}  # fmt: skip


def sound(number: int, **changed: Any) -> Outgoing:
    """An event as it should be, but for the fields that are changed."""
    fields = {name: value for name, value in (EVENT | changed).items() if value is not None}
    return Outgoing(
        key=b"1202/3",
        value=json.dumps(fields).encode(),
        headers=[("pop-id", uuid7(1_790_000_000_000 + number, number).encode()),
                 ("pop-seq", b"%d" % number), ("pop-boot", b"abc")],
    )  # fmt: skip


def check(settings: Settings, *arguments: str | Path) -> "CompletedProcess[str]":
    """Run the command."""
    return run_command(settings, "player", "check", *arguments)


def verdict(settings: Settings, *arguments: str | Path) -> dict[str, Any]:
    """What it tells a program; the rules that are broken by their names, with how often."""
    told: dict[str, Any] = json.loads(check(settings, "--json", *arguments).stdout)
    told["broken"] = {each["rule"]: each["broken"] for each in told["rules"] if each["broken"]}
    return told


FOREIGN: Sequence[Outgoing] = [
    sound(1),
    sound(2, assetId=5942),
    sound(3, screenState="full"),
    sound(3, filename="other.webm"),
    sound(9),
    Outgoing(key=None, value=json.dumps(EVENT).encode()),
    Outgoing(key=b"1202/3", value=b"{", headers=sound(10).headers),
]
BROKEN = {
    "event-json": 1, "event-fields": 1, "event-screen-state": 1, "key": 1, "pop-id": 1,
    "pop-id-unique": 1, "pop-seq-reuse": 1, "pop-seq-gap": 5, "no-pop-seq": 1,
}  # fmt: skip


def test_our_own_players_conform(topics: Settings) -> None:
    """Those that are simulated; no group is joined and nothing is committed."""
    simulated = run_command(topics, "player", "simulate", "--events", "600")
    assert simulated.returncode == 0, simulated.stderr
    done, told = check(topics, "--topic", topics.events_topic), verdict(
        topics, "--topic", topics.events_topic
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert (told["conforms"], told["events"], told["broken"]) == (True, 600, {})
    assert f"{topics.events_topic}: 600 events: no rule is broken" in done.stderr
    servers = topics.kafka_bootstrap_servers
    assert asyncio.run(committed(servers, topics.group, topics.events_topic)) == {}


def test_a_foreign_player_is_told_what_it_breaks(topics: Settings) -> None:
    """Each rule with how often, and where for the first time: exit code 1."""
    send(topics, FOREIGN)
    done, told = check(topics, "--topic", topics.events_topic), verdict(
        topics, "--topic", topics.events_topic
    )  # fmt: skip
    rows = {line.split("\t")[0]: line.split("\t") for line in done.stdout.splitlines()}

    assert done.returncode == 1
    assert (told["conforms"], told["broken"]) == (False, BROKEN)
    assert rows["event-fields"][2] == "1"
    assert rows["event-fields"][3].startswith(f"{topics.events_topic}/")
    assert "required-field-not-string (assetId)" in rows["event-fields"][3]
    assert rows["pop-times"][2:] == ["0", ""]
    assert "broken: event-json, event-fields" in done.stderr


def test_a_file_of_a_search_has_the_same_verdict(topics: Settings, tmp_path: Path) -> None:
    """So that a topic can be judged where it is not reached."""
    send(topics, FOREIGN)
    file = tmp_path / "found.ndjson"
    file.write_text(run_command(topics, "events", "search", "--json").stdout)
    told = verdict(fresh_settings("127.0.0.1:1"), "--file", file)

    assert told["broken"] == BROKEN
    assert "found.ndjson:" in told["rules"][0]["example"]["place"]
    assert topics.events_topic in told["rules"][0]["example"]["place"]


def test_a_header_whose_name_is_no_text_ends_nothing(topics: Settings) -> None:
    """Kafka takes any bytes for a name."""
    servers, value = topics.kafka_bootstrap_servers, json.dumps(EVENT).encode()
    asyncio.run(produce_named(servers, topics.events_topic, [value], [b"caf\xe9"]))
    told = verdict(topics, "--topic", topics.events_topic)

    assert told["events"] == 1


def test_bare_events_are_judged_by_what_they_are(tmp_path: Path) -> None:
    """Without a Kafka; what was not checked is told."""
    file = tmp_path / "events.ndjson"
    file.write_text(json.dumps(EVENT) + "\n\n" + json.dumps(EVENT | {"siteId": ""}) + "\n{\n")
    done = check(fresh_settings("127.0.0.1:1"), "--file", file)
    rows = {line.split("\t")[0]: line.split("\t") for line in done.stdout.splitlines()}

    assert done.returncode == 1
    assert rows["event-fields"][2:] == [
        "1", "events.ndjson:3: required-field-empty (siteId): the worker parks it",
    ]  # fmt: skip
    assert rows["event-json"][2] == "1"
    assert rows["pop-id"][2] == "not checked"
    assert "rules could not be checked" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, "give either --topic or --file"),
        (["--topic", "t", "--file", "f"], 2, "give either --topic or --file"),
        (["--file", "no-such-file"], 2, "no-such-file cannot be read"),
        (["--file", "/dev/null"], 1, "there is nothing to judge"),
        (["--topic", "t"], 3, "127.0.0.1:1"),
    ],
)
def test_wrong_use(arguments: list[str], code: int, said: str) -> None:
    """One message says what."""
    done = check(fresh_settings("127.0.0.1:1"), *arguments)

    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_or_an_empty_topic_is_exit_1(kafka: str) -> None:
    """Who saw nothing has found nothing out."""
    settings = fresh_settings(kafka)
    missing = check(settings, "--topic", settings.events_topic)
    asyncio.run(ensure(settings, partitions=2, replication=1))
    empty = check(settings, "--topic", settings.events_topic)

    assert (missing.returncode, empty.returncode) == (1, 1)
    assert f"no such topic: {settings.events_topic}" in missing.stderr
    assert "there is nothing to judge" in empty.stderr
