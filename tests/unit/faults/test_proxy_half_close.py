from faults.proxy import HalfClose, Proxy
from tests.support.eventually import eventually
from tests.unit.faults.proxy_ends import (
    FAREWELL,
    EchoServer,
    assert_echoes,
    client,
    exactly,
    until_the_end,
)


def test_a_client_half_closed_by_the_server_can_still_send(
    server: EchoServer, proxy: Proxy
) -> None:
    """FIN comes down, bytes go up, and what the server says to them is dropped."""
    with client(proxy) as sock:
        assert_echoes(sock)
        proxy.apply(HalfClose("down"))

        assert until_the_end(sock) == (b"", "FIN")
        sock.sendall(b"more")
        eventually(lambda: proxy.counts.dropped == 4, "the echo is dropped")
        assert server.peer(0).got == b"hellomore"
    assert proxy.counts.half_closed == 1


def test_a_server_half_closed_by_the_client_can_still_answer(
    server: EchoServer, proxy: Proxy
) -> None:
    """FIN goes up, the answer comes down, and what the client says then is dropped."""
    with client(proxy) as sock:
        assert_echoes(sock)
        proxy.apply(HalfClose("up"))

        assert exactly(sock, len(FAREWELL)) == FAREWELL
        sock.sendall(b"more")
        eventually(lambda: proxy.counts.dropped == 4, "the client's bytes are dropped")
        assert server.peer(0).got == b"hello"


def test_new_connections_can_be_half_closed_as_they_come(proxy: Proxy) -> None:
    """The server sees FIN before any byte."""
    proxy.apply(HalfClose("up", connections="new"))
    with client(proxy) as sock:
        assert until_the_end(sock) == (FAREWELL, "FIN")
