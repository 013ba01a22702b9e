"""TLS as a client, with real handshakes on real sockets."""

import asyncio
import contextlib
import ssl
import warnings
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
import uvloop

from pop_stream.access import reread
from pop_stream.access.tls import client_ssl_context
from tests.support.authority import Authority

Run = Callable[[Coroutine[Any, Any, None]], None]


@pytest.fixture(autouse=True)
def looked_at_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are looked at whenever somebody asks."""
    monkeypatch.setattr(reread, "_LOOK_SECONDS", 0.0)


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    """Run a coroutine on each kind of event loop."""
    factory = uvloop.new_event_loop if request.param == "uvloop" else asyncio.new_event_loop

    def run(main: Coroutine[Any, Any, None]) -> None:
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(main)

    return run


@contextlib.asynccontextmanager
async def listening(certificate: Path, *, clients: Path | None = None) -> AsyncIterator[int]:
    """Listen with TLS; a client is sent the common name that it showed. Gives the port."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    if clients:
        context.load_verify_locations(clients)
        context.verify_mode = ssl.CERT_REQUIRED

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        shown = writer.get_extra_info("peercert") or {"subject": ()}
        names = [value for part in shown["subject"] for key, value in part if key == "commonName"]
        writer.write("".join(names).encode() + b"\n")
        with contextlib.suppress(OSError):
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def shown_to(port: int, context: ssl.SSLContext, host: str = "127.0.0.1") -> str:
    """Connect, and give the name that the server saw."""
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=context, server_hostname=host
    )
    try:
        return (await reader.readline()).decode().strip()
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


def test_a_renewed_certificate_is_shown_to_the_next_server(run: Run, tmp_path: Path) -> None:
    """The context that a client was made with shows what its file holds by now."""
    authority = Authority(tmp_path)
    server = authority.certificate("127.0.0.1", file="server.pem")
    own = authority.certificate(common_name="old", file="own.pem")
    context = client_ssl_context(str(authority.cafile), str(own))

    async def scenario() -> None:
        async with listening(server, clients=authority.cafile) as port:
            assert await shown_to(port, context) == "old"
            authority.certificate(common_name="new", file="own.pem")
            assert await shown_to(port, context) == "new"

    run(scenario())


def test_an_authority_that_was_taken_away_is_not_believed_any_more(
    run: Run, tmp_path: Path
) -> None:
    """A replaced CA file takes away as well as it gives."""
    old, new = Authority(tmp_path, "old"), Authority(tmp_path, "new")
    trusted = tmp_path / "trusted.pem"
    trusted.write_bytes(old.cafile.read_bytes())
    context = client_ssl_context(str(trusted))

    async def scenario() -> None:
        async with listening(old.certificate("127.0.0.1", file="a.pem")) as port:
            await shown_to(port, context)
            trusted.write_bytes(new.cafile.read_bytes())
            with pytest.raises(ssl.SSLCertVerificationError):
                await shown_to(port, context)
        async with listening(new.certificate("127.0.0.1", file="b.pem")) as port:
            await shown_to(port, context)

    run(scenario())


def test_a_certificate_for_another_name_is_refused(run: Run, tmp_path: Path) -> None:
    """The host's name is checked, also by a context that keeps up with its files."""
    authority = Authority(tmp_path)
    context = client_ssl_context(str(authority.cafile))

    async def scenario() -> None:
        async with listening(authority.certificate("gstv.example", file="s.pem")) as port:
            with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
                await shown_to(port, context)
            await shown_to(port, context, host="gstv.example")

    run(scenario())


def test_tls_before_1_2_is_refused(run: Run, tmp_path: Path) -> None:
    """A server that speaks only TLS 1.1 gets no connection; it would from a client that may."""
    authority = Authority(tmp_path)
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(authority.certificate("127.0.0.1", file="s.pem"))
    server.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        server.minimum_version = server.maximum_version = ssl.TLSVersion.TLSv1_1
        lax = ssl.create_default_context(cafile=authority.cafile)
        lax.set_ciphers("ALL:@SECLEVEL=0")
        lax.minimum_version = ssl.TLSVersion.TLSv1_1
    context = client_ssl_context(str(authority.cafile))

    async def scenario() -> None:
        listener = await asyncio.start_server(
            lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=server
        )
        async with listener:
            port = listener.sockets[0].getsockname()[1]
            await shown_to(port, lax)
            with pytest.raises((ssl.SSLError, ConnectionResetError)):
                await shown_to(port, context)

    run(scenario())


def test_a_certificate_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    """Neither text nor the key of another certificate passes; nobody is asked for a password."""
    authority = Authority(tmp_path)
    own = authority.certificate(common_name="a", file="a.pem")
    other = authority.certificate(common_name="b", file="b.pem")
    text = tmp_path / "text.pem"
    text.write_text("no certificate")

    for certfile, keyfile in ((text, None), (own, other), (own, tmp_path / "missing.pem")):
        with pytest.raises(ValueError, match="certificate and its key"):
            client_ssl_context(None, str(certfile), keyfile and str(keyfile))
