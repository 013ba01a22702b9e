import asyncio
import errno
import random
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import uvloop

from faults.proxy import (
    Blackhole,
    CutAfter,
    Delay,
    HalfClose,
    Proxy,
    Refuse,
    Reset,
    Throttle,
)
from faults.proxy_socket import set_reset_on_close
from tests.support.eventually import eventually

PATIENCE_SECONDS = 20.0
FAREWELL = b"<the server has seen FIN>"


class Echo(asyncio.Protocol):
    """Sends back what it gets, and FIN after FIN."""

    def __init__(self, server: "EchoServer") -> None:
        self.got = bytearray()
        self.finished = False
        self.lost: Exception | str = ""
        self.transport: asyncio.Transport
        self._loop = asyncio.get_running_loop()
        server.peers.append(self)

    def reset(self) -> None:
        set_reset_on_close(self.transport.get_extra_info("socket"))
        self._loop.call_soon_threadsafe(self.transport.abort)

    def say(self, words: bytes) -> None:
        self._loop.call_soon_threadsafe(self.transport.write, words)

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.got += data
        self.transport.write(data)

    def eof_received(self) -> bool:
        self.finished = True
        self.transport.write(FAREWELL)
        self.transport.write_eof()
        return True

    def pause_writing(self) -> None:
        self.transport.pause_reading()

    def resume_writing(self) -> None:
        self.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = exc or "closed"


class EchoServer:
    """A real server on loopback, in a thread of its own."""

    def __init__(self) -> None:
        #: One for each connection, in the order of their arrival.
        self.peers: list[Echo] = []
        self.address: tuple[str, int]

    def peer(self, number: int) -> Echo:
        """It accepts in its own time: a client may be done with its connection before."""
        eventually(lambda: len(self.peers) > number, f"connection {number} has arrived")
        return self.peers[number]

    @classmethod
    @contextmanager
    def start(cls) -> Iterator["EchoServer"]:
        server = cls()
        started: Future[asyncio.AbstractEventLoop] = Future()
        stopping = asyncio.Event()

        async def serve() -> None:
            loop = asyncio.get_running_loop()
            listener = await loop.create_server(lambda: Echo(server), "127.0.0.1", 0, backlog=512)
            server.address = listener.sockets[0].getsockname()
            started.set_result(loop)
            await stopping.wait()
            listener.close()
            for peer in server.peers:
                peer.transport.abort()
            await asyncio.sleep(0)

        thread = threading.Thread(target=lambda: uvloop.run(serve()), daemon=True)
        thread.start()
        loop = started.result(PATIENCE_SECONDS)
        try:
            yield server
        finally:
            loop.call_soon_threadsafe(stopping.set)
            thread.join(PATIENCE_SECONDS)


@pytest.fixture
def server() -> Iterator[EchoServer]:
    """A server that sends back what it gets."""
    with EchoServer.start() as running:
        yield running


@pytest.fixture
def proxy(server: EchoServer) -> Iterator[Proxy]:
    """A proxy to it, without faults as yet."""
    with Proxy.start(server.address, seed=1) as running:
        yield running


@contextmanager
def client(proxy: Proxy) -> Iterator[socket.socket]:
    """A connection to the proxy."""
    with socket.create_connection(("127.0.0.1", proxy.port), PATIENCE_SECONDS) as sock:
        yield sock


def exactly(sock: socket.socket, count: int) -> bytes:
    """As many bytes; fewer if the connection ends before."""
    got = bytearray()
    while len(got) < count and (chunk := sock.recv(count - len(got))):
        got += chunk
    return bytes(got)


def until_the_end(sock: socket.socket) -> tuple[bytes, str]:
    """All bytes that come, and whether FIN or RST ended them."""
    got = bytearray()
    try:
        while chunk := sock.recv(65_536):
            got += chunk
    except ConnectionResetError:
        return bytes(got), "RST"
    return bytes(got), "FIN"


