"""A connection of the GSTV client on a wire that the test holds in its hand."""

import asyncio
import os

from pop_stream.gstv.connection import Connection, Hooks
from pop_stream.pop.outcome import Outcome

REQUEST = b"POST /pop HTTP/1.1\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class FakeTransport(asyncio.Transport):
    """Notes what is written; a real pipe stands for the socket, so that it can be polled."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.aborted = 0
        self._read, self._write = os.pipe()

    def get_extra_info(self, name: str, default: object = None) -> object:
        return self if name == "socket" else default

    def fileno(self) -> int:
        return self._read

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.aborted
        self.written.append(bytes(data))

    def is_closing(self) -> bool:
        return self.aborted > 0

    def abort(self) -> None:
        self.aborted += 1

    def make_readable(self) -> None:
        """Let the socket look as if GSTV had sent something."""
        os.write(self._write, b"x")

    def release(self) -> None:
        os.close(self._read)
        os.close(self._write)


class Wire:
    """One connection, its transport, and all that the connection has told its owner."""

    def __init__(self, *, max_response_bytes: int = 65_536) -> None:
        self.outcomes: list[tuple[object, Outcome]] = []
        self.died = self.closed = 0
        hooks = Hooks(finished=self._finished, died=self._died, closed=self._closed)
        self.connection: Connection[object] = Connection(
            hooks, max_response_bytes=max_response_bytes
        )
        self.transport = FakeTransport()
        self.connection.connection_made(self.transport)

    def post(self, token: object = "token") -> None:
        self.connection.send(token, REQUEST, 0.0)

    def feed(self, *pieces: bytes) -> None:
        """Deliver bytes as a loop does: nothing after the transport was aborted."""
        for piece in pieces:
            if not self.transport.aborted:
                self.connection.data_received(piece)

    def end(self, error: Exception | None = None, *, eof: bool = False) -> None:
        """End the connection as a loop does: EOF first if it is orderly."""
        if eof and not self.transport.aborted:
            self.connection.eof_received()
        self.connection.connection_lost(error)
        self.transport.release()

    @property
    def outcome(self) -> Outcome:
        """The only outcome there is."""
        ((_, outcome),) = self.outcomes
        return outcome

    def _finished(self, connection: Connection[object], token: object, outcome: Outcome) -> None:
        assert connection is self.connection
        assert not connection.busy
        self.outcomes.append((token, outcome))

    def _died(self, connection: Connection[object]) -> None:
        assert connection.dead
        self.died += 1

    def _closed(self, connection: Connection[object]) -> None:
        assert connection.dead
        self.closed += 1
