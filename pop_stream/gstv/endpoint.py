"""Where GSTV's endpoint is: one URL taken apart, and the TLS rules for it."""

import ipaddress
import re
import ssl
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import SplitResult, urlsplit

from pop_stream.access.tls import client_ssl_context

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_LABEL: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_UNSAFE_TARGET: Final = re.compile(r"[^\x21-\x7e]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One http or https endpoint. Make it with `parse_endpoint`, which checks every part."""

    scheme: str
    #: A name in ASCII, or an address without brackets: what is connected to.
    host: str
    port: int
    #: Path and query: what follows POST. Never logged: a query may hold a key.
    target: str = field(repr=False)
    #: The value of the Host header.
    host_header: str
    #: The rules for TLS; None for http.
    ssl_context: ssl.SSLContext | None = field(default=None, repr=False, compare=False)

    @property
    def origin(self) -> str:
        """Scheme, host and port: safe to log."""
        return f"{self.scheme}://{self.host_header}"


def parse_endpoint(url: str, *, ssl_context: ssl.SSLContext | None = None) -> Endpoint:
    """Take a URL apart.

    For https without `ssl_context`, the system's CAs are trusted (`client_ssl_context`).
    A URL that we cannot POST to raises ValueError with one sentence for people; it never repeats
    the URL, which may hold a secret.
    """
    parts = _split(url)
    scheme = parts.scheme.lower()
    if scheme not in _DEFAULT_PORTS:
        raise ValueError("the URL must start with http:// or https://")
    if parts.username is not None or parts.password is not None:
        raise ValueError("the URL must not hold a user or a password")
    if parts.fragment or url.endswith("#"):
        raise ValueError("the URL must not hold a fragment (#...)")
    host = _ascii_host(parts.hostname)
    port = _port(parts)
    if scheme == "https" and ssl_context is None:
        ssl_context = client_ssl_context()
    return Endpoint(
        scheme=scheme,
        host=host,
        port=port,
        target=_target(parts),
        host_header=_host_header(host, port, _DEFAULT_PORTS[scheme]),
        ssl_context=ssl_context if scheme == "https" else None,
    )


def _split(url: str) -> SplitResult:
    if url != url.strip() or any(ord(char) <= 0x20 or ord(char) == 0x7F for char in url):
        raise ValueError("the URL must not hold spaces or control characters")
    try:
        return urlsplit(url)
    except ValueError:
        raise ValueError("the URL is malformed: its host is not closed by ]") from None


def _port(parts: SplitResult) -> int:
    try:
        port = parts.port
    except ValueError:
        raise ValueError("the URL's port must be a number from 1 to 65535") from None
    if port is None:
        return _DEFAULT_PORTS[parts.scheme.lower()]
    if port == 0:
        raise ValueError("the URL's port must be a number from 1 to 65535")
    return port


def _ascii_host(host: str | None) -> str:
    if not host:
        raise ValueError("the URL has no host")
    if ":" in host:
        return _ipv6(host)
    try:
        name = host if host.isascii() else host.encode("idna").decode("ascii")
    except UnicodeError:
        raise ValueError("the URL's host is not a valid name") from None
    labels = name.removesuffix(".").split(".")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError("the URL's host is not a valid name")
    return name


def _ipv6(host: str) -> str:
    try:
        address = ipaddress.IPv6Address(host)
    except ValueError:
        raise ValueError("the URL's host is not a valid IPv6 address") from None
    if address.scope_id is not None:
        raise ValueError("the URL's host must not hold a zone (%...)")
    return str(address)


def _host_header(host: str, port: int, default_port: int) -> str:
    name = f"[{host}]" if ":" in host else host
    return name if port == default_port else f"{name}:{port}"


def _target(parts: SplitResult) -> str:
    target = parts.path or "/"
    if parts.query:
        target += f"?{parts.query}"
    if not target.startswith("/") or _UNSAFE_TARGET.search(target):
        raise ValueError("the URL's path and query must be ASCII: percent-encode the rest")
    return target
