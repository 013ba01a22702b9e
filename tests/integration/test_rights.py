"""What each role may do in Kafka, and what not: every cell is tried on a real broker.

The tables here are written by hand, and know nothing of `pop_stream.kafka.rights`.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import OffsetAndMetadata
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from pop_stream.kafka.topics import ensure
from pop_stream.settings import TOPICS, Settings
from tests.support.attempts import Somebody, everybody
from tests.support.eventually import eventually
from tests.support.kafka import DEADLINE_SECONDS, Outgoing, send
from tests.support.roles import NOBODY, ROLES, fresh_names, give, kafka_with_users, password_of
from tests.support.secured_kafka import SecuredKafka

pytestmark = pytest.mark.kafka

#: d see it, r fetch, w produce, c see its configuration, a alter that, p add partitions,
#: n create it, x delete it, e delete records.
ON_TOPICS = """
           events     retry      failure    notification receipts   settled    stranger
player     d-w------  ---------  ---------  ---------    ---------  ---------  ---------
forwarder  dr-c-----  drwc-----  d-wc-----  ---------    d-wc-----  ---------  ---------
notifier   d--------  d-wc-----  drwc-----  d-wc-----    ---------  dr-c-----  ---------
analyst    dr-c-----  dr-c-----  dr-c-----  dr-c-----    dr-c-----  dr-c-----  ---------
operator   dr-c-----  drwc-----  dr-c-----  dr-c-----    dr-c-----  drwc-----  ---------
watch      dr-c-----  dr-c-----  dr-c-----  ---------    ---------  dr-------  ---------
admin      d--capn--  d--capn--  d--capn--  d--capn--    d--capn--  d--capn--  ---------
nobody     ---------  ---------  ---------  ---------    ---------  ---------  ---------
"""

#: d see who is in it, o see what it has committed, j join, x delete; then of which topics offsets
#: can be committed for it: e events, r retry, f failure.
ON_GROUPS = """
           workers    redrives   stranger
player     -------    -------    -------
forwarder  doj-er-    -------    -------
notifier   doj---f    doj---f    -------
analyst    do-----    do-----    -------
operator   do-----    do-----    -------
watch      do-----    do-----    -------
admin      -------    -------    -------
nobody     -------    -------    -------
"""

#: s see the rules, g give rights, n create any topic, b see the brokers' configuration, q alter
#: that, i be an idempotent producer, t be a transactional one.
ON_CLUSTER = """
           cluster
player     -----i-
forwarder  -----i-
notifier   -----i-
analyst    -------
operator   -----i-
watch      -------
admin      sg-b---
nobody     -------
"""


def cells(table: str) -> dict[tuple[str, str], str]:
    """A table by its rows and columns."""
    header, *rows = (line.split() for line in table.strip().splitlines())
    return {
        (role, thing): cell
        for role, *row in rows
        for thing, cell in zip(header, row, strict=True)
    }  # fmt: skip


def each_of(table: str) -> Any:
    """A test for each cell."""
    found = cells(table)
    assert {role for role, _ in found} == {*ROLES, NOBODY}
    return pytest.mark.parametrize(
        ("role", "thing", "may"), [(*names, cell) for names, cell in found.items()]
    )


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredKafka]:
    """One for all tests here."""
    with kafka_with_users(tmp_path_factory.mktemp("secured")) as kafka:
        yield kafka


@pytest.fixture(scope="module")
def granted(secured: SecuredKafka) -> Settings:
    """Topics with a record each and groups with a commit each; each role has its user."""
    settings = fresh_names(secured)
    asyncio.run(ensure(settings, partitions=1, replication=1))
    for name in TOPICS:
        send(settings, [Outgoing(value=b"{}")], getattr(settings, name))
    asyncio.run(commit(settings))
    give(settings, *ROLES, receipts="on")
    return settings


async def commit(settings: Settings) -> None:
    """Have the groups coordinated by somebody: of a new Kafka nobody is asked for rights."""
    async with AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap_servers, group_id=settings.group
    ) as consumer:
        place = TopicPartition(settings.events_topic, 0)
        consumer.assign([place])
        await consumer.commit({place: OffsetAndMetadata(0, "")})


@pytest.fixture(scope="module")
def people(secured: SecuredKafka, granted: Settings) -> Iterator[dict[str, Somebody]]:
    """Every role's user, and one who has none; each connected by TLS and a password."""
    logins = {
        user: granted.model_copy(update=secured.login(user, password_of(user)))
        for user in (*ROLES, NOBODY)
    }
    with everybody(logins) as found:
        yield found


@each_of(ON_TOPICS)
def test_a_role_may_do_this_with_a_topic_and_nothing_else(
    role: str, thing: str, may: str, people: dict[str, Somebody], granted: Settings
) -> None:
    """Each letter was tried: the broker let it, or refused."""
    topic = "stranger" if thing == "stranger" else getattr(granted, f"{thing}_topic")
    assert people[role].on_topic(topic) == may


@each_of(ON_GROUPS)
def test_a_role_may_do_this_with_a_group_and_nothing_else(
    role: str, thing: str, may: str, people: dict[str, Somebody], granted: Settings
) -> None:
    """Above all: nobody but a worker commits, and a worker only what it may read."""
    group = {
        "workers": granted.group,
        "redrives": f"{granted.group}-redrive-transient-1",
        "stranger": "stranger",
    }[thing]
    topics = {granted.events_topic: "e", granted.retry_topic: "r", granted.failure_topic: "f"}
    assert people[role].on_group(group, topics) == may


@each_of(ON_CLUSTER)
def test_a_role_may_do_this_with_the_cluster_and_nothing_else(
    role: str, thing: str, may: str, people: dict[str, Somebody]
) -> None:
    """No worker, player or reader makes a topic, or gives a right."""
    assert thing == "cluster"
    assert people[role].on_cluster() == may


@pytest.mark.parametrize("role", ["analyst", "operator", "watch"])
def test_who_only_looks_cannot_commit_for_the_workers_whatever_else_is_allowed(
    role: str, people: dict[str, Somebody], granted: Settings
) -> None:
    """Somebody gives everybody every group; whoever has no denial may then skip events."""
    topics = {granted.events_topic: "e", granted.retry_topic: "r", granted.failure_topic: "f"}
    groups = [granted.group, f"{granted.group}-redrive-transient-1"]
    nobody = people["nobody"]
    with everybody_has_all_groups(granted):
        eventually(lambda: nobody.on_group("stranger", topics) == "dojx---", "it is so")
        assert [people[role].on_group(group, topics) for group in groups] == ["do-----"] * 2
        assert people[role].on_group("stranger", topics).startswith("dojxe")
    eventually(lambda: nobody.on_group("stranger", topics) == "-------", "it is over")


@contextmanager
def everybody_has_all_groups(settings: Settings) -> Iterator[None]:
    """Meanwhile there is a rule that nobody should make."""
    admin = AdminClient({"bootstrap.servers": settings.kafka_bootstrap_servers})
    rule = (ResourceType.GROUP, "*", ResourcePatternType.LITERAL, "User:*", "*",
            AclOperation.ALL, AclPermissionType.ALLOW)  # fmt: skip
    for made in admin.create_acls([AclBinding(*rule)]).values():
        made.result(DEADLINE_SECONDS)
    try:
        yield
    finally:
        for deleted in admin.delete_acls([AclBindingFilter(*rule)]).values():
            deleted.result(DEADLINE_SECONDS)
