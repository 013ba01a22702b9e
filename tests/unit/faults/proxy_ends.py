"""What a proxy stands between: a real server that sends back, and clients on bare sockets."""

import asyncio
import random
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import uvloop

from faults.proxy import Proxy
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
