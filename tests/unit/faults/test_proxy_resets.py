import socket
from contextlib import ExitStack

import pytest

from faults.proxy import Blackhole, Proxy, Refuse, Reset
from tests.support.eventually import eventually
from tests.unit.faults.proxy_ends import (
    PATIENCE_SECONDS,
    EchoServer,
    assert_echoes,
    assert_resets_new_ones,
    client,
    until_the_end,
)


def test_a_reset_ends_all_connections_and_new_ones_work(server: EchoServer, proxy: Proxy) -> None:
    """Both sides of each get RST, idle or not; the port is as before."""
    with ExitStack() as stack:
        socks = [stack.enter_context(client(proxy)) for _ in range(20)]
        assert_echoes(socks[0])
        proxy.apply(Reset())

        assert {until_the_end(sock) for sock in socks} == {(b"", "RST")}
        assert proxy.counts.reset == 20
        assert proxy.counts.current == 0
        with client(proxy) as sock:
            assert_echoes(sock)
    lost = eventually(lambda: server.peer(0).lost, "the server has lost it too")
    assert isinstance(lost, ConnectionResetError)


def test_a_reset_right_after_healing_takes_no_step_on_closed_sockets(proxy: Proxy) -> None:
    """Streams that have just been woken find their connection gone, and the proxy goes on."""

    def heal_and_reset() -> None:
        proxy._server.heal()
        proxy._server.apply(Reset())

    with ExitStack() as stack:
        socks = [stack.enter_context(client(proxy)) for _ in range(5)]
        for sock in socks:
            assert_echoes(sock)
        proxy.apply(Blackhole())
        for sock in socks:
            sock.sendall(b"hello")
        eventually(lambda: proxy.counts.held_up == 25, "all is held")
        proxy._ask(heal_and_reset)

        assert {until_the_end(sock) for sock in socks} == {(b"", "RST")}
        with client(proxy) as sock:
            assert_echoes(sock)


def test_a_reset_hits_a_connection_that_is_not_accepted_yet(proxy: Proxy) -> None:
    """Its client is connected, whatever the proxy has come to."""
    with socket.socket() as sock:
        sock.settimeout(PATIENCE_SECONDS)

        def connect_and_reset() -> None:
            sock.connect(("127.0.0.1", proxy.port))
            proxy._server.apply(Reset())

        proxy._ask(connect_and_reset)

        assert until_the_end(sock) == (b"", "RST")
    assert proxy.counts.reset == 1


def test_refused_clients_are_refused_by_the_system(proxy: Proxy) -> None:
    """As by a server that is not there, until healed; then the same port works."""
    with client(proxy) as sock:
        assert_echoes(sock)
        proxy.apply(Refuse())

        assert until_the_end(sock) == (b"", "RST")
        assert proxy.counts.reset == 1
        for _ in range(3):
            with pytest.raises(ConnectionRefusedError), client(proxy):
                pass
        proxy.heal()
        with client(proxy) as new:
            assert_echoes(new)


def test_nobody_else_gets_the_port_while_it_refuses(proxy: Proxy) -> None:
    """Healing could not open it again."""
    proxy.apply(Refuse())
    with socket.socket() as thief, pytest.raises(OSError, match="in use"):
        thief.bind(("127.0.0.1", proxy.port))


def test_refused_clients_are_counted_if_the_port_stays_open(proxy: Proxy) -> None:
    """Each is accepted only to be reset."""
    proxy.apply(Refuse(listening=True))
    for _ in range(3):
        assert_resets_new_ones(proxy)

    assert (proxy.counts.refused, proxy.counts.opened) == (3, 0)
    proxy.heal()
    with client(proxy) as sock:
        assert_echoes(sock)
