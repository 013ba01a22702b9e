import asyncio
import json
import os
import subprocess
import sys
import uuid
from collections.abc import Mapping

import pytest
from aiokafka.admin import NewTopic

from pop_stream.errors import KafkaUnreachableError, UsageError, WorkFailedError
from pop_stream.kafka.admin import connected_admin
from pop_stream.kafka.ports import free_ports
from pop_stream.kafka.topic_findings import Severity
from pop_stream.kafka.topics import check, ensure
from pop_stream.settings import TOPICS, Settings
from tests.support.kafka import (
    Outgoing,
    committed,
    end_offsets,
    fresh_settings,
    produce,
    read_all,
)


def names(settings: Settings) -> list[str]:
    """Give the topics' names."""
    return [getattr(settings, name) for name in TOPICS]


async def create(settings: Settings, topic: str, configs: Mapping[str, str]) -> None:
    """Create a topic as somebody else would."""
    async with connected_admin(settings) as admin:
        await admin.create_topics([NewTopic(topic, 2, 1, topic_configs=dict(configs))])


def run(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `pop-stream topics` with these settings."""
    environ = {k: v for k, v in os.environ.items() if not k.startswith("POP_STREAM_")}
    for name in ("kafka_bootstrap_servers", *TOPICS):
        environ[f"POP_STREAM_{name.upper()}"] = getattr(settings, name)
    return subprocess.run(
        [sys.executable, "-m", "pop_stream", "topics", *arguments],
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_ensure_creates_once(kafka: str) -> None:
    """The first time all are created, the second time all exist."""
    settings = fresh_settings(kafka)

    first = asyncio.run(ensure(settings, partitions=3))
    second = asyncio.run(ensure(settings, partitions=5))

    assert [(t.name, t.created, t.partitions) for t in first] == [
        (name, True, 3) for name in names(settings)
    ]
    assert [(t.name, t.created, t.partitions) for t in second] == [
        (name, False, 3) for name in names(settings)
    ]


def test_what_ensure_makes_passes_check(topics: Settings) -> None:
    """On one broker nothing is found but that there is one copy."""
    findings = asyncio.run(check(topics))

    assert {(f.severity, f.problem.split(":")[0]) for f in findings} == {
        (Severity.WARNING, "there is one copy only")
    }


def test_ensure_never_alters_what_is_there(kafka: str) -> None:
    """A topic that somebody set up otherwise stays so, and check finds it."""
    settings = fresh_settings(kafka)
    asyncio.run(create(settings, settings.failure_topic, {"cleanup.policy": "compact"}))

    ensured = asyncio.run(ensure(settings, partitions=3))

    assert [(t.name, t.partitions) for t in ensured if not t.created] == [
        (settings.failure_topic, 2)
    ]
    errors = [f for f in asyncio.run(check(settings)) if f.severity is Severity.ERROR]
    assert {f.topic for f in errors} == {settings.failure_topic}
    assert any("cleanup.policy=compact" in f.problem for f in errors)


def test_ensure_by_two_at_once_works(kafka: str) -> None:
    """Whoever comes second takes the topic as it is."""
    settings = fresh_settings(kafka)

    async def both() -> None:
        results = await asyncio.gather(
            ensure(settings, partitions=1), ensure(settings, partitions=1)
        )
        for name in names(settings):
            made = [t.created for topics in results for t in topics if t.name == name]
            assert made.count(True) == 1, name

    asyncio.run(both())


def test_more_copies_than_brokers_is_wrong_use(kafka: str) -> None:
    """Nothing is created, and the message says how many brokers there are."""
    settings = fresh_settings(kafka)

    with pytest.raises(UsageError, match="needs as many brokers"):
        asyncio.run(ensure(settings, replication=99))

    assert all(f.problem == "it does not exist" for f in asyncio.run(check(settings)))


def test_refusal_names_the_topic_and_the_reason(kafka: str) -> None:
    """What Kafka does not allow is told in its words."""
    run_id = uuid.uuid4().hex
    settings = fresh_settings(kafka, events_topic=f"t_{run_id}")
    asyncio.run(create(settings, f"t.{run_id}", {}))

    with pytest.raises(WorkFailedError, match=rf"refused to create t_{run_id}: .*collides"):
        asyncio.run(ensure(settings, partitions=1))


def test_unreachable_kafka_is_told_without_a_flood(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One error says where and why, and what to do; the log stays empty."""
    (port,) = free_ports(1)
    settings = Settings(kafka_bootstrap_servers=f"127.0.0.1:{port}")

    with pytest.raises(KafkaUnreachableError) as caught:
        asyncio.run(check(settings))

    said = str(caught.value)
    assert f"127.0.0.1:{port}" in said
    assert "refused" in said
    assert "pop-stream kafka up" in said
    assert caplog.records == []


def test_one_bootstrap_server_of_several_is_enough(kafka: str) -> None:
    """A server that is down does not matter while another answers."""
    (port,) = free_ports(1)

    findings = asyncio.run(check(fresh_settings(f"127.0.0.1:{port},{kafka}")))

    assert len(findings) == len(TOPICS)


def test_server_that_is_no_kafka_is_unreachable(kafka: str) -> None:
    """To speak TLS to a plaintext port fails with a reason."""
    settings = fresh_settings(kafka, kafka_security_protocol="SSL")

    with pytest.raises(KafkaUnreachableError, match=r"does not answer SSL"):
        asyncio.run(check(settings))


def test_commands_create_and_judge(kafka: str) -> None:
    """`topics check` fails until `topics ensure` has run; both speak JSON."""
    settings = fresh_settings(kafka)

    missing = run(settings, "check")
    ensured = run(settings, "ensure", "--partitions", "2", "--replication", "1", "--json")
    judged = run(settings, "check", "--json")

    assert missing.returncode == 1
    assert missing.stdout.count("it does not exist") == len(TOPICS)
    assert (ensured.returncode, ensured.stderr) == (0, "")
    assert json.loads(ensured.stdout) == [
        {"name": name, "created": True, "partitions": 2, "replication": 1}
        for name in names(settings)
    ]
    assert judged.returncode == 0
    assert {finding["severity"] for finding in json.loads(judged.stdout)} == {"warning"}


def test_command_without_kafka_exits_3() -> None:
    """The exit code says that it was Kafka."""
    (port,) = free_ports(1)

    result = run(fresh_settings(f"127.0.0.1:{port}"), "ensure")

    assert (result.returncode, result.stdout) == (3, "")
    assert "pop-stream kafka up" in result.stderr


def test_what_was_produced_can_be_read(topics: Settings) -> None:
    """The helpers of tests leave keys, values and headers untouched, and count right."""

    async def scenario() -> None:
        servers, topic = topics.kafka_bootstrap_servers, topics.events_topic
        sent = [
            Outgoing(key=b"s/1", value=b"{}", headers=[("pop-id", b"1")]),
            Outgoing(key=None, value=b"not JSON"),
            Outgoing(key=b"s/2", value=None),
        ]
        await produce(servers, topic, sent)
        got = await read_all(servers, topic)
        assert {(r.key, r.value, r.headers) for r in got} == {
            (b"s/1", b"{}", (("pop-id", b"1"),)),
            (None, b"not JSON", ()),
            (b"s/2", None, ()),
        }
        assert sum((await end_offsets(servers, topic)).values()) == 3
        assert await committed(servers, topics.group, topic) == {}

    asyncio.run(scenario())