def reset(sock: socket.socket) -> None:
    """End it by RST."""
    set_reset_on_close(sock)
    sock.close()


def assert_echoes(sock: socket.socket, message: bytes = b"hello") -> None:
    """The connection works, all the way to the server and back."""
    sock.sendall(message)
    assert exactly(sock, len(message)) == message


def assert_resets_new_ones(proxy: Proxy) -> None:
    """A new connection gets RST, be it before its client knows that it has one."""
    try:
        with client(proxy) as sock:
            assert until_the_end(sock) == (b"", "RST")
    except ConnectionResetError:
        pass


@contextmanager
def sending(sock: socket.socket, data: bytes, chance: random.Random) -> Iterator[None]:
    """Send it meanwhile, in chunks of any size."""

    def send() -> None:
        view = memoryview(data)
        while view:
            size = chance.choice([1, 100, 10_000, 200_000])
            sock.sendall(view[:size])
            view = view[size:]

    thread = threading.Thread(target=send, daemon=True)
    thread.start()
    yield
    thread.join(PATIENCE_SECONDS)


def open_files() -> int:
    """How many files and sockets this process has."""
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


# Without faults


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


# Delay and throttle


def test_delayed_chunks_come_late_and_in_order(proxy: Proxy) -> None:
    """Each waits for at least the lower bound."""
    proxy.apply(Delay((0.02, 0.05), direction="down"))
    messages = [b"%d;" % number for number in range(10)]
    with client(proxy) as sock:
        began = time.monotonic()
        for message in messages:
            sock.sendall(message)
        assert exactly(sock, sum(map(len, messages))) == b"".join(messages)

        assert time.monotonic() - began >= 0.02
    assert proxy.counts.delayed >= 1


def test_healing_ends_a_delay_that_is_under_way(proxy: Proxy) -> None:
    """Nobody waits for the rest of a delay that is no more."""
    with client(proxy) as sock:
        proxy.apply(Delay((3600, 3600)))
        sock.sendall(b"hello")
        eventually(lambda: proxy.counts.delayed == 1, "the chunk is delayed")
        proxy.heal()

        assert exactly(sock, 5) == b"hello"


def test_a_new_fault_leaves_a_delay_under_way_alone(server: EchoServer, proxy: Proxy) -> None:
    """What comes on top takes nothing away."""
    with client(proxy) as sock:
        proxy.apply(Delay((3600, 3600), direction="up"))
        sock.sendall(b"hello")
        eventually(lambda: proxy.counts.delayed == 1, "the chunk is delayed")
        proxy.apply(Throttle(1_000_000))
        proxy.apply(Delay((0, 0), direction="down"))

        assert proxy.counts.forwarded_up == 0
        assert not server.peer(0).got


def test_throttled_bytes_take_their_time(proxy: Proxy) -> None:
    """The rate is that of each connection in each direction, from the first byte to the last."""
    proxy.apply(Throttle(100_000, direction="up"))
    data = random.Random(1).randbytes(40_000)
    with client(proxy) as sock:
        began = time.monotonic()
        sock.sendall(data)
        assert exactly(sock, len(data)) == data

        # All but the first piece have to wait, and a little may run ahead.
        assert time.monotonic() - began >= 0.3
    assert proxy.counts.throttled >= 1


def test_small_messages_are_not_throttled_below_the_rate(proxy: Proxy) -> None:
    """A timer's millisecond for each would be far more than their share."""
    proxy.apply(Throttle(1_000_000))
    with client(proxy) as sock:
        for _ in range(100):
            assert_echoes(sock)
    assert proxy.counts.throttled == 0


def test_healing_lets_throttled_bytes_go(proxy: Proxy) -> None:
    """What would have taken hours arrives now."""
    data = random.Random(1).randbytes(1_000_000)
    with client(proxy) as sock:
        proxy.apply(Throttle(10))
        with sending(sock, data, random.Random(2)):
            eventually(lambda: proxy.counts.throttled >= 1, "a piece waits")
            proxy.heal()
            assert exactly(sock, len(data)) == data


