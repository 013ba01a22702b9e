"""`pop-stream topics acls` on a real Kafka: what it makes, what it tells, and what it refuses.

Here everybody may do everything until there is a rule. What the rules do is in `test_rights.py`.
"""

import json

import pytest
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from pop_stream.kafka.local import LocalKafka, LocalKafkaOptions
from pop_stream.settings import Settings
from tests.support.command import run_command
from tests.support.kafka import fresh_settings
from tests.support.roles import give


def states(out: str) -> dict[str, set[str]]:
    """By state, the rules of a table that was printed."""
    found: dict[str, set[str]] = {}
    for line in out.splitlines():
        principal, verb, right, on, state = line.split("\t")
        found.setdefault(state, set()).add(f"{principal} {verb} {right} {on.split()[0]}")
    return found


def make(settings: Settings, principal: str, operation: AclOperation) -> None:
    """Make a rule on the players' topic, as somebody else would."""
    admin = AdminClient({"bootstrap.servers": settings.kafka_bootstrap_servers})
    rule = AclBinding(
        ResourceType.TOPIC, settings.events_topic, ResourcePatternType.LITERAL, principal, "*",
        operation, AclPermissionType.ALLOW,
    )  # fmt: skip
    for each in admin.create_acls([rule]).values():
        each.result(30)


def test_what_is_missing_is_made_and_once(kafka: str) -> None:
    """The same command again makes nothing, and says so."""
    settings = fresh_settings(kafka)
    arguments = ["topics", "acls", "--player", "p-1", "--player", "p-2"]
    wanted = {"User:p-1 may Write topic", "User:p-2 may Write topic"}

    before = run_command(settings, *arguments, "--check")
    assert (before.returncode, states(before.stdout)) == (1, {"missing": wanted})
    first = give(settings, "player")
    assert "1 made." in first.stderr
    made = run_command(settings, *arguments, "--apply")
    assert (made.returncode, states(made.stdout)) == (0, {"made": wanted})
    again = run_command(settings, *arguments, "--apply")
    assert (again.returncode, states(again.stdout)) == (0, {"there": wanted})
    assert "2 there before." in again.stderr
    assert run_command(settings, *arguments, "--check").returncode == 0


def test_what_no_role_would_give_is_told_and_left(kafka: str) -> None:
    """Of those who are asked about, and of others on what is ours."""
    settings = fresh_settings(kafka)
    player = f"p-{settings.group}"
    arguments = ["topics", "acls", "--player", player]
    made = run_command(settings, *arguments, "--apply", "--shut-others-out")
    assert made.returncode == 0, made.stderr
    make(settings, f"User:{player}", AclOperation.READ)
    make(settings, "User:*", AclOperation.WRITE)
    make(settings, "User:another", AclOperation.WRITE)

    done = run_command(settings, *arguments, "--check")
    assert done.returncode == 0, done.stderr
    assert states(done.stdout)["extra"] == {
        f"User:{player} may Read topic",
        "User:* may Write topic",
    }
    assert "2 that no role would give" in done.stderr
    listed = run_command(settings, *arguments, "--check", "--json")
    assert [each["state"] for each in json.loads(listed.stdout)] == ["there", "extra", "extra"]


def test_nobody_is_shut_out_by_a_first_rule_unless_that_is_said(kafka: str) -> None:
    """Where everybody may use what has no rule, workers would stand still after the first."""
    settings = fresh_settings(kafka)
    arguments = ["topics", "acls", "--player", "p", "--forwarder", "f"]

    refused = run_command(settings, *arguments, "--apply")
    assert refused.returncode == 1
    assert "allow.everyone.if.no.acl.found" in refused.stderr
    assert f"topic {settings.events_topic}" in refused.stderr
    assert f"group {settings.group}" in refused.stderr
    assert "nothing was made" in refused.stderr
    checked = run_command(settings, *arguments, "--check")
    assert set(states(checked.stdout)) == {"missing"}
    made = run_command(settings, *arguments, "--apply", "--shut-others-out")
    assert (made.returncode, "Warning" in made.stderr) == (0, True)
    # From now on each of these has rules, and one more shuts nobody out.
    more = run_command(settings, "topics", "acls", "--player", "q", "--apply")
    assert (more.returncode, "Warning" in more.stderr) == (0, False), more.stderr


@pytest.mark.kafka
def test_a_kafka_without_an_authorizer_is_told_of() -> None:
    """With what to set; to make rules there would help nobody."""
    with LocalKafka.start(LocalKafkaOptions(brokers=3)) as kafka:
        settings = fresh_settings(kafka.bootstrap_servers)
        done = run_command(settings, "topics", "acls", "--player", "p", "--apply")
    assert done.returncode == 1
    assert "authorizer.class.name" in done.stderr
    assert "super.users" in done.stderr
