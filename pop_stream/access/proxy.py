"""A forward proxy, as it is asked for a tunnel with CONNECT (RFC 9110, 9.3.6)."""

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

#: A longer head of its answer is not read.
_MOST_HEAD_BYTES: Final = 8192
_HEAD_END: Final = b"\r\n\r\n"
_status_of: Final = re.compile(rb"HTTP/1\.[01] ([0-9]{3})(?: [^\r\n]*)?\r\n").match
#: What says that the proxy is well, and the way behind it is not.
_BEHIND: Final = frozenset((500, 502, 503, 504))


@dataclass(frozen=True, slots=True)
class ProxyUser:
    """Who we are to a proxy."""

    name: str
    #: Gives the password as it is now.
    password: Callable[[], str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Proxy:
    """Where a proxy is; it is spoken to in the clear."""

    host: str
    port: int
    user: ProxyUser | None = None


class ProxyError(Exception):
    """The proxy makes no tunnel. Its text is for people, and repeats nothing of the answer."""

    def __init__(self, why: str, *, ours: bool) -> None:
        super().__init__(why)
        #: Whether somebody has to mend it here; else the way behind the proxy is down.
        self.ours = ours


def connect_request(proxy: Proxy, host: str, port: int) -> bytes:
    """Make the request for a tunnel to a host: a name in ASCII, or an address without brackets."""
    authority = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    lines = f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n"
    if proxy.user is not None:
        pair = f"{proxy.user.name}:{proxy.user.password()}".encode()
        lines += f"Proxy-Authorization: Basic {base64.b64encode(pair).decode()}\r\n"
    return f"{lines}\r\n".encode("ascii")


def has_made_tunnel(answer: bytes) -> bool:
    """Say whether a proxy's answer, as far as it came, is whole and makes the tunnel.

    Raises ProxyError when there will be no tunnel.
    """
    head, end, behind = answer.partition(_HEAD_END)
    if not end:
        if len(answer) > _MOST_HEAD_BYTES:
            raise ProxyError(f"the proxy's answer is over {_MOST_HEAD_BYTES} bytes", ours=True)
        return False
    found = _status_of(head + end)
    if found is None:
        raise ProxyError("what answers as the proxy is none", ours=True)
    status = int(found[1])
    if status == 407:
        raise ProxyError("the proxy does not know us (407)", ours=True)
    if not 200 <= status < 300:
        raise ProxyError(f"the proxy makes no tunnel ({status})", ours=status not in _BEHIND)
    if behind:
        raise ProxyError("the proxy sent more than an answer", ours=True)
    return True
