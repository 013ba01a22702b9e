"""Analysts without the rights that a command needs: it says which, and ends with 1."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from confluent_kafka import KafkaException, TopicCollection
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from pop_stream.kafka.topics import ensure
from pop_stream.settings import Settings
from tests.support.command import run_command
from tests.support.eventually import eventually
from tests.support.kafka import fresh_settings, send
from tests.support.plays import events, pop_id_of

ORDERS = "ioNumber,from,to,plays\n124,2026-11-01,2026-12-01,10\n"


def forbid(settings: Settings, kind: ResourceType, name: str, denied: AclOperation) -> None:
    """Take one right on a topic or a group from everybody; the others stay."""
    # Once a thing has a rule, nobody may do with it what no rule allows.
    allowed = {AclOperation.READ, AclOperation.DESCRIBE} - {denied}
    if kind is ResourceType.TOPIC:
        allowed |= {AclOperation.WRITE, AclOperation.DESCRIBE_CONFIGS} - {denied}
    rules = [(denied, AclPermissionType.DENY)]
    rules += [(one, AclPermissionType.ALLOW) for one in allowed]
    admin = AdminClient({"bootstrap.servers": settings.kafka_bootstrap_servers})
    made = admin.create_acls(
        [AclBinding(kind, name, ResourcePatternType.LITERAL, "User:*", "*", one, permission)
         for one, permission in rules]
    )  # fmt: skip
    for each in made.values():
        each.result(30)
    # The controller has them now, and the broker in a moment.
    eventually(lambda: denied not in _rights(admin, kind, name), "the denial is in force")


def _rights(admin: AdminClient, kind: ResourceType, name: str) -> list[AclOperation]:
    try:
        if kind is ResourceType.TOPIC:
            asked = admin.describe_topics(
                TopicCollection([name]), include_authorized_operations=True
            )
        else:
            asked = admin.describe_consumer_groups([name], include_authorized_operations=True)
        return asked[name].result(30).authorized_operations or []
    except KafkaException as error:
        if "AUTHORIZATION_FAILED" not in error.args[0].name():
            raise
        return []


def arguments_of(command: str, folder: Path) -> list[str]:
    """A command line, with its files."""
    (folder / "orders.csv").write_text(ORDERS)
    return [each.replace("DIR", str(folder)) for each in command.split()]


READING = {
    "events search": "events_topic",
    "events tail --no-follow": "events_topic",
    "events export --format ndjson --to DIR/out": "events_topic",
    "events report": "events_topic",
    "events replay --to null": "events_topic",
    "failures list": "failure_topic",
    "failures summary": "failure_topic",
    "failures redrive": "failure_topic",
    "explain 019af0c2-6b5e-7a51-9c0e-3f2b8d1c4e77": "events_topic",
    "audit --to end": "retry_topic",
    "reconcile --orders DIR/orders.csv": "events_topic",
}


@pytest.mark.parametrize("operation", [AclOperation.READ, AclOperation.DESCRIBE])
@pytest.mark.parametrize("command", READING)
def test_who_may_not_read_a_topic_is_told_so(
    topics: Settings, tmp_path: Path, command: str, operation: AclOperation
) -> None:
    """With the topic's name; an empty answer would look like the truth."""
    topic = getattr(topics, READING[command])
    send(topics, events(5), topic)
    forbid(topics, ResourceType.TOPIC, topic, operation)
    refused(topics, arguments_of(command, tmp_path), topic)


def test_who_may_not_read_a_topic_may_not_ask_it_by_sql(topics: Settings) -> None:
    """Nor see a table that is empty."""
    send(topics, events(5))
    forbid(topics, ResourceType.TOPIC, topics.events_topic, AclOperation.READ)
    refused(topics, ["events", "query", "SELECT count(*) FROM events"], topics.events_topic)


@pytest.mark.parametrize(
    "command", ["failures list", "failures summary", "failures redrive", "audit",
                "explain 019af0c2-6b5e-7a51-9c0e-3f2b8d1c4e77"],
)  # fmt: skip
def test_who_may_not_look_at_the_group_is_told_so(
    topics: Settings, tmp_path: Path, command: str
) -> None:
    """Its commits say what is done; without them everything would look open."""
    send(topics, events(5), topics.failure_topic)
    for group in (topics.group, *(f"{topics.group}-redrive-transient-{n}" for n in range(1, 5))):
        forbid(topics, ResourceType.GROUP, group, AclOperation.DESCRIBE)
    refused(topics, arguments_of(command, tmp_path), topics.group)


