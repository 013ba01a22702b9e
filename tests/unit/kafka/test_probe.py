import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from pop_stream.kafka.probe import brokers_known_by


@contextmanager
def server_that_says(answer: bytes) -> Iterator[int]:
    """Listen, take one request, give this answer and hang up."""

    def serve() -> None:
        connection, _ = server.accept()
        with connection:
            (size,) = struct.unpack(">i", connection.recv(4, socket.MSG_WAITALL))
            connection.recv(size, socket.MSG_WAITALL)
            connection.sendall(answer)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            thread.join(timeout=10)


def metadata(*brokers: bytes) -> bytes:
    """Compose a Metadata response, version 1."""
    body = struct.pack(">ii", 0, len(brokers)) + b"".join(brokers) + struct.pack(">ii", 1, 0)
    return struct.pack(">i", len(body)) + body


def broker(number: int, host: bytes, rack: bytes | None) -> bytes:
    """Compose one broker of it."""
    head = struct.pack(">ih", number, len(host)) + host + struct.pack(">i", 9092)
    return head + (struct.pack(">h", -1) if rack is None else struct.pack(">h", len(rack)) + rack)


def test_ids_of_all_brokers_are_read() -> None:
    """Names and racks of any length do not matter."""
    answer = metadata(broker(1, b"localhost", None), broker(3, b"x", b"r1"), broker(2, b"", b""))
    with server_that_says(answer) as port:
        assert brokers_known_by("127.0.0.1", port, timeout_seconds=5) == {1, 2, 3}


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        struct.pack(">i", 4) + b"abcd",
        struct.pack(">iii", 8, 0, 5),
        metadata(broker(1, b"localhost", None))[:-9],
    ],
)
def test_answer_that_is_not_kafkas_means_nobody(answer: bytes) -> None:
    """Whatever listens there, it is not a broker that is ready."""
    with server_that_says(answer) as port:
        assert brokers_known_by("127.0.0.1", port, timeout_seconds=5) == frozenset()


def test_nobody_listens() -> None:
    """A closed port is a broker that is not there."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert brokers_known_by("127.0.0.1", port, timeout_seconds=5) == frozenset()
