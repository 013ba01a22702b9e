"""The address that shows metrics: whoever connects to it cannot take it, or the worker, away."""

import socket
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from pop_stream.watch import listening
from pop_stream.watch.server import Page, Server
from tests.support.eventually import eventually

MANY = 300


@pytest.fixture
def server() -> Iterator[Server]:
    """A server with one page."""
    made = Server(
        CollectorRegistry(), {"/livez": lambda: Page("text/plain", b"well")},
        host="127.0.0.1", port=0,
    )  # fmt: skip
    yield made
    made.close()


def connected(server: Server) -> socket.socket:
    """A client that has said nothing yet."""
    return socket.create_connection(("127.0.0.1", server.port), timeout=20)


def is_well(server: Server) -> bool:
    """Whether it answers."""
    with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/livez", timeout=20) as answer:
        return bool(answer.read() == b"well")


def descriptors() -> int:
    """How many this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.parametrize("said", [b"", b"GET /livez HTT", b"GET /livez HTTP/1.1\r\nA: b\r\n"])
def test_connections_that_say_nothing_whole_take_neither_room_nor_threads(
    said: bytes, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three hundred of them: the next who asks is answered, and no more than 64 are kept."""
    # Not by the time that they are silent.
    monkeypatch.setattr(listening._Handler, "timeout", 600)
    threads, before = threading.active_count(), descriptors()
    with ExitStack() as stack:
        for _ in range(MANY):
            stack.enter_context(connected(server)).sendall(said)
        assert is_well(server)
        # Both ends are in this process.
        eventually(lambda: threading.active_count() - threads <= 65, "threads have ended")
        eventually(lambda: descriptors() - before - MANY <= 65, "their sockets are closed")
        assert is_well(server)


def test_a_connection_without_a_byte_ends_after_a_while(
    server: Server, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """And that is no news."""
    monkeypatch.setattr(listening._Handler, "timeout", 0.1)
    with connected(server) as silent:
        assert silent.recv(1) == b""
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    "request_bytes",
    [b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n", b"\0" * 1_000 + b"\r\n\r\n",
     b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 10_000 + b"\r\n", b"GET / HTTP/9.9\r\n\r\n",
     b"POST /livez HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
     b"POST /livez HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n"],
    ids=["long line", "zeros", "many headers", "version", "negative length", "huge length"],
)  # fmt: skip
def test_an_odd_request_ends_with_an_answer_or_none(
    request_bytes: bytes, server: Server, capfd: pytest.CaptureFixture[str]
) -> None:
    """Nothing of it is in a log, and the next who asks is answered."""
    with connected(server) as client:
        try:
            client.sendall(request_bytes)
            while client.recv(65_536):
                pass
        except ConnectionError:
            pass
    assert is_well(server)
    assert capfd.readouterr().err == ""
