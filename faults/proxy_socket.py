"""One of the two sockets of a connection through the proxy, read and written without blocking."""

import asyncio
import errno
import fcntl
import os
import socket
import struct
import termios
from collections.abc import Callable
from contextlib import suppress
from typing import Final

CHUNK_BYTES: Final = 65_536
#: Of each socket, each way. Left alone, Linux lets a receive buffer grow to many megabytes.
SOCKET_BUFFER_BYTES: Final = 131_072

#: How long a cut waits for what it let through to reach a side that may not be reading.
_CUT_PATIENCE_SECONDS: Final = 2.0


class Side:
    """One of the two sockets, read and written without blocking."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        set_buffers(sock)
        self._socket = sock
        # The number, not the socket: for a socket, uvloop would put off its closing.
        self._fd = sock.fileno()
        self._loop = asyncio.get_running_loop()
        self._closed = False
        self._broken = False
        self._watched = False
        self._arrival: asyncio.Future[bytes] | None = None
        self._take: Callable[[bytes], bytes]

    async def connect(self, address: tuple[str, int]) -> None:
        """Connect. Raises OSError."""
        code = self._socket.connect_ex(address)
        if code == errno.EINPROGRESS:
            await self.writable()
            code = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            raise OSError(code, os.strerror(code))

    async def read(self, take: Callable[[bytes], bytes]) -> bytes:
        """Offer all that comes to `take`; give the first bytes that it leaves, or none at FIN.

        Raises ConnectionError or TimeoutError.
        """
        self._take = take
        self._arrival = self._loop.create_future()
        if not self._watched:
            self._watched = True
            self._loop.add_reader(self._fd, self._on_arrival)
        return await self._arrival

    def _on_arrival(self) -> None:
        if self._arrival is None or self._arrival.done():
            # Whoever reads is busy with what it has; the kernel holds the rest meanwhile.
            self._watched = False
            self._loop.remove_reader(self._fd)
            return
        try:
            chunk = self._socket.recv(CHUNK_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            self._broken = True
            self._arrival.set_exception(error)
            return
        rest = self._take(chunk) if chunk else chunk
        if rest or not chunk:
            self._arrival.set_result(rest)

    def write(self, data: bytes | memoryview) -> int:
        """Write what there is room for; give how much. Raises ConnectionError or TimeoutError."""
        try:
            return self._socket.send(data)
        except BlockingIOError:
            return 0
        except OSError:
            self._broken = True
            raise

    async def writable(self) -> None:
        """Wait until there is room, or an error to be met by writing."""
        ready = self._loop.create_future()
        self._loop.add_writer(self._fd, _settle, ready)
        try:
            await ready
        finally:
            # Once closed, the number may be another socket's already.
            if not self._closed:
                self._loop.remove_writer(self._fd)

    async def sent(self) -> None:
        """Wait, but not for ever, until what was written has arrived: RST would overtake it."""
        until = self._loop.time() + _CUT_PATIENCE_SECONDS
        # Nothing is signalled when the queue is empty.
        while self._ask(termios.TIOCOUTQ) and self._loop.time() < until:  # noqa: ASYNC110
            await asyncio.sleep(0.001)

    def unread(self) -> int:
        """Bytes that have arrived and wait in the kernel."""
        return self._ask(termios.FIONREAD)

    def broken(self) -> bool:
        """Whether RST has come, even if bytes that came before it are still to be read."""
        # The kernel tells an error once, whoever asks.
        if self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._broken = True
        return self._broken

    def finish(self) -> None:
        """Send FIN, behind all that was written. Without effect on a socket that is dead."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def close(self, *, reset: bool) -> None:
        """Close at once, by RST if so asked for. May be called again."""
        if self._closed:
            return
        self._closed = True
        self._loop.remove_reader(self._fd)
        self._loop.remove_writer(self._fd)
        if reset:
            set_reset_on_close(self._socket)
        self._socket.close()

    def _ask(self, what: int) -> int:
        found: int = struct.unpack("i", fcntl.ioctl(self._fd, what, bytes(4)))[0]
        return found


def set_buffers(sock: socket.socket) -> None:
    """Fix the sizes of its buffers: best before it listens or connects."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SOCKET_BUFFER_BYTES)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SOCKET_BUFFER_BYTES)


def set_reset_on_close(sock: socket.socket) -> None:
    """Make its closing send RST, and drop what has not been sent."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _settle(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)
