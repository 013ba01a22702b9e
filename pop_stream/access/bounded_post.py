"""One POST of a form, blocking, with the standard library alone: bounded in time and in size.

No redirect is followed, and no variable of the environment names a proxy. For requests that are
few: a thread of its own waits for each.
"""

import errno
import http.client
import io
import socket
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, cast
from urllib.parse import urlencode, urlsplit

from pop_stream import __version__
from pop_stream.access.proxy import Proxy, connect_request, has_made_tunnel
from pop_stream.settings import is_loopback
from pop_stream.settings.networks import Network, Reachable, is_address

_PORTS: Final = {"http": 80, "https": 443}
_MOST_BYTES: Final = 65_536


class RefusedAddressError(Exception):
    """The host's name leads to no address that may be connected to; the text is for people."""


class TooLargeError(Exception):
    """The answer is over what is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostTarget:
    """Where a form is POSTed, and how that is reached."""

    url: str = field(repr=False)
    #: The rules for TLS, with https.
    ssl_context: ssl.SSLContext | None = field(default=None, repr=False)
    allowed: tuple[Network, ...] = ()
    proxy: Proxy | None = None
    #: For all of it but the name lookup, whose time the system bounds.
    timeout_seconds: float = 5.0


@dataclass(frozen=True, slots=True)
class PostAnswer:
    """What came back."""

    status: int
    body: bytes = field(repr=False)


def post_form(target: PostTarget, form: Mapping[str, str], authorization: bytes) -> PostAnswer:
    """POST a form.

    Raises OSError (ssl.SSLError, socket.gaierror and TimeoutError among them), ProxyError,
    RefusedAddressError, http.client.HTTPException, and TooLargeError.
    """
    parts = urlsplit(target.url)
    host = (parts.hostname or "").encode("idna").decode("ascii")
    port = parts.port or _PORTS[parts.scheme]
    body = urlencode(form).encode("ascii")
    name = f"[{host}]" if ":" in host else host
    head = (
        f"POST {parts.path or '/'}{'?' if parts.query else ''}{parts.query} HTTP/1.1\r\n"
        f"Host: {name if port == _PORTS[parts.scheme] else f'{name}:{port}'}\r\n"
        f"User-Agent: pop-stream/{__version__}\r\n"
        "Accept: application/json\r\nConnection: close\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(body)}\r\n"
    ).encode("ascii") + b"Authorization: %b\r\n\r\n" % authorization
    deadline = time.monotonic() + target.timeout_seconds
    with _connected(target, host, port, deadline) as plain:
        plain.settimeout(_left(deadline))
        context = target.ssl_context if parts.scheme == "https" else None
        if context is None:
            return _exchange(plain, head + body, deadline)
        with context.wrap_socket(plain, server_hostname=host) as secure:
            return _exchange(secure, head + body, deadline)


def _exchange(sock: socket.socket, request: bytes, deadline: float) -> PostAnswer:
    sock.settimeout(_left(deadline))
    sock.sendall(request)
    # All that it asks of a socket is what it reads from.
    reading = cast("socket.socket", _Bounded(sock, deadline))
    with http.client.HTTPResponse(reading, method="POST") as response:
        response.begin()
        return PostAnswer(response.status, response.read())


def _connected(target: PostTarget, host: str, port: int, deadline: float) -> socket.socket:
    reachable = Reachable(target.allowed, is_loopback(host))
    if target.proxy is None:
        return _first_of(host, port, deadline, reachable)
    if is_address(host):
        # Of a name only the proxy knows where it leads.
        _permitted([host], host, reachable)
    sock = _first_of(target.proxy.host, target.proxy.port, deadline, None)
    try:
        sock.settimeout(_left(deadline))
        sock.sendall(connect_request(target.proxy, host, port))
        _wait_for_tunnel(sock, deadline)
    except BaseException:
        sock.close()
        raise
    return sock


def _wait_for_tunnel(sock: socket.socket, deadline: float) -> None:
    answer = b""
    while not has_made_tunnel(answer):
        sock.settimeout(_left(deadline))
        came = sock.recv(4096)
        if not came:
            raise ConnectionResetError(errno.ECONNRESET, "the proxy closed the connection")
        answer += came


def _first_of(host: str, port: int, deadline: float, reachable: Reachable | None) -> socket.socket:
    """Try one address after the other; the last failure is raised."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    if reachable is not None:
        addresses = _permitted(addresses, host, reachable)
    for address in addresses[:-1]:
        # Half of the time that is left: a dead first address must not use up all of it.
        with suppress(OSError):
            return socket.create_connection((address, port), _left(deadline) / 2)
    return socket.create_connection((addresses[-1], port), _left(deadline))


def _permitted(addresses: list[str], host: str, reachable: Reachable) -> list[str]:
    permitted = [address for address in addresses if reachable.permits(address)]
    if not permitted:
        raise RefusedAddressError(
            f"{host} leads to {addresses[0]}, which is no public address; "
            "POP_STREAM_GSTV_ALLOWED_NETWORKS names those that it may lead to"
        )
    return permitted


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("no answer in time")
    return left


class _Bounded(io.RawIOBase):
    """Reads from a socket until a time, and not more than a limit."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock = sock
        self._deadline = deadline
        self._room = _MOST_BYTES

    def makefile(self, *_: object) -> io.BufferedReader:
        """Give itself, as `HTTPResponse` asks a socket for its file."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read some bytes; 0 at the end."""
        self._sock.settimeout(_left(self._deadline))
        count = self._sock.recv_into(buffer)
        self._room -= count
        if self._room < 0:
            raise TooLargeError(f"the answer is over {_MOST_BYTES} bytes")
        return count
