"""A server on a raw socket that does exactly what a test's script says."""

import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
CERTS = Path(__file__).parent / "certs"
_PATIENCE_SECONDS = 20.0


class Peer:
    """One connection, from the server's side. Blocking; lives in a thread of its own."""

    def __init__(self, server: "HostileServer", sock: socket.socket, number: int) -> None:
        self._server = server
        self._socket = sock
        #: 1 for the first connection that the server accepted.
        self.number = number

    def read_request(self) -> bytes:
        """Read one whole request. Raises EOFError when the client is gone."""
        data = b""
        while b"\r\n\r\n" not in data:
            data += self._receive()
        head, _, body = data.partition(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        while len(body) < length:
            body += self._receive()
        self._server.note(self.number, head + b"\r\n\r\n" + body)
        return body

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def half_close(self) -> None:
        """Send FIN, and stay open for reading."""
        self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Send FIN."""
        self._socket.close()

    def reset(self) -> None:
        """Send RST."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    def wait_until_gone(self) -> None:
        """Wait until the client has ended the connection, by FIN or RST."""
        with suppress(EOFError, ConnectionError):
            while True:
                self._receive()

    def _receive(self) -> bytes:
        data = self._socket.recv(65_536)
        if not data:
            raise EOFError
        return data


Script = Callable[[Peer], None]


class HostileServer:
    """Runs the script for each connection; what it read is in `requests`."""

    def __init__(self, script: Script, context: ssl.SSLContext | None) -> None:
        self._script = script
        self._context = context
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        #: Each request read, with the number of its connection.
        self.requests: list[tuple[int, bytes]] = []
        self.accepted = 0
        #: What went wrong in a script, other than the client's leaving.
        self.errors: list[BaseException] = []
        self._stopping = threading.Event()
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    @property
    def url(self) -> str:
        scheme = "https" if self._context else "http"
        return f"{scheme}://127.0.0.1:{self._listener.getsockname()[1]}/pop"

    def note(self, number: int, request: bytes) -> None:
        with self._lock:
            self.requests.append((number, request))

    def ids(self) -> list[str]:
        """The Idempotency-Keys read, without their quotes."""
        with self._lock:
            return [
                request.split(b'Idempotency-Key: "')[1].split(b'"')[0].decode()
                for _, request in self.requests
            ]

    def stop(self) -> None:
        self._stopping.set()
        # Closing alone would leave the thread in accept().
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._acceptor.join(_PATIENCE_SECONDS)
        for sock in self._sockets:
            with suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(_PATIENCE_SECONDS)
            assert not thread.is_alive()
        for sock in self._sockets:
            sock.close()
        if self.errors:
            raise self.errors[0]

    def _accept(self) -> None:
        # A test may take all file descriptors: accepting then fails for a while.
        while not self._stopping.is_set():
            with suppress(OSError):
                sock, _ = self._listener.accept()
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.accepted += 1
                self._sockets.append(sock)
                thread = threading.Thread(
                    target=self._serve, args=(sock, self.accepted), daemon=True
                )
                self._threads.append(thread)
                thread.start()

    def _serve(self, sock: socket.socket, number: int) -> None:
        try:
            if self._context is not None:
                # A failed handshake must not close the socket: RST could overtake the alert.
                sock = self._context.wrap_socket(
                    sock, server_side=True, do_handshake_on_connect=False
                )
                self._sockets.append(sock)
                sock.do_handshake()
            self._script(Peer(self, sock, number))
        except (EOFError, OSError):
            pass  # the client left, or the test ended
        except BaseException as error:  # noqa: BLE001 - raised again where the test can see it
            self.errors.append(error)


@contextmanager
def hostile_server(
    script: Script, *, context: ssl.SSLContext | None = None
) -> Iterator[HostileServer]:
    """Run a server for the length of the context."""
    server = HostileServer(script, context)
    try:
        yield server
    finally:
        server.stop()


def server_context(certificate: str = "server") -> ssl.SSLContext:
    """TLS with one of the certificates in `certs/`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTS / f"{certificate}.pem")
    return context


def always_ok(peer: Peer) -> None:
    """Answer each request with 200."""
    while True:
        peer.read_request()
        peer.send(OK)
