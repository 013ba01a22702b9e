"""Whose requests are answered, by the name that they call us by.

A page in a browser may have its own name lead to 127.0.0.1, and then read what listens there. The
browser still sends that name along, as `Host`: what listens on loopback answers to its own only.
"""

import re
from collections.abc import Callable
from ipaddress import ip_address

_parts = re.compile(r"(?:\[([^\[\]]*)\]|([^:\[\]]*))(?::\d*)?").fullmatch


def hosts_of(asked: str, address: str) -> Callable[[str | None], bool]:
    """Which `Host` is answered, for who was asked to listen on `asked` and does on `address`.

    Not on loopback, every one: there it is met under the names that its network gives it. Who sends
    none is no browser.
    """
    if not _is_loopback(address):
        return lambda _: True
    own = _name(asked)

    def is_ours(host: str | None) -> bool:
        if host is None:
            return True
        name = _name(_without_port(host))
        return name in (own, "localhost") or name.endswith(".localhost") or _is_loopback(name)

    return is_ours


def _without_port(host: str) -> str:
    found = _parts(host)
    return "" if found is None else found[1] or found[2] or ""


def _name(host: str) -> str:
    return host.lower().removesuffix(".")


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
