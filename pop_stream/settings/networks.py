"""Which addresses a name may lead to: public ones, and those that the operator allows.

Whoever can change what a name leads to could otherwise have events, with our credentials, sent
into the operator's own network, or to the machine that hands out its keys (169.254.169.254).
"""

import ipaddress
from dataclasses import dataclass
from typing import Final

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

#: IANA's registry of special addresses, with multicast, and without those of no use.
_NOT_PUBLIC_V4: Final = tuple(
    ipaddress.IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",
        "100.64.0.0/10",  # shared by customers of a carrier; metadata of some clouds
        "127.0.0.0/8",
        "168.63.129.16/32",  # the platform of Azure, seen from inside
        "169.254.0.0/16",  # link-local: metadata of most clouds
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",  # documentation, as are 198.51.100.0/24 and 203.0.113.0/24
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",  # measuring
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
#: Of IPv6 only this is public, without what follows.
_PUBLIC_V6: Final = ipaddress.IPv6Network("2000::/3")
_NOT_PUBLIC_V6: Final = tuple(
    ipaddress.IPv6Network(text)
    for text in (
        "2001::/23",  # protocols, Teredo among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: an IPv4 address in disguise
        "3fff::/20",  # documentation
    )
)
#: What IPv6 calls an IPv4 address behind a translator (RFC 6052).
_TRANSLATED: Final = ipaddress.IPv6Network("64:ff9b::/96")


def parse_networks(text: str) -> tuple[Network, ...]:
    """Read `10.0.0.0/8,fd00::/8`. Raises ValueError unless all are networks or addresses."""
    try:
        return tuple(ipaddress.ip_network(part.strip()) for part in text.split(","))
    except ValueError:
        raise ValueError("must be networks with commas, like 10.0.0.0/8,fd00::/8") from None


@dataclass(frozen=True, slots=True)
class Reachable:
    """Which addresses may be connected to."""

    #: Networks that are allowed though they are not public.
    allowed: tuple[Network, ...] = ()
    #: Whether this machine is meant: the URL says localhost, 127.0.0.1 or the like.
    loopback: bool = False

    def permits(self, text: str) -> bool:
        """Whether an address may be connected to. What is no address may not."""
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            return False
        plain = _plain(address)
        return (
            is_public(plain)
            or (self.loopback and plain.is_loopback)
            or any(plain in network or address in network for network in self.allowed)
        )


def is_address(host: str) -> bool:
    """Whether a host is given by its address, and not by a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_public(address: Address) -> bool:
    """Whether an address belongs to the Internet at large."""
    plain = _plain(address)
    if isinstance(plain, ipaddress.IPv4Address):
        return not any(plain in network for network in _NOT_PUBLIC_V4)
    return plain in _PUBLIC_V6 and not any(plain in network for network in _NOT_PUBLIC_V6)


def _plain(address: Address) -> Address:
    """Take an IPv4 address out of its IPv6 form."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _TRANSLATED:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address
