"""The programs with the rights of their roles and no others, on a Kafka that denies the rest."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from confluent_kafka.admin import (
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from pop_stream.settings import Settings
from tests.support.command import run_command
from tests.support.eventually import eventually
from tests.support.kafka import DEADLINE_SECONDS
from tests.support.plays import events, pop_id_of
from tests.support.roles import ROLES, fresh_names, give, kafka_with_users, login
from tests.support.secured_kafka import SecuredKafka
from tests.support.trial import Trial

pytestmark = pytest.mark.kafka

PLAY = {
    "filename": "ok", "assetId": "5942", "startTimestamp": "2026-11-20 10:00:00",
    "endTimestamp": "2026-11-20 10:00:15", "siteId": "1202", "screenId": "3",
}  # fmt: skip
_REFUSED = {"when": {"field": {"filename": "refused"}}, "then": {"status": 422}}
_DOWN_ONCE = {"when": {"field": {"filename": "down"}, "nth": "<=1"}, "then": {"status": 500}}
_QUICK = {"retries": 0, "auto_redrive": "1s", "receipts": "on"}
ORDERS = "ioNumber,from,to,plays\n124,2026-11-01,2026-12-01,10\n"


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredKafka]:
    """One for all tests here."""
    with kafka_with_users(tmp_path_factory.mktemp("secured")) as kafka:
        yield kafka


@dataclass(frozen=True, slots=True)
class House:
    """Topics on which everybody has done the work of his role, and nobody more."""

    kafka: SecuredKafka
    settings: Settings
    folder: Path
    #: The event that is parked and told of.
    parked: str

    def run(self, user: str, *arguments: str | Path, **rest: Any) -> "CompletedProcess[str]":
        """Run a command as a user."""
        return run_command(self.settings, *arguments, **login(self.kafka, user) | rest)


@pytest.fixture(scope="module")
def house(secured: SecuredKafka, tmp_path_factory: pytest.TempPathFactory) -> House:
    """The admin makes topics and gives rights, a player sends, workers deliver, park and notify.

    Every program here is logged in as its role; only the test itself looks on as super user.
    """
    settings, folder = fresh_names(secured), tmp_path_factory.mktemp("house")
    give(settings, "admin")
    as_admin = login(secured, "admin")
    made = run_command(settings, "topics", "ensure", "--partitions", "2", **as_admin)
    assert made.returncode == 0, made.stderr
    give(settings, *ROLES, receipts="on", **as_admin)

    trial = Trial(settings, folder)
    plays = [PLAY, PLAY | {"filename": "refused"}, PLAY | {"filename": "down"}]
    sent = run_command(
        settings, "player", "send", "--from", "-", **login(secured, "player"),
        stdin="\n".join(map(json.dumps, plays)),
    )  # fmt: skip
    assert sent.returncode == 0, sent.stderr
    ids = sent.stdout.split()
    with (
        trial.gstv([_REFUSED, _DOWN_ONCE]) as gstv,
        # The notifier is there first, and shares out the partitions of all.
        trial.worker(gstv.url, stages="failure", **_QUICK | login(secured, "notifier")) as notifier,
    ):
        notifier.wait_until_it_says("group.assigned")
        forwarding = {"stages": "forward,retry"} | _QUICK | login(secured, "forwarder")
        with trial.worker(gstv.url, **forwarding) as forwarder:
            assert not notifier.said("redrive.failed")
            eventually(lambda: trial.delivered == 2, "two are delivered, one after its redrive")
            account = trial.settle()
            assert (forwarder.leave(), notifier.leave()) == (0, 0)
    account.assert_nothing_lost()
    assert len(account.notifications) == 2
    assert trial.records(settings.receipts_topic) > 1
    return House(secured, settings, folder, ids[1])


@pytest.mark.parametrize(
    ("role", "command"),
    [
        ("analyst", "events search"),
        ("analyst", "events tail --no-follow"),
        ("analyst", "events report"),
        ("analyst", "events export --format ndjson --to DIR/out"),
        ("analyst", "events query SELECT,count(*),FROM,events"),
        ("analyst", "events replay --to null"),
        ("analyst", "failures list"),
        ("analyst", "failures summary"),
        ("analyst", "failures redrive"),
        ("analyst", "explain PARKED"),
        ("analyst", "audit"),
        ("analyst", "reconcile --orders DIR/orders.csv"),
        ("analyst", "topics check"),
        ("operator", "failures redrive --plan DIR/plan.json --reason mended"),
        ("operator", "failures redrive run DIR/plan.json"),
        ("operator", "failures settle PARKED --reason credited"),
        ("watch", "watch --once"),
        ("player", "player drain --outbox DIR/outbox"),
        ("admin", "topics ensure"),
        ("admin", "topics check"),
        ("admin", "topics acls --forwarder forwarder --check"),
    ],
)
def test_a_role_can_do_its_work(house: House, role: str, command: str) -> None:
    """With its rights alone. The order counts: a plan is made before it is run."""
    if "--outbox" in command:
        recorded = house.run("nobody", "player", "send", "--outbox", house.folder / "outbox",
                             "--from", "-", stdin=json.dumps(PLAY))  # fmt: skip
        assert recorded.returncode == 0, recorded.stderr
    done = house.run(role, *arguments_of(command, house), receipts="on")
    # 1: something is found, such as an order that is not fulfilled, or a topic with one copy.
    assert done.returncode == 0 or (done.returncode == 1 and "reconcile" in command), done
    assert "no right" not in done.stderr
    assert "does not let us see" not in done.stdout


def test_the_status_of_a_worker_needs_no_more_than_the_watch_has(house: House) -> None:
    """No worker answers here, and yet the backlog is told."""
    done = house.run("watch", "status", "--sample-seconds", "0.5", metrics_port=1)
    assert done.returncode == 1, done.stderr
    assert "backlog" in done.stdout.lower()


def test_the_doctor_asks_for_no_topic_that_this_worker_does_not_use(house: House) -> None:
    """Those of other stages are hidden from it, and rightly so."""
    well = house.run("forwarder", "doctor", stages="forward,retry")
    ill = house.run("forwarder", "doctor", stages="failure")
    hidden = "this user has no right to see it"
    assert hidden not in well.stdout + well.stderr
    assert (ill.stdout + ill.stderr).count(hidden) == 2
    assert ill.returncode == 1


@pytest.mark.parametrize(
    ("role", "command", "right", "on"),
    [
        ("player", "events search", "Read", "events_topic"),
        ("player", "audit", "Describe", "group"),
        ("player", "watch --once", "Describe", "failure_topic"),
        ("player", "topics ensure", "Create", "failure_topic"),
        ("forwarder", "topics ensure", "Create", "notification_topic"),
        ("forwarder", "events search --topic failure", "Read", "failure_topic"),
        ("notifier", "events search", "Read", "events_topic"),
        ("notifier", "player send --from -", "Write", "events_topic"),
        ("analyst", "player send --from -", "Write", "events_topic"),
        ("analyst", "player simulate --events 1", "Write", "events_topic"),
        ("analyst", "failures settle PARKED --reason r", "Write", "settled_topic"),
        ("analyst", "topics acls --player p --apply", "Describe", "cluster"),
        ("operator", "player send --from -", "Write", "events_topic"),
        ("watch", "failures settle PARKED --reason r", "Write", "settled_topic"),
        ("watch", "events search --topic notifications", "Read", "notification_topic"),
        ("admin", "events search", "Read", "events_topic"),
        ("admin", "player send --from -", "Write", "events_topic"),
        ("nobody", "player send --from -", "Write", "events_topic"),
        ("nobody", "status", "Describe", "events_topic"),
    ],
)
def test_another_role_is_told_which_right_it_lacks(
    house: House, role: str, command: str, right: str, on: str
) -> None:
    """The right and what it is for, and exit code 1."""
    done = house.run(role, *arguments_of(command, house), stdin=json.dumps(PLAY))
    assert done.returncode == 1, (done.stdout, done.stderr)
    assert "no right to" in done.stderr
    assert f"needs {right}" in done.stderr
    assert (on if on == "cluster" else getattr(house.settings, on)) in done.stderr


@pytest.mark.parametrize(
    ("user", "stages", "lacks"),
    [
        ("player", "forward,retry", [
            "Read on the topic {events}", "Read and Write on the topic {retry}",
            "Write on the topic {failure}", "Read on the group {group}"]),
        ("analyst", "forward,retry", [
            "Write on the topic {retry}", "Write on the topic {failure}",
            "Read on the group {group}"]),
        ("notifier", "forward", ["Read on the topic {events}"]),
        ("forwarder", "failure", [
            "Read on the topic {failure}", "Write on the topic {notification}",
            "Read on the topic {settled}", "Read on the group {group}-redrive-transient-1",
            "Read on the group {group}-redrive-transient-2",
            "Read on the group {group}-redrive-transient-3"]),
        ("operator", "failure", [
            "Write on the topic {failure}", "Write on the topic {notification}",
            "Read on the group {group}", "Read on the group {group}-redrive-transient-1",
            "Read on the group {group}-redrive-transient-2",
            "Read on the group {group}-redrive-transient-3"]),
    ],
)  # fmt: skip
def test_a_worker_without_its_rights_does_not_start_and_names_them_all(
    house: House, user: str, stages: str, lacks: list[str]
) -> None:
    """At once: one by one, each would cost a start."""
    names = {name.removesuffix("_topic"): getattr(house.settings, name)
             for name in Settings.model_fields if name.endswith("_topic")}  # fmt: skip
    names["group"] = house.settings.group
    trial = Trial(house.settings, house.folder)
    with trial.worker("http://127.0.0.1:1/", stages=stages, **login(house.kafka, user)) as worker:
        assert worker.ends() == 1
        told = [line for line in worker.log.splitlines() if line.startswith("  - ")]
    wanted = sorted(f"  - {each}" for each in (one.format(**names) for one in lacks))
    assert sorted(line.partition(": it ")[0] for line in told) == wanted


def test_a_worker_that_could_not_share_out_all_partitions_does_not_start(
    secured: SecuredKafka, tmp_path: Path
) -> None:
    """Led by it, the group would leave the players' topic to nobody, without a word."""
    settings = fresh_names(secured)
    made = run_command(settings, "topics", "ensure", "--partitions", "1")
    assert made.returncode == 0, made.stderr
    give(settings, "notifier")
    admin = AdminClient({"bootstrap.servers": secured.plain_servers})
    rule = AclBindingFilter(
        ResourceType.TOPIC, settings.events_topic, ResourcePatternType.LITERAL, "User:notifier",
        "*", AclOperation.DESCRIBE, AclPermissionType.ALLOW,
    )  # fmt: skip
    (deleted,) = admin.delete_acls([rule]).values()
    assert len(deleted.result(DEADLINE_SECONDS)) == 1
    trial = Trial(settings, tmp_path)
    own = login(secured, "notifier")
    with trial.worker("http://127.0.0.1:1/", stages="failure", **own) as worker:
        assert worker.ends() == 1
        assert f"Describe on the topic {settings.events_topic}: it shares out" in worker.log


