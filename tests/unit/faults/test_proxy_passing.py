import random
import socket
from contextlib import ExitStack, suppress

from faults.proxy import Proxy
from tests.support.eventually import eventually
from tests.unit.faults.proxy_ends import (
    FAREWELL,
    PATIENCE_SECONDS,
    EchoServer,
    assert_echoes,
    assert_resets_new_ones,
    client,
    exactly,
    reset,
    sending,
    until_the_end,
)


def test_bytes_pass_unchanged_both_ways_at_once(proxy: Proxy) -> None:
    """20 MB in chunks of any size come back as they went."""
    chance = random.Random(1)
    data = chance.randbytes(20_000_000)
    with client(proxy) as sock, sending(sock, data, chance):
        assert exactly(sock, len(data)) == data
        assert proxy.counts.forwarded_up == proxy.counts.forwarded_down == len(data)


def test_fin_is_handed_on_and_the_other_direction_goes_on(server: EchoServer, proxy: Proxy) -> None:
    """Who has finished sending still gets its answer, and the server knows."""
    with client(proxy) as sock:
        sock.sendall(b"question")
        sock.shutdown(socket.SHUT_WR)

        assert until_the_end(sock) == (b"question" + FAREWELL, "FIN")

    assert server.peer(0).finished
    eventually(lambda: proxy.counts.current == 0, "the connection is forgotten")


def test_a_reset_by_the_client_reaches_the_server(server: EchoServer, proxy: Proxy) -> None:
    """An RST does not become a FIN on its way up."""
    with client(proxy) as sock:
        assert_echoes(sock)
        reset(sock)

        lost = eventually(lambda: server.peer(0).lost, "the server has lost the connection")

    assert isinstance(lost, ConnectionResetError)


def test_a_reset_by_the_server_reaches_the_client(proxy: Proxy, server: EchoServer) -> None:
    """An RST does not become a FIN on its way down."""
    with client(proxy) as sock:
        assert_echoes(sock)
        server.peer(0).reset()

        assert until_the_end(sock) == (b"", "RST")


def test_a_server_that_cannot_be_reached_ends_the_clients_connection() -> None:
    """The client need not wait for an answer that cannot come."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        nobody = listener.getsockname()
    with Proxy.start(nobody) as proxy:
        assert_resets_new_ones(proxy)
        assert proxy.counts.unreachable == 1


def test_200_connections_work_at_once(proxy: Proxy) -> None:
    """Each gets its own bytes back."""
    with ExitStack() as stack:
        socks = [stack.enter_context(client(proxy)) for _ in range(200)]
        for turn in range(3):
            for number, sock in enumerate(socks):
                sock.sendall(b"%d of %d;" % (turn, number))
            for number, sock in enumerate(socks):
                message = b"%d of %d;" % (turn, number)
                assert exactly(sock, len(message)) == message
        assert proxy.counts.opened == proxy.counts.current == 200


def test_what_nobody_reads_holds_its_sender_up() -> None:
    """Only so much is taken in for a server that does not read; then all of it arrives."""
    data = random.Random(1).randbytes(8_000_000)
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        proxy = stack.enter_context(Proxy.start(listener.getsockname()))
        sock = stack.enter_context(client(proxy))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65_536)
        peer = stack.enter_context(listener.accept()[0])
        sock.settimeout(0.2)
        taken = 0
        with suppress(TimeoutError):
            while taken < len(data):
                taken += sock.send(data[taken : taken + 65_536])

        assert taken < 4_000_000
        sock.settimeout(PATIENCE_SECONDS)
        with sending(sock, data[taken:], random.Random(2)):
            assert exactly(peer, len(data)) == data
