import random
import socket
import time
from typing import Any

import pytest

from faults.proxy import Blackhole, Proxy
from tests.support.eventually import eventually
from tests.unit.faults.proxy_ends import (
    FAREWELL,
    PATIENCE_SECONDS,
    EchoServer,
    assert_echoes,
    client,
    exactly,
    reset,
    sending,
    until_the_end,
)


@pytest.mark.parametrize("direction", ["up", "down", "both"])
def test_held_bytes_arrive_in_order_when_healed(
    server: EchoServer, proxy: Proxy, direction: Any
) -> None:
    """None gets by, none is lost, and nobody's connection is closed."""
    data = random.Random(1).randbytes(300_000)
    with client(proxy) as sock:
        assert_echoes(sock)
        proxy.apply(Blackhole(direction))
        with sending(sock, data, random.Random(2)):
            held = "held_down" if direction == "down" else "held_up"
            eventually(lambda: getattr(proxy.counts, held) > 100_000, "bytes are held")
            assert proxy.counts.forwarded_down == 5
            if direction != "down":
                assert server.peer(0).got == b"hello"
            proxy.heal()
            assert exactly(sock, len(data)) == data
    assert (proxy.counts.held_up, proxy.counts.held_down) == (0, 0)


def test_new_connections_are_held_too(server: EchoServer, proxy: Proxy) -> None:
    """They are accepted, but the server hears of them when it is over."""
    proxy.apply(Blackhole())
    with client(proxy) as first, client(proxy) as second:
        first.sendall(b"first")
        second.sendall(b"second")
        eventually(lambda: proxy.counts.held_up == 11, "both are held")
        assert not server.peers
        proxy.heal()

        assert exactly(first, 5) == b"first"
        assert exactly(second, 6) == b"second"


def test_a_client_that_has_left_by_fin_has_its_bytes_delivered(
    server: EchoServer, proxy: Proxy
) -> None:
    """TCP would have gone on sending them: the server gets what nobody waits for any more."""
    with client(proxy) as sock:
        assert_echoes(sock)
        proxy.apply(Blackhole())
        sock.sendall(b"late")
    eventually(lambda: proxy.counts.held_up == 4, "the bytes are held")
    assert not server.peer(0).finished
    proxy.heal()

    eventually(lambda: server.peer(0).finished, "FIN has arrived")
    assert server.peer(0).got == b"hellolate"


def test_fin_is_held_as_bytes_are(server: EchoServer, proxy: Proxy) -> None:
    """The server does not know that its client has finished, until healed."""
    with client(proxy) as sock:
        assert_echoes(sock)
        proxy.apply(Blackhole("up"))
        sock.shutdown(socket.SHUT_WR)
        # Long enough for a FIN: each of these travels after it.
        for words in [b"one", b"two", b"three"]:
            server.peer(0).say(words)
            assert exactly(sock, len(words)) == words
        assert not server.peer(0).finished
        proxy.heal()

        assert until_the_end(sock) == (FAREWELL, "FIN")


def test_holding_back_costs_no_cpu(proxy: Proxy) -> None:
    """The proxy does not look again and again at bytes that must wait."""
    with client(proxy) as sock:
        assert_echoes(sock)
        proxy.apply(Blackhole("up"))
        sock.sendall(bytes(100_000))
        eventually(lambda: proxy.counts.held_up == 100_000, "more is held than is in hand")
        sock.settimeout(0.3)
        spent = time.process_time()
        with pytest.raises(TimeoutError):
            sock.recv(1)

        assert time.process_time() - spent < 0.2


@pytest.mark.parametrize("held", ["up", "both"])
def test_the_held_bytes_of_a_client_that_has_reset_are_gone(
    server: EchoServer, proxy: Proxy, held: Any
) -> None:
    """As with TCP; and the server knows of the reset no sooner than the way is clear."""
    with client(proxy) as sock:
        assert_echoes(sock)
        proxy.apply(Blackhole(held))
        sock.sendall(b"gone")
        eventually(lambda: proxy.counts.held_up == 4, "the bytes are held")
        reset(sock)
    # So that the proxy meets the client's end on its way down as well.
    peer = server.peer(0)
    peer.say(b"anybody there?")
    assert not peer.lost
    proxy.heal()

    lost = eventually(lambda: peer.lost, "the server has lost it")
    assert isinstance(lost, ConnectionResetError)
    assert peer.got == b"hello"


def test_a_reset_by_the_server_is_held_on_its_way_down(server: EchoServer, proxy: Proxy) -> None:
    """The client goes on believing in its connection until it is healed."""
    with client(proxy) as sock:
        assert_echoes(sock)
        proxy.apply(Blackhole("down"))
        peer = server.peer(0)
        peer.reset()
        eventually(lambda: peer.lost, "the server has left")
        sock.sendall(b"one")
        sock.sendall(b"two")
        sock.settimeout(0.1)
        with pytest.raises(TimeoutError):
            sock.recv(1)
        proxy.heal()

        sock.settimeout(PATIENCE_SECONDS)
        assert until_the_end(sock) == (b"", "RST")
