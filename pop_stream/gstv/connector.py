"""Makes connections: name, TCP, TLS. A failure is a value that says what was wrong.

Each address that a name leads to is judged, and the very address that was judged is connected to:
there is no second lookup in which it could become another.
"""

import asyncio
import errno
import socket
import ssl
import time
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from pop_stream.access.proxy import ProxyError
from pop_stream.gstv.connection import Connection, describe
from pop_stream.gstv.endpoint import Endpoint
from pop_stream.gstv.resolver import Resolver
from pop_stream.gstv.route import Route
from pop_stream.gstv.tunnel import open_tunnel
from pop_stream.pop.outcome import NoAnswer, Trouble
from pop_stream.settings import is_loopback
from pop_stream.settings.networks import Reachable, is_address

T = TypeVar("T")

#: What says that this process or machine has run out of something, and GSTV is not to blame.
_EXHAUSTED: Final = frozenset(
    {errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS, errno.ENOMEM}
)


class _RefusedAddressError(OSError):
    """None of the addresses may be connected to; its text is for people."""


class Connector(Generic[T]):
    """Makes connections to one endpoint."""

    def __init__(
        self,
        endpoint: Endpoint,
        make: Callable[[], Connection[T]],
        *,
        timeout_seconds: float,
        route: Route | None = None,
    ) -> None:
        route = route or Route()
        self._endpoint = endpoint
        self._make = make
        self._timeout_seconds = timeout_seconds
        self._reachable = Reachable(route.allowed, is_loopback(endpoint.host))
        self._proxy = route.proxy
        near = endpoint if route.proxy is None else route.proxy
        self._resolver = Resolver(near.host, near.port)

    async def connect(self) -> Connection[T] | NoAnswer:
        """Make one connection within the connect timeout."""
        stage = "name lookup"
        try:
            async with asyncio.timeout(self._timeout_seconds) as limit:
                addresses = await self._resolver.addresses()
                if self._proxy is None:
                    addresses = self._permitted(addresses)
                elif is_address(self._endpoint.host):
                    # Of a name only the proxy knows where it leads.
                    self._permitted([self._endpoint.host])
                stage = "connection"
                return await self._first_of(addresses, limit.when() or 0.0)
        except TimeoutError:
            trouble = Trouble.DNS if stage == "name lookup" else Trouble.CONNECT
            return _failed(trouble, f"no {stage} within {self._timeout_seconds:g} s")
        except _RefusedAddressError as error:
            return _failed(Trouble.ADDRESS, str(error))
        except ProxyError as error:
            return _failed(Trouble.PROXY if error.ours else Trouble.CONNECT, str(error))
        except OSError as error:
            return _failed(_trouble(error), describe(error))
        except (RuntimeError, ValueError) as error:
            # uvloop raises RuntimeError when the peer goes away during the handshake.
            return _failed(Trouble.CONNECT, describe(error))

    def _permitted(self, addresses: list[str]) -> list[str]:
        permitted = [address for address in addresses if self._reachable.permits(address)]
        if not permitted:
            raise _RefusedAddressError(
                f"{self._endpoint.host} leads to {addresses[0]}, which is no public address; "
                "POP_STREAM_GSTV_ALLOWED_NETWORKS names those that it may lead to"
            )
        return permitted

    async def _first_of(self, addresses: list[str], deadline: float) -> Connection[T]:
        """Try one address after the other; the last failure is raised."""
        loop = asyncio.get_running_loop()
        for address in addresses[:-1]:
            # Half of the time that is left: a dead first address must not use up all of it.
            until = (loop.time() + deadline) / 2
            try:
                async with asyncio.timeout_at(until):
                    return await self._connect(address)
            except OSError:
                self._resolver.failed(address)
        return await self._connect(addresses[-1])

    async def _connect(self, address: str) -> Connection[T]:
        endpoint = self._endpoint
        if self._proxy is not None:
            connection = await open_tunnel(self._proxy, address, endpoint, self._make)
        else:
            secure = endpoint.ssl_context is not None
            _, connection = await asyncio.get_running_loop().create_connection(
                self._make,
                address,
                endpoint.port,
                ssl=endpoint.ssl_context,
                server_hostname=endpoint.host if secure else None,
            )
        if connection.dead or not connection.is_open():
            raise ConnectionResetError(errno.ECONNRESET, "closed as soon as it was made")
        connection.made_at = time.monotonic()
        return connection


def _failed(trouble: Trouble, detail: str) -> NoAnswer:
    return NoAnswer(trouble, sent=False, detail=detail)


def _trouble(error: OSError) -> Trouble:
    if isinstance(error, socket.gaierror):
        return Trouble.DNS
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return Trouble.CONNECT  # it went away during the handshake: no refusal of TLS
    if isinstance(error, ssl.SSLError):
        return Trouble.TLS
    if error.errno in _EXHAUSTED:
        return Trouble.EXHAUSTED
    return Trouble.CONNECT