# Cuts


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


def test_a_fault_hits_the_connections_that_it_is_for(proxy: Proxy) -> None:
    """Those there are, or those to come."""
    with client(proxy) as old:
        assert_echoes(old)
        proxy.apply(CutAfter((0, 0), connections="new"))
        assert_echoes(old)
        with client(proxy) as new:
            new.sendall(b"hello")
            assert until_the_end(new) == (b"", "RST")
        proxy.heal()
        proxy.apply(CutAfter((0, 0), connections="current"))
        with client(proxy) as newer:
            assert_echoes(newer)
        old.sendall(b"hello")
        assert until_the_end(old) == (b"", "RST")


def test_faults_add_up(proxy: Proxy) -> None:
    """Of different kinds each does its part; of one kind the last."""
    proxy.apply(Delay((0, 0.01)))
    proxy.apply(CutAfter((100, 100), direction="down"))
    proxy.apply(CutAfter((7, 7), direction="down"))
    with client(proxy) as sock:
        sock.sendall(bytes(1000))

        assert until_the_end(sock) == (bytes(7), "RST")
    assert proxy.counts.delayed >= 2


# Reset and refuse


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


# Half-close


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


# Blackhole


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


# The proxy itself


def test_ending_it_in_the_middle_of_everything_leaves_nothing_behind(server: EchoServer) -> None:
    """Held, delayed and blocked connections are closed; no socket and no thread stays."""
    files, threads = open_files(), threading.active_count()
    with ExitStack() as stack:
        proxy = stack.enter_context(Proxy.start(server.address))
        socks = [stack.enter_context(client(proxy)) for _ in range(6)]
        assert_echoes(socks[0])
        proxy.apply(Blackhole("up", connections="current"))
        proxy.apply(Delay((3600, 3600), connections="new"))
        proxy.apply(Throttle(1, connections="new"))
        socks += [stack.enter_context(client(proxy)) for _ in range(3)]
        for sock in socks:
            sock.sendall(b"held" * 1000)
        eventually(lambda: proxy.counts.delayed == 3, "chunks are delayed")
    for peer in server.peers:
        eventually(lambda: peer.lost, "the server has lost it")  # noqa: B023

    eventually(lambda: open_files() <= files, "all sockets are closed")
    assert threading.active_count() == threads


def test_the_counts_can_be_asked_for_after_the_end(server: EchoServer) -> None:
    """What was done stays on record."""
    with Proxy.start(server.address) as proxy, client(proxy) as sock:
        assert_echoes(sock)

    assert (proxy.counts.opened, proxy.counts.current, proxy.counts.forwarded_up) == (1, 0, 5)


def test_a_fault_for_a_proxy_that_has_ended_is_an_error(server: EchoServer) -> None:
    """It could not bite, and must not seem to."""
    with Proxy.start(server.address) as proxy:
        pass

    with pytest.raises(RuntimeError, match="closed"):
        proxy.apply(Reset())


def test_a_port_in_use_is_told_at_once(server: EchoServer) -> None:
    """There is no proxy then."""
    with (
        pytest.raises(OSError, match="in use"),
        Proxy.start(server.address, port=server.address[1]),
    ):
        pass


def test_running_out_of_sockets_is_raised(
    server: EchoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A harness that fails by itself must not look like a fault that was asked for."""

    def too_many(*_: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr("faults.proxy_server.Connection", too_many)
    with (
        pytest.raises(OSError, match="Too many"),
        Proxy.start(server.address) as proxy,
        client(proxy) as sock,
    ):
        until_the_end(sock)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Delay((0.2, 0.1)),
        lambda: Delay((-1, 1)),
        lambda: CutAfter((5, 4)),
        lambda: Throttle(0),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(wrong: Any) -> None:
    """Where it is written, not where it should have bitten."""
    with pytest.raises(ValueError, match="not a"):
        wrong()
