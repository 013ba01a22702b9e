"""The mock of GSTV as a server of HTTP, to clients that are not ours."""

import re
import socket
from pathlib import Path

import pytest

from pop_stream.gstv.mock.ledger import read_ledger
from pop_stream.gstv.mock.running import MockGstv


def exchange(mock: MockGstv, request: bytes, *, answers: int = 1) -> bytes:
    """Send raw bytes and read so many answers, or until the mock closes."""
    with socket.create_connection(("127.0.0.1", mock.port), timeout=20) as connection:
        connection.sendall(request)
        data = b""
        while data.count(b"\r\n\r\n") < answers or not data.endswith(b"}"):
            piece = connection.recv(65_536)
            if not piece:
                break
            data += piece
    return data


def test_requests_sent_ahead_are_answered_in_order(tmp_path: Path) -> None:
    """Also when the first takes longer than the second."""
    rules = [
        {"when": {"header": {"N": "1"}}, "then": {"delay": 0.1, "status": 201}},
        {"when": {"header": {"N": "2"}}, "then": {"status": 202}},
    ]
    numbered = b"POST / HTTP/1.1\r\nN: %d\r\nContent-Length: 0\r\n\r\n"
    requests = numbered % 1 + numbered % 2 + numbered % 3
    with MockGstv.start(rules=rules, ledger=tmp_path / "ledger") as mock:
        data = exchange(mock, requests, answers=3)
        assert mock.stats()["without_id"] == 3

    assert re.findall(rb"HTTP/1.1 (\d+)", data) == [b"201", b"202", b"200"]
    assert [entry.decision for entry in read_ledger(tmp_path / "ledger")] == [201, 202, 200]


def test_what_comes_too_fast_is_refused() -> None:
    """Each request takes one token, though the rules look at its head and at its body."""
    rules = [{"when": {"above_per_second": 0.001}, "then": {"status": 429}}]
    request = b"POST / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"
    with MockGstv.start(rules=rules) as mock:
        data = exchange(mock, request * 3, answers=3)

    assert re.findall(rb"HTTP/1.1 (\d+)", data) == [b"200", b"429", b"429"]


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\n{}", 200),
        (b"POST /a/b?c HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", 200),
        (b"nonsense\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 405),
        (b"POST /__mock__/stats HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 405),
        (b"GET /__mock__/nothing HTTP/1.1\r\n\r\n", 404),
        (b"POST / HTTP/1.1\r\nContent-Length: 2000000\r\n\r\n" + b"x" * 1_100_000, 413),
    ],
)
def test_other_requests_are_answered_as_http_demands(request_bytes: bytes, status: int) -> None:
    """Old and chunked requests are events; what is none, or too large, is refused."""
    with MockGstv.start() as mock:
        data = exchange(mock, request_bytes)

        assert int(data[9:12]) == status
        assert mock.stats()["received"] == (1 if status == 200 else 0)


def test_a_client_that_asks_whether_to_go_on_is_told_so() -> None:
    """As curl does before larger bodies."""
    head = b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    with (
        MockGstv.start() as mock,
        socket.create_connection(("127.0.0.1", mock.port), timeout=20) as connection,
    ):
        connection.sendall(head)
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"{}")
        assert connection.recv(1000).startswith(b"HTTP/1.1 200 OK\r\n")
