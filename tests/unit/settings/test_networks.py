"""Which addresses may be connected to."""

import ipaddress

import pytest

from pop_stream.settings.networks import Reachable, is_public, parse_networks

PUBLIC = [
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.167.255.255",
    "223.255.255.255",
    "2606:4700::1111",
    "2a00::1",
    "2001:200::1",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
]
NOT_PUBLIC = [
    "0.0.0.0",  # noqa: S104 - nothing is bound
    "10.1.2.3",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.169.254",
    "169.254.170.2",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.192",
    "192.0.2.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:10.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:a00:1::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_the_internet_at_large_is_public(address: str) -> None:
    """Up to the very edge of what is not."""
    assert is_public(ipaddress.ip_address(address))
    assert Reachable().permits(address)


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_everything_else_is_not(address: str) -> None:
    """Private, of this machine, of a cloud's metadata, of many, of nobody; in any disguise."""
    assert not is_public(ipaddress.ip_address(address))
    assert not Reachable().permits(address)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"])
def test_this_machine_is_meant_where_the_url_names_it(address: str) -> None:
    """And nowhere else."""
    assert Reachable(loopback=True).permits(address)
    assert not Reachable().permits(address)


@pytest.mark.parametrize(
    "address", ["10.0.0.1", "0.0.0.1", "169.254.169.254", "fd00::1", "fe80::1"]
)
def test_who_names_this_machine_does_not_mean_its_network(address: str) -> None:
    """A name like localhost may be made to lead elsewhere."""
    assert not Reachable(loopback=True).permits(address)


@pytest.mark.parametrize(
    ("networks", "address", "permitted"),
    [
        ("10.0.0.0/8", "10.255.0.1", True),
        ("10.0.0.0/8", "::ffff:10.255.0.1", True),
        ("10.0.0.0/8", "11.0.0.1", True),
        ("10.0.0.0/8", "192.168.0.1", False),
        ("10.0.0.0/8", "fd00::1", False),
        ("192.168.1.1", "192.168.1.1", True),
        ("192.168.1.1", "192.168.1.2", False),
        ("10.0.0.0/8, fd00::/8", "fd12::1", True),
        ("fd00::/8", "10.0.0.1", False),
        ("0.0.0.0/0,::/0", "169.254.169.254", True),
    ],
)
def test_networks_that_are_allowed_may_be_reached(
    networks: str, address: str, permitted: bool
) -> None:
    """Only those, and what is public anyhow."""
    assert Reachable(parse_networks(networks)).permits(address) is permitted


@pytest.mark.parametrize("address", ["", "gstv.example", "127.1", "0x7f000001", "1.2.3.4.5", "::g"])
def test_what_is_no_address_is_not_permitted(address: str) -> None:
    """Whatever a lookup may give."""
    assert not Reachable(parse_networks("0.0.0.0/0"), loopback=True).permits(address)


@pytest.mark.parametrize("text", ["", "10.0.0.0/8,", "10.0.0.1/8", "10.0.0.0/33", "gstv", "*"])
def test_what_is_no_network_is_refused(text: str) -> None:
    """10.0.0.1/8, too: which of the two was meant is not guessed."""
    with pytest.raises(ValueError, match="must be networks"):
        parse_networks(text)