def test_a_watch_that_may_not_see_retention_says_so(topics: Settings) -> None:
    """Or what is about to be deleted would look as if it were kept for ever."""
    send(topics, events(5))
    forbid(topics, ResourceType.TOPIC, topics.events_topic, AclOperation.DESCRIBE_CONFIGS)
    done = run_command(topics, "watch", "--once", log_format="json")
    told = [json.loads(line) for line in done.stderr.splitlines()]
    assert done.returncode == 0
    assert [(each["event"], each["topics"]) for each in told] == [
        ("watch.retention_unseen", [topics.events_topic])
    ]
    assert "DescribeConfigs" in told[0]["remedy"]


def test_who_may_not_send_back_is_told_so_and_can_go_on(topics: Settings, tmp_path: Path) -> None:
    """Nothing counts as sent; with the right, the same command sends it."""
    plan = tmp_path / "plan.json"
    send(topics, events(5), topics.failure_topic)
    planned = run_command(topics, "failures", "redrive", "--plan", plan, "--reason", "fixed")
    assert planned.returncode == 0, planned.stderr
    forbid(topics, ResourceType.TOPIC, topics.retry_topic, AclOperation.WRITE)

    refused(topics, ["failures", "redrive", "run", str(plan)], topics.retry_topic)


def test_who_may_not_settle_is_told_so(topics: Settings) -> None:
    """And nothing is marked."""
    (sent,) = events(1)
    forbid(topics, ResourceType.TOPIC, topics.settled_topic, AclOperation.WRITE)
    command = ["failures", "settle", pop_id_of(sent), "--reason", "credited"]
    refused(topics, command, topics.settled_topic)


def test_who_may_not_write_to_a_topic_replays_nothing_to_it(
    topics: Settings, tmp_path: Path
) -> None:
    """It is told so, with the topic's name."""
    plan, elsewhere = tmp_path / "plan.json", fresh_settings(topics.kafka_bootstrap_servers)
    asyncio.run(ensure(elsewhere, partitions=1, replication=1))
    send(topics, events(5))
    planned = run_command(
        topics, "events", "replay", "--to", f"topic:{elsewhere.events_topic}",
        "--plan", plan, "--reason", "asked for",
    )  # fmt: skip
    assert planned.returncode == 0, planned.stderr
    forbid(topics, ResourceType.TOPIC, elsewhere.events_topic, AclOperation.WRITE)
    refused(topics, ["events", "replay", "run", str(plan)], elsewhere.events_topic)


@pytest.mark.parametrize(
    ("command", "operation"),
    [
        ("watch --once", AclOperation.READ),
        ("player check --topic TOPIC", AclOperation.READ),
        ("player simulate --events 5", AclOperation.WRITE),
    ],
)
def test_who_watches_checks_or_simulates_without_the_right_is_told_so(
    topics: Settings, command: str, operation: AclOperation
) -> None:
    """By the name of an error in Python before; players were simulated for a minute, in vain."""
    send(topics, events(5))
    forbid(topics, ResourceType.TOPIC, topics.events_topic, operation)
    words = [each.replace("TOPIC", topics.events_topic) for each in command.split()]
    refused(topics, words, topics.events_topic)


def test_a_topic_that_is_hidden_is_told_as_such(topics: Settings) -> None:
    """It is not said to be missing."""
    forbid(topics, ResourceType.TOPIC, topics.events_topic, AclOperation.DESCRIBE)
    done = run_command(topics, "player", "simulate", "--events", "5")

    assert done.returncode == 1
    assert f"no right to see {topics.events_topic}" in done.stderr


def refused(settings: Settings, command: Sequence[str], name: str) -> None:
    """It ends with 1, names what it may not touch, and tells of rights."""
    done = run_command(settings, *command)
    assert done.returncode == 1, (done.returncode, done.stdout, done.stderr)
    assert name in done.stderr
    assert "no right to" in done.stderr
