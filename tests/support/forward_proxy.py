"""A forward proxy that makes tunnels, or answers as a test says."""

import selectors
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

MADE = b"HTTP/1.1 200 Connection established\r\n\r\n"


class ForwardProxy:
    """Whatever name is asked for, the tunnel leads to one port of this machine."""

    def __init__(self, port: int, answer: bytes) -> None:
        self.asked: list[bytes] = []
        self.port_behind = port
        self.answer = answer
        proxy = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                with suppress(OSError, EOFError):
                    proxy.serve(self.request)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    @property
    def port(self) -> int:
        return self._server.server_address[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def serve(self, client: socket.socket) -> None:
        """Read one request, answer, and carry bytes if the answer is that of a tunnel."""
        head = b""
        while b"\r\n\r\n" not in head:
            came = client.recv(4096)
            if not came:
                raise EOFError
            head += came
        self.asked.append(head)
        for piece in (self.answer[:5], self.answer[5:]):
            client.sendall(piece)
        if self.answer.startswith(b"HTTP/1.1 200"):
            with socket.create_connection(("127.0.0.1", self.port_behind)) as behind:
                _carry(client, behind)

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join(20)
        self._server.server_close()


def _carry(one: socket.socket, other: socket.socket) -> None:
    with selectors.DefaultSelector() as selector:
        selector.register(one, selectors.EVENT_READ, other)
        selector.register(other, selectors.EVENT_READ, one)
        while True:
            for key, _ in selector.select():
                data = key.fileobj.recv(65_536)  # type: ignore[union-attr]
                if not data:
                    return
                key.data.sendall(data)


@contextmanager
def forward_proxy(port: int = 0, *, answer: bytes = MADE) -> Iterator[ForwardProxy]:
    """Run a proxy for the length of the context."""
    proxy = ForwardProxy(port, answer)
    try:
        yield proxy
    finally:
        proxy.stop()
