"""The GSTV client through a forward proxy: a tunnel for http and for https."""

import asyncio
import socket
import ssl
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from pop_stream.access.proxy import Proxy, ProxyUser
from pop_stream.access.tls import client_ssl_context
from pop_stream.gstv.route import Route
from pop_stream.pop.outcome import Answer, Trouble
from tests.support.forward_proxy import MADE, ForwardProxy, forward_proxy
from tests.support.gstv_posts import posts_to, status, trouble
from tests.support.gstv_server import (
    CERTS,
    HostileServer,
    Peer,
    always_ok,
    hostile_server,
    server_context,
)

Run = Callable[[Coroutine[Any, Any, None]], None]


@pytest.fixture
def trusting() -> ssl.SSLContext:
    """The client's rules, with the tests' own CA."""
    return client_ssl_context(str(CERTS / "ca.pem"))


def port_of(server: HostileServer) -> int:
    """Where a server listens."""
    return int(server.url.split(":")[2].split("/")[0])


def through(proxy: ForwardProxy, user: ProxyUser | None = None) -> Route:
    """A way that needs no address to be allowed: the operator has named the proxy."""
    return Route(proxy=Proxy("127.0.0.1", proxy.port, user))


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_posts_go_through_a_tunnel(run: Run, trusting: ssl.SSLContext, scheme: str) -> None:
    """The proxy looks the name up; TLS is with GSTV itself, and a tunnel is used again."""

    async def scenario() -> None:
        context = server_context("other-name") if scheme == "https" else None
        with hostile_server(always_ok, context=context) as server:
            with forward_proxy(port_of(server)) as proxy:
                async with posts_to(
                    f"{scheme}://gstv.example/pop", context=trusting, route=through(proxy)
                ) as posts:
                    for number in range(3):
                        assert await posts.post_and_wait(f"id-{number}") == Answer(200)
                        await asyncio.sleep(0.02)  # beyond the time without a look at the socket
                port = 443 if scheme == "https" else 80
                assert proxy.asked == [
                    f"CONNECT gstv.example:{port} HTTP/1.1\r\n"
                    f"Host: gstv.example:{port}\r\n\r\n".encode()
                ]
            assert server.ids() == ["id-0", "id-1", "id-2"]

    run(scenario())


def test_many_tunnels_carry_large_bodies(run: Run, trusting: ssl.SSLContext) -> None:
    """Nothing of what is sent or received is lost between the two handshakes."""

    async def scenario() -> None:
        context = server_context("other-name")
        with hostile_server(always_ok, context=context) as server:
            with forward_proxy(port_of(server)) as proxy:
                async with posts_to(
                    "https://gstv.example/pop", context=trusting, route=through(proxy)
                ) as posts:
                    for number in range(8):
                        posts.post(f"id-{number}", b"%d" % number * 100_000)
                    for number in range(8):
                        assert status(await posts.outcome(f"id-{number}")) == 200
            assert sorted(server.ids()) == [f"id-{number}" for number in range(8)]

    run(scenario())


def test_the_proxy_hears_who_we_are(run: Run) -> None:
    """As its password is at that moment; GSTV hears nothing of it."""

    async def scenario() -> None:
        user = ProxyUser("ü", lambda: "p:w")
        with hostile_server(always_ok) as server, forward_proxy(port_of(server)) as proxy:
            async with posts_to("http://gstv.example/", route=through(proxy, user)) as posts:
                assert status(await posts.post_and_wait("id")) == 200
            assert b"\r\nProxy-Authorization: Basic w7w6cDp3\r\n" in proxy.asked[0]
            assert b"roxy" not in server.requests[0][1]

    run(scenario())


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 3\r\n\r\nwho", "proxy"),
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", "proxy"),
        (b"HTTP/1.1 302 Found\r\nLocation: http://x/\r\n\r\n", "proxy"),
        (b"HTTP/1.1 500 Internal Server Error\r\n\r\n", "connect"),
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", "connect"),
        (b"HTTP/1.0 503 Service Unavailable\r\n\r\n", "connect"),
        (b"HTTP/1.1 504 Gateway Timeout\r\n\r\n", "connect"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 9000, "proxy"),
        (MADE + b"HTTP/1.1 200 OK\r\n\r\n", "proxy"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "proxy"),
        (b"HTTP/2 200\r\n\r\n", "proxy"),
        (b"HTTP/1.1 200 OK", "connect"),
        (b"", "connect"),
    ],
)
def test_a_proxy_that_makes_no_tunnel(run: Run, answer: bytes, expected: str) -> None:
    """Refuses us or is none: somebody has to mend it. Cannot get through: GSTV is down."""

    async def scenario() -> None:
        with forward_proxy(answer=answer) as proxy:
            async with posts_to("http://gstv.example/", route=through(proxy)) as posts:
                outcome = await posts.post_and_wait("id")
        assert trouble(outcome) == (Trouble(expected), False)

    run(scenario())


