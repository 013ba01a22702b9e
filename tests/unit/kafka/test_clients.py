"""The clients of aiokafka are held to the settings."""

import ast
import asyncio
import logging
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaClient
from aiokafka.structs import BrokerMetadata

import pop_stream
from pop_stream.access import reread
from pop_stream.analysis import scan
from pop_stream.analysis.scan import Topics
from pop_stream.errors import KafkaUnreachableError
from pop_stream.kafka import clients
from pop_stream.kafka.clients import client_of
from pop_stream.kafka.complaints import heard_from_aiokafka
from pop_stream.settings import Settings, load_settings

ROOT = Path(pop_stream.__file__).parent
#: Where clients are made: our own, and the two that Faust makes for us.
MAKERS = {"kafka/clients.py", "stream/consumer_thread.py"}


class Conn:
    """A connection that was asked for, and how."""

    def __init__(self, host: str, how: dict[str, Any]) -> None:
        self.host = host
        self.how = how

    def connected(self) -> bool:
        """It is made anew each time."""
        return False


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Conn]:
    """Give the connections that aiokafka asks for, instead of making them."""
    made: list[Conn] = []

    async def create_conn(host: str, _: int, **how: Any) -> Conn:
        made.append(Conn(host, how))
        return made[-1]

    monkeypatch.setattr("aiokafka.client.create_conn", create_conn)
    monkeypatch.setattr(reread, "_LOOK_SECONDS", 0.0)
    return made


def connect(settings: Settings, *, to: str, before: Any = lambda: None, times: int = 1) -> None:
    """Let a client connect to a broker that says that it is at this host."""

    async def run() -> None:
        client = client_of(settings)
        client.cluster._brokers = {1: BrokerMetadata(1, to, 9092, None)}
        for _ in range(times):
            await client._get_conn(1)
            before()
        client._conns.clear()
        await client.close()

    asyncio.run(run())


def test_a_renewed_password_is_used_for_the_next_connection(
    asked: list[Conn], tmp_path: Path
) -> None:
    """Aiokafka keeps the one that it was made with; the file may hold another by now."""
    path = tmp_path / "password"
    path.write_text("first")
    settings = load_settings(
        {
            "POP_STREAM_KAFKA_SECURITY_PROTOCOL": "SASL_SSL",
            "POP_STREAM_KAFKA_SASL_USERNAME": "forwarder",
            "POP_STREAM_KAFKA_SASL_PASSWORD_FILE": str(path),
        },
        dotenv=None,
    )
    connect(settings, to="kafka.example", before=lambda: path.write_text("second"), times=2)

    assert [each.how["sasl_plain_password"] for each in asked] == ["first", "second"]


@pytest.mark.parametrize("protocol", ["PLAINTEXT", "SASL_PLAINTEXT"])
def test_a_broker_that_says_it_is_elsewhere_is_not_spoken_to_in_the_clear(
    asked: list[Conn], caplog: pytest.LogCaptureFixture, protocol: str
) -> None:
    """The address in the settings is on this machine; the one that the broker gives is not."""
    settings = Settings(
        kafka_security_protocol=protocol,
        kafka_sasl_username="forwarder",
        kafka_sasl_password="secret",
    )
    with caplog.at_level(logging.ERROR):
        connect(settings, to="kafka.example")
    with heard_from_aiokafka() as complaints:
        connect(settings, to="kafka.example")

    assert asked == []
    assert [each.getMessage() for each in caplog.records] == ["broker.refused"]
    assert "kafka.example" in complaints[0]
    assert "POP_STREAM_KAFKA_ALLOW_PLAINTEXT" in complaints[0]


@pytest.mark.parametrize(
    ("settings", "host"),
    [
        (Settings(), "127.0.0.1"),
        (Settings(), "localhost"),
        (Settings(kafka_allow_plaintext=True), "kafka.example"),
        (Settings(kafka_security_protocol="SSL"), "kafka.example"),
    ],
)
def test_other_brokers_are_spoken_to(asked: list[Conn], settings: Settings, host: str) -> None:
    """Those of this machine, those that are allowed, and those with TLS."""
    connect(settings, to=host)

    assert [each.host for each in asked] == [host]


def test_commands_of_analysts_go_nowhere_in_the_clear_that_a_broker_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No client of librdkafka is made before: it goes to any address that it is told."""

    async def bootstrap(client: AIOKafkaClient) -> None:
        client.cluster._brokers = {1: BrokerMetadata(1, "kafka.example", 9092, None)}

    def never(_: object) -> None:
        raise AssertionError("a client of librdkafka was made")

    monkeypatch.setattr(AIOKafkaClient, "bootstrap", bootstrap)
    monkeypatch.setattr(scan, "Consumer", never)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        servers = f"127.0.0.1:{listener.getsockname()[1]}"
        settings = Settings(kafka_bootstrap_servers=servers)
        for ask in (Topics.cluster_id, lambda topics: topics.spans(["pop-events"])):
            with Topics(settings) as topics, pytest.raises(KafkaUnreachableError) as caught:
                ask(topics)
            assert "kafka.example" in str(caught.value)
            assert "POP_STREAM_KAFKA_ALLOW_PLAINTEXT" in str(caught.value)


def _calls(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else None
            yield name or (node.func.id if isinstance(node.func, ast.Name) else "")


def test_no_client_is_made_anywhere_else() -> None:
    """One that is would not be held to the settings."""
    made = {
        str(path.relative_to(ROOT))
        for path in ROOT.rglob("*.py")
        if any(name.startswith("AIOKafka") for name in _calls(path))
    }

    assert made == MAKERS
    assert clients.__file__ == str(ROOT / "kafka/clients.py")
