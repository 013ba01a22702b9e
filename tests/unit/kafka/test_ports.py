import socket

from pop_stream.kafka.ports import EPHEMERAL_RANGE, free_ports, is_free


def test_free_ports_differ_and_are_free() -> None:
    """Each can be listened on."""
    ports = free_ports(6)

    assert len(set(ports)) == 6
    assert all(is_free(port) for port in ports)


def test_free_ports_are_never_given_to_outgoing_connections() -> None:
    """While a broker is down, no client's connection can sit on its port."""
    first, last = 32_768, 60_999
    if EPHEMERAL_RANGE.exists():
        first, last = map(int, EPHEMERAL_RANGE.read_text().split())

    assert not [port for port in free_ports(20) if first <= port <= last]


def test_port_with_a_listener_is_not_free() -> None:
    """A port that is taken is seen to be."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert not is_free(server.getsockname()[1])