def test_a_notifier_may_have_a_group_of_its_own(secured: SecuredKafka, tmp_path: Path) -> None:
    """It is then no member of the forwarders', and can disturb none of them."""
    settings = fresh_names(secured)
    made = run_command(settings, "topics", "ensure", "--partitions", "1")
    assert made.returncode == 0, made.stderr
    apart = settings.model_copy(update={"group": f"apart-{settings.group}"})
    secured.set_password("apart", "apart")
    done = run_command(apart, "topics", "acls", "--notifier", "apart", "--apply",
                       "--shut-others-out")  # fmt: skip
    assert done.returncode == 0, done.stderr
    give(settings, "forwarder")
    trial = Trial(settings, tmp_path)
    (refused,) = events(1, filename="refused")
    own = login(secured, "apart") | {"kafka_sasl_password": "apart", "group": apart.group}
    with (
        trial.gstv([_REFUSED]) as gstv,
        trial.worker(gstv.url, stages="failure", **own) as notifier,
    ):
        notifier.wait_until_it_says("group.assigned")
        forwarding = {"stages": "forward,retry", "retries": 0} | login(secured, "forwarder")
        with trial.worker(gstv.url, **forwarding):
            trial.send([refused])
            eventually(lambda: trial.records(settings.notification_topic) == 1, "it is told of")
    assert pop_id_of(refused) in notifier.log


def test_a_players_certificate_is_who_it_is(house: House) -> None:
    """It may send; another's with the same signature may not."""
    for name, code in (("player", 0), ("somebody", 1)):
        file = house.kafka.authority.certificate(common_name=name, file=f"{name}.pem")
        done = run_command(
            house.settings, "player", "send", "--from", "-", stdin=json.dumps(PLAY),
            kafka_bootstrap_servers=house.kafka.tls_servers, kafka_security_protocol="SSL",
            kafka_ssl_cafile=house.kafka.authority.cafile, kafka_ssl_certfile=file,
        )  # fmt: skip
        assert done.returncode == code, done.stderr
        assert ("needs Write on it" in done.stderr) == bool(code)


def arguments_of(command: str, house: House) -> list[str]:
    """A command line, with its files and ids; a comma stands for a space."""
    (house.folder / "orders.csv").write_text(ORDERS)
    words = command.replace("DIR", str(house.folder)).replace("PARKED", house.parked).split()
    return [word.replace(",", " ") if word.startswith("SELECT") else word for word in words]
