import asyncio
import errno
import socket
import ssl

import pytest

from pop_stream.gstv.connection import Connection, Hooks
from pop_stream.gstv.connector import Connector
from pop_stream.gstv.endpoint import parse_endpoint
from pop_stream.gstv.resolver import Resolver
from pop_stream.gstv.route import Route
from pop_stream.pop.outcome import NoAnswer, Trouble
from pop_stream.settings.networks import parse_networks

#: Addresses of documentation, and this machine, stand for those that are public.
ALLOWED = Route(allowed=parse_networks("192.0.2.0/24,127.0.0.1"))
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
    route: Route = ALLOWED,
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
    connector = Connector(endpoint, make, timeout_seconds=timeout_seconds, route=route)
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


@pytest.mark.parametrize(
    "address", ["10.0.0.1", "127.0.0.1", "169.254.169.254", "fd00:ec2::254", "::ffff:10.0.0.1"]
)
def test_a_name_that_leads_to_a_private_address_is_not_connected_to(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    """Somebody has to look at it: the way it is, no event can be delivered."""

    async def scenario() -> None:
        made, tried = await connect(monkeypatch, [address], failing={}, route=Route())
        assert isinstance(made, NoAnswer)
        assert (made.trouble, made.sent) == (Trouble.ADDRESS, False)
        assert address in made.detail
        assert "POP_STREAM_GSTV_ALLOWED_NETWORKS" in made.detail
        assert tried == []

    asyncio.run(scenario())


def test_the_other_addresses_of_a_name_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only those that may be connected to, whatever else is among them."""

    async def scenario() -> None:
        refused = OSError(errno.ECONNREFUSED, "refused")
        made, tried = await connect(
            monkeypatch,
            ["169.254.169.254", "192.0.2.1", "10.0.0.1", "192.0.2.2", "127.0.0.2"],
            failing={"192.0.2.1": refused, "192.0.2.2": refused},
        )
        assert isinstance(made, NoAnswer)
        assert made.trouble is Trouble.CONNECT
        assert tried == ["192.0.2.1", "192.0.2.2"]

    asyncio.run(scenario())


def test_the_address_that_was_judged_is_the_one_connected_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A name that leads elsewhere at the second lookup is not looked up a second time."""
    answers = iter([["192.0.2.1"], ["169.254.169.254"]])

    async def look_up(_host: str, _port: int) -> list[str]:
        return next(answers)

    async def scenario() -> None:
        tried: list[object] = []

        async def create_connection(_: object, host: object, *__: object, **___: object) -> None:
            tried.append(host)
            raise ConnectionRefusedError

        monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", create_connection)
        connector = Connector(
            parse_endpoint("http://gstv.example/"), make, timeout_seconds=5, route=ALLOWED
        )
        connector._resolver = Resolver("gstv.example", 80, lookup=look_up)
        for trouble in (Trouble.CONNECT, Trouble.CONNECT):
            made = await connector.connect()
            assert isinstance(made, NoAnswer)
            assert made.trouble is trouble
        connector._resolver._until = 0.0
        made = await connector.connect()
        assert isinstance(made, NoAnswer)
        assert made.trouble is Trouble.ADDRESS
        assert tried == ["192.0.2.1", "192.0.2.1"]

    asyncio.run(scenario())


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "gstv.localhost"])
def test_this_machine_is_connected_to_where_the_url_names_it(
    monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    """Without any setting; but what its name leads to beside it is not."""

    async def look_up(_host: str, _port: int) -> list[str]:
        return ["127.0.0.1", "10.0.0.1"]

    async def scenario() -> None:
        tried: list[object] = []

        async def create_connection(_: object, host: object, *__: object, **___: object) -> None:
            tried.append(host)
            raise ConnectionRefusedError

        monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", create_connection)
        connector = Connector(parse_endpoint(f"http://{host}/"), make, timeout_seconds=5)
        connector._resolver = Resolver(host, 80, lookup=look_up)
        await connector.connect()
        assert tried == ["127.0.0.1"]

    asyncio.run(scenario())
