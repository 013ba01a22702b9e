"""The GSTV client over TLS: whom it trusts, and what a refusal becomes."""

import asyncio
import ssl
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from pop_stream.access.tls import client_ssl_context
from pop_stream.pop.outcome import Answer, Trouble
from tests.support.gstv_posts import posts_to, status, trouble
from tests.support.gstv_server import CERTS, OK, Peer, always_ok, hostile_server, server_context

Run = Callable[[Coroutine[Any, Any, None]], None]


@pytest.fixture
def trusting() -> ssl.SSLContext:
    """The client's rules, with the tests' own CA."""
    return client_ssl_context(str(CERTS / "ca.pem"))


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_posts_go_over_tls(run: Run, trusting: ssl.SSLContext, version: ssl.TLSVersion) -> None:
    """With TLS 1.2 and 1.3, posts share a connection and are answered."""
    context = server_context()
    context.minimum_version = context.maximum_version = version

    async def scenario() -> None:
        with hostile_server(always_ok, context=context) as server:
            async with posts_to(server.url, context=trusting) as posts:
                for number in range(3):
                    assert await posts.post_and_wait(f"id-{number}") == Answer(200)
                    await asyncio.sleep(0.02)  # beyond the time without a look at the socket
            assert server.accepted == 1

    run(scenario())


def test_a_large_body_goes_over_tls(run: Run, trusting: ssl.SSLContext) -> None:
    """Many TLS records make one request."""

    async def scenario() -> None:
        with hostile_server(always_ok, context=server_context()) as server:
            async with posts_to(server.url, context=trusting) as posts:
                assert status(await posts.post_and_wait("id", b"x" * 1_000_000)) == 200
            assert server.requests[0][1].endswith(b"x" * 1_000_000)

    run(scenario())


@pytest.mark.parametrize("certificate", ["other-name", "expired"])
def test_a_wrong_certificate_gets_no_post(
    run: Run, trusting: ssl.SSLContext, certificate: str
) -> None:
    """A certificate for another name, or one that has expired, ends it before anything is sent."""

    async def scenario() -> None:
        with hostile_server(always_ok, context=server_context(certificate)) as server:
            async with posts_to(server.url, context=trusting) as posts:
                outcome = await posts.post_and_wait("id")
                assert trouble(outcome) == (Trouble.TLS, False)
            assert server.requests == []

    run(scenario())


def test_an_unknown_ca_gets_no_post(run: Run) -> None:
    """Without being told so, the client does not trust the tests' own CA."""

    async def scenario() -> None:
        with hostile_server(always_ok, context=server_context()) as server:
            async with posts_to(server.url) as posts:
                assert trouble(await posts.post_and_wait("id")) == (Trouble.TLS, False)
            assert server.requests == []

    run(scenario())


def test_an_old_tls_gets_no_post(run: Run, trusting: ssl.SSLContext) -> None:
    """A server without TLS 1.2 is not spoken to."""
    context = server_context()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1

    async def scenario() -> None:
        with hostile_server(always_ok, context=context) as server:
            async with posts_to(server.url, context=trusting) as posts:
                assert trouble(await posts.post_and_wait("id")) == (Trouble.TLS, False)

    run(scenario())


def test_a_server_without_tls_gets_no_post(run: Run, trusting: ssl.SSLContext) -> None:
    """What is no TLS at all is a matter of configuration, not of the network."""

    def script(peer: Peer) -> None:
        peer.send(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        peer.wait_until_gone()

    async def scenario() -> None:
        with hostile_server(script) as server:
            url = server.url.replace("http:", "https:")
            async with posts_to(url, context=trusting) as posts:
                assert trouble(await posts.post_and_wait("id")) == (Trouble.TLS, False)

    run(scenario())


@pytest.mark.parametrize("ending", [Peer.close, Peer.reset])
def test_an_end_within_the_handshake_is_no_refusal_of_tls(
    run: Run, trusting: ssl.SSLContext, ending: Callable[[Peer], None]
) -> None:
    """A server that goes away while connecting may be back soon."""

    async def scenario() -> None:
        with hostile_server(ending) as server:
            url = server.url.replace("http:", "https:")
            async with posts_to(url, context=trusting) as posts:
                assert trouble(await posts.post_and_wait("id")) == (Trouble.CONNECT, False)

    run(scenario())


def test_a_handshake_that_hangs_costs_the_connect_timeout(
    run: Run, trusting: ssl.SSLContext
) -> None:
    """The connect timeout includes TLS."""

    async def scenario() -> None:
        with hostile_server(lambda peer: peer.wait_until_gone()) as server:
            url = server.url.replace("http:", "https:")
            async with posts_to(url, context=trusting, connect_timeout_seconds=0.2) as posts:
                assert trouble(await posts.post_and_wait("id")) == (Trouble.CONNECT, False)

    run(scenario())


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_server_that_wants_our_certificate_is_a_matter_of_tls(
    run: Run, trusting: ssl.SSLContext, version: ssl.TLSVersion
) -> None:
    """TLS 1.2 refuses within the handshake; 1.3 after it, when a request may be on its way."""
    context = server_context()
    context.minimum_version = context.maximum_version = version
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(CERTS / "ca.pem")

    async def scenario() -> None:
        with hostile_server(always_ok, context=context) as server:
            async with posts_to(server.url, context=trusting) as posts:
                assert trouble(await posts.post_and_wait("id"))[0] is Trouble.TLS
            assert server.requests == []

    run(scenario())


def test_our_certificate_is_shown(run: Run) -> None:
    """With a certificate in the client's context, such a server takes posts."""
    showing = client_ssl_context(str(CERTS / "ca.pem"), str(CERTS / "server.pem"))
    context = server_context()
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(CERTS / "ca.pem")

    async def scenario() -> None:
        with hostile_server(always_ok, context=context) as server:
            async with posts_to(server.url, context=showing) as posts:
                assert status(await posts.post_and_wait("id")) == 200

    run(scenario())


@pytest.mark.parametrize("ending", [Peer.close, Peer.reset])
@pytest.mark.parametrize("beginning", [b"", OK[:-1]])
def test_an_end_over_tls_is_unknown(
    run: Run, trusting: ssl.SSLContext, ending: Callable[[Peer], None], beginning: bytes
) -> None:
    """Over TLS too, an answer that is not whole leaves the outcome unknown."""

    def script(peer: Peer) -> None:
        peer.read_request()
        if beginning:
            peer.send(beginning)
        ending(peer)

    async def scenario() -> None:
        with hostile_server(script, context=server_context()) as server:
            async with posts_to(server.url, context=trusting) as posts:
                assert trouble(await posts.post_and_wait("id")) == (Trouble.RESET, True)
            assert len(server.requests) == 1

    run(scenario())


def test_a_timeout_over_tls_closes_the_connection(run: Run, trusting: ssl.SSLContext) -> None:
    """No TLS farewell is waited for."""
    gone = threading.Event()

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.wait_until_gone()
        gone.set()

    async def scenario() -> None:
        with hostile_server(script, context=server_context()) as server:
            limits = {"total_timeout_seconds": 0.3}
            async with posts_to(server.url, context=trusting, **limits) as posts:
                assert trouble(await posts.post_and_wait("id")) == (Trouble.TIMEOUT, True)
                assert await asyncio.to_thread(gone.wait, 20)

    run(scenario())
