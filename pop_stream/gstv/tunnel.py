"""Connects through a forward proxy: a tunnel made by CONNECT, and TLS inside of it."""

import asyncio
import errno
import ssl
from collections.abc import Callable
from typing import TypeVar, cast

from pop_stream.access.proxy import Proxy, ProxyError, connect_request, has_made_tunnel
from pop_stream.gstv.connection import Connection
from pop_stream.gstv.endpoint import Endpoint

T = TypeVar("T")


class _Asking(asyncio.Protocol):
    """Waits for the proxy's answer, and then for nothing: what comes too early is noted."""

    def __init__(self) -> None:
        self.answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.early = False
        self._answer = b""
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self.answered.done():
            self.early = True
            return
        self._answer += data
        try:
            if has_made_tunnel(self._answer):
                self._transport.pause_reading()
                self.answered.set_result(None)
        except ProxyError as error:
            self.answered.set_exception(error)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.answered.done():
            self.answered.set_exception(
                exc or ConnectionResetError(errno.ECONNRESET, "the proxy closed the connection")
            )


async def open_tunnel(
    proxy: Proxy, address: str, endpoint: Endpoint, make: Callable[[], Connection[T]]
) -> Connection[T]:
    """Connect to the endpoint through the proxy at an address.

    Raises OSError, and ProxyError when the proxy makes no tunnel.
    """
    loop = asyncio.get_running_loop()
    transport, asking = await loop.create_connection(_Asking, address, proxy.port)
    try:
        transport.write(connect_request(proxy, endpoint.host, endpoint.port))
        await asking.answered
        inner = transport
        if endpoint.ssl_context is not None:
            # The connection comes in only afterwards: it need not know of handshakes that fail.
            inner = await _with_tls(transport, asking, endpoint.ssl_context, endpoint.host)
        connection = make()
        inner.set_protocol(connection)
        connection.connection_made(inner)
        if inner is transport:
            transport.resume_reading()
    except BaseException:
        asking.answered.cancel()
        transport.abort()
        raise
    return connection


async def _with_tls(
    transport: asyncio.Transport, asking: _Asking, context: ssl.SSLContext, host: str
) -> asyncio.Transport:
    inner = await asyncio.get_running_loop().start_tls(
        transport, asking, context, server_hostname=host
    )
    if inner is None or asking.early:
        raise ConnectionResetError(errno.ECONNRESET, "closed, or spoken to, as soon as it was made")
    return inner