def test_a_proxy_that_is_not_there_is_gstv_not_reached(run: Run) -> None:
    """It may be there again soon."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

    async def scenario() -> None:
        route = Route(proxy=Proxy("127.0.0.1", port))
        async with posts_to("http://gstv.example/", route=route) as posts:
            assert trouble(await posts.post_and_wait("id")) == (Trouble.CONNECT, False)

    run(scenario())


def test_a_proxy_that_says_nothing_costs_the_connect_timeout(run: Run) -> None:
    """All of the way to GSTV has one time."""

    async def scenario() -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            route = Route(proxy=Proxy("127.0.0.1", server.getsockname()[1]))
            async with posts_to(
                "http://gstv.example/", route=route, connect_timeout_seconds=0.2
            ) as posts:
                assert trouble(await posts.post_and_wait("id")) == (Trouble.CONNECT, False)

    run(scenario())


@pytest.mark.parametrize("certificate", ["server", "expired"])
def test_behind_a_proxy_too_a_wrong_certificate_gets_no_post(
    run: Run, trusting: ssl.SSLContext, certificate: str
) -> None:
    """The tunnel is there, and nothing goes through it."""

    async def scenario() -> None:
        context = server_context(certificate)
        with hostile_server(always_ok, context=context) as server:
            with forward_proxy(port_of(server)) as proxy:
                async with posts_to(
                    "https://gstv.example/", context=trusting, route=through(proxy)
                ) as posts:
                    assert trouble(await posts.post_and_wait("id")) == (Trouble.TLS, False)
            assert server.requests == []

    run(scenario())


@pytest.mark.parametrize("ending", [Peer.close, Peer.reset])
def test_an_end_within_the_handshake_behind_a_proxy_is_no_refusal_of_tls(
    run: Run, trusting: ssl.SSLContext, ending: Callable[[Peer], None]
) -> None:
    """GSTV that goes away while connecting may be back soon."""

    async def scenario() -> None:
        with hostile_server(ending) as server, forward_proxy(port_of(server)) as proxy:
            async with posts_to(
                "https://gstv.example/", context=trusting, route=through(proxy)
            ) as posts:
                assert trouble(await posts.post_and_wait("id")) == (Trouble.CONNECT, False)

    run(scenario())


def test_an_answer_that_is_cut_off_behind_a_proxy_is_unknown(
    run: Run, trusting: ssl.SSLContext
) -> None:
    """As without one."""

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\n")
        peer.close()

    async def scenario() -> None:
        context = server_context("other-name")
        with hostile_server(script, context=context) as gstv, forward_proxy(port_of(gstv)) as proxy:
            async with posts_to(
                "https://gstv.example/", context=trusting, route=through(proxy)
            ) as posts:
                assert trouble(await posts.post_and_wait("id")) == (Trouble.RESET, True)

    run(scenario())


def test_a_private_address_in_the_url_is_refused_behind_a_proxy_too(run: Run) -> None:
    """Of a name only the proxy knows where it leads; of an address we do."""

    async def scenario() -> None:
        with forward_proxy() as proxy:
            async with posts_to("http://169.254.169.254/", route=through(proxy)) as posts:
                assert trouble(await posts.post_and_wait("id")) == (Trouble.ADDRESS, False)
            assert proxy.asked == []

    run(scenario())
