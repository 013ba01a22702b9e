import socket
from typing import Any

import pytest

from faults.proxy import Blackhole, CutAfter, Proxy
from tests.support.eventually import eventually
from tests.unit.faults.proxy_ends import (
    PATIENCE_SECONDS,
    EchoServer,
    assert_echoes,
    client,
    until_the_end,
)


def cut_positions(seed: int, direction: Any, server: EchoServer) -> list[int]:
    """How many bytes each of 10 connections has let through before it was cut."""
    positions = []
    with Proxy.start(server.address, seed=seed) as proxy:
        for _ in range(10):
            peers = len(server.peers)
            with client(proxy) as sock:
                assert_echoes(sock)
                proxy.apply(CutAfter((0, 50_000), direction=direction, connections="current"))
                sock.sendall(bytes(50_001))
                got, end = until_the_end(sock)
            assert end == "RST"
            peer = server.peer(peers)
            eventually(lambda: peer.lost, "the server has lost it too")  # noqa: B023
            positions.append(len(got) if direction == "down" else len(peer.got) - 5)
        assert proxy.counts.cut == 10
    return positions


@pytest.mark.parametrize("direction", ["up", "down"])
def test_cuts_fall_where_the_seed_says(server: EchoServer, direction: str) -> None:
    """The same seed cuts each connection after the same byte, another one elsewhere."""
    positions = cut_positions(1, direction, server)

    assert all(0 <= position <= 50_000 for position in positions)
    assert cut_positions(1, direction, server) == positions
    assert cut_positions(2, direction, server) != positions


def test_a_cut_spares_no_byte_for_a_slow_reader(proxy: Proxy) -> None:
    """The RST does not overtake what was let through before it."""
    proxy.apply(CutAfter((100_000, 100_000), direction="down"))
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.settimeout(PATIENCE_SECONDS)
        sock.connect(("127.0.0.1", proxy.port))
        sock.sendall(bytes(100_000))
        eventually(lambda: proxy.counts.forwarded_down == 100_000, "all is on its way")

        assert until_the_end(sock) == (bytes(100_000), "RST")


@pytest.mark.parametrize("by_reset", [True, False])
def test_a_connection_is_cut_once(server: EchoServer, proxy: Proxy, by_reset: bool) -> None:
    """Even if it is due in both directions at the same moment; and no byte gets by in either."""

    def heal_and_cut() -> None:
        proxy._server.heal()
        proxy._server.apply(CutAfter((0, 0), reset=by_reset))

    with client(proxy) as sock:
        assert_echoes(sock)
        proxy.apply(Blackhole())
        sock.sendall(b"up")
        server.peer(0).say(b"down")
        eventually(lambda: proxy.counts.held_up == 2 and proxy.counts.held_down == 4, "all is held")
        proxy._ask(heal_and_cut)

        assert until_the_end(sock) == (b"", "RST" if by_reset else "FIN")
    eventually(lambda: proxy.counts.current == 0, "the connection is over")
    assert proxy.counts.cut == 1
    assert (proxy.counts.forwarded_up, proxy.counts.forwarded_down) == (5, 5)


def test_a_cut_after_no_byte_comes_instead_of_the_next(server: EchoServer, proxy: Proxy) -> None:
    """The connection is there until somebody uses it."""
    proxy.apply(CutAfter((0, 0), direction="up"))
    with client(proxy) as sock:
        eventually(lambda: proxy.counts.current and server.peers, "the connection is there")
        sock.sendall(b"hello")

        assert until_the_end(sock) == (b"", "RST")
    assert not server.peer(0).got
    assert proxy.counts.cut == 1


def test_a_cut_by_fin_finishes_both_sides_in_good_order(server: EchoServer, proxy: Proxy) -> None:
    """Both read all that was let through, then the end; what they still send is dropped."""
    proxy.apply(CutAfter((3, 3), reset=False, direction="up"))
    with client(proxy) as sock:
        sock.sendall(b"hello")

        got, end = until_the_end(sock)
        sock.sendall(b"anybody there?")
        eventually(lambda: server.peer(0).finished, "the server has seen FIN")
        assert server.peer(0).got == b"hel"
    assert (got[3:], end) == (b"", "FIN")
    eventually(lambda: proxy.counts.current == 0, "the connection is over")
    assert proxy.counts.cut == 1
    assert proxy.counts.dropped >= len(b"lo" + b"anybody there?")


def test_healing_spares_the_connections_not_cut_yet(proxy: Proxy) -> None:
    """A cut that was to come comes no more."""
    proxy.apply(CutAfter((3, 3)))
    with client(proxy) as sock:
        eventually(lambda: proxy.counts.current, "the connection is there")
        proxy.heal()

        assert_echoes(sock)
