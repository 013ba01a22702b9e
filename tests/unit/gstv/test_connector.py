import asyncio
import errno
import socket
import ssl

import pytest

from pop_stream.gstv.connection import Connection, Hooks
from pop_stream.gstv.connector import Connector
from pop_stream.gstv.endpoint import parse_endpoint
from pop_stream.gstv.resolver import Resolver
from pop_stream.pop.outcome import NoAnswer, Trouble

QUIET = Hooks(finished=lambda *_: None, died=lambda _: None, closed=lambda _: None)


def make() -> Connection[object]:
    """Make a connection that nobody owns."""
    return Connection(QUIET, max_response_bytes=1000)


async def connect(
    monkeypatch: pytest.MonkeyPatch,
    addresses: list[str],
    *,
    failing: dict[str, BaseException],
    port: int = 1,
    timeout_seconds: float = 5.0,
) -> tuple[Connection[object] | NoAnswer, list[str]]:
    """Connect while some addresses fail; give the result and the addresses tried."""
    tried: list[str] = []

    async def look_up(_host: str, _port: int) -> list[str]:
        return addresses

    loop = asyncio.get_running_loop()
    really = loop.create_connection

    async def create_connection(factory: object, host: str, *args: object, **options: object):
        tried.append(host)
        error = failing.get(host)
        if isinstance(error, TimeoutError):
            await asyncio.sleep(3600)
        if error:
            raise error
        return await really(factory, host, *args, **options)

    monkeypatch.setattr(loop, "create_connection", create_connection)
    endpoint = parse_endpoint(f"http://gstv.example:{port}/")
    connector = Connector(endpoint, make, timeout_seconds=timeout_seconds)
    connector._resolver = Resolver("gstv.example", port, lookup=look_up)
    return await connector.connect(), tried


@pytest.mark.parametrize("error", [ConnectionRefusedError(), TimeoutError()])
def test_the_next_address_is_tried(monkeypatch: pytest.MonkeyPatch, error: OSError) -> None:
    """A first address that refuses, or is silent for half of the time, does not end it."""

    async def scenario() -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            made, tried = await connect(
                monkeypatch,
                ["192.0.2.1", "127.0.0.1"],
                failing={"192.0.2.1": error},
                port=server.getsockname()[1],
                timeout_seconds=0.4 if isinstance(error, TimeoutError) else 5,
            )
            assert isinstance(made, Connection)
            assert tried == ["192.0.2.1", "127.0.0.1"]
            assert made.made_at > 0
            made.fail(Trouble.CLOSED, "")
            await asyncio.sleep(0.01)

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("error", "trouble"),
    [
        (ConnectionRefusedError(errno.ECONNREFUSED, "refused"), Trouble.CONNECT),
        (OSError(errno.EHOSTUNREACH, "no route"), Trouble.CONNECT),
        (OSError(errno.EMFILE, "files"), Trouble.EXHAUSTED),
        (OSError(errno.ENFILE, "files"), Trouble.EXHAUSTED),
        (OSError(errno.EADDRNOTAVAIL, "ports"), Trouble.EXHAUSTED),
        (OSError(errno.ENOBUFS, "buffers"), Trouble.EXHAUSTED),
        (ssl.SSLCertVerificationError(1, "expired"), Trouble.TLS),
        (ssl.SSLError(1, "wrong version"), Trouble.TLS),
        (ssl.SSLEOFError(8, "eof"), Trouble.CONNECT),
        (ssl.SSLZeroReturnError(6, "closed"), Trouble.CONNECT),
        (socket.gaierror(socket.EAI_NONAME, "no name"), Trouble.DNS),
        (RuntimeError("the handler is closed"), Trouble.CONNECT),
    ],
)
def test_each_failure_has_its_trouble(
    monkeypatch: pytest.MonkeyPatch, error: BaseException, trouble: Trouble
) -> None:
    """Nothing was sent, and whose fault it is can be told."""

    async def scenario() -> None:
        made, _ = await connect(monkeypatch, ["192.0.2.1"], failing={"192.0.2.1": error})
        assert isinstance(made, NoAnswer)
        assert (made.trouble, made.sent) == (trouble, False)
        assert made.detail

    asyncio.run(scenario())


def test_a_silent_name_server_is_a_matter_of_dns() -> None:
    """The connect timeout includes the name lookup, and says which of the two it was."""

    async def silent(_host: str, _port: int) -> list[str]:
        await asyncio.sleep(3600)
        return []

    async def scenario() -> None:
        endpoint = parse_endpoint("http://gstv.example/")
        connector = Connector(endpoint, make, timeout_seconds=0.05)
        connector._resolver = Resolver("gstv.example", 80, lookup=silent)
        made = await connector.connect()
        assert isinstance(made, NoAnswer)
        assert (made.trouble, made.sent) == (Trouble.DNS, False)

    asyncio.run(scenario())
