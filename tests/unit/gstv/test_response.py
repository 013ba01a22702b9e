import pytest

from pop_stream.gstv.response import (
    PLAIN_ANSWERS,
    Malformed,
    read_answer,
    read_answer_at_eof,
)
from pop_stream.pop.outcome import Answer

END = b"Content-Length: 0\r\n\r\n"


def test_an_answer_without_retry_after_is_the_shared_one() -> None:
    """A plain answer costs no new object."""
    assert read_answer(b"HTTP/1.1 404 Not Found\r\n" + END) is PLAIN_ANSWERS[404]


@pytest.mark.parametrize("name", [b"Retry-After", b"retry-after", b"RETRY-AFTER"])
@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (b"7", "7"),
        (b"  7 \t", "7"),
        (b"Wed, 21 Oct 2026 07:28:00 GMT", "Wed, 21 Oct 2026 07:28:00 GMT"),
        (b"", ""),
        (b"x" * 200, "x" * 128),
        (b"caf\xc3\xa9\x80", None),
    ],
)
def test_retry_after_is_found(name: bytes, value: bytes, wanted: str | None) -> None:
    """The header's value comes as it is: trimmed, cut, and only if it is printable."""
    whole = b"HTTP/1.1 429 Slow\r\nA: b\r\n%b: %b\r\n%b" % (name, value, END)

    assert read_answer(whole) == Answer(429, wanted)


def test_the_first_of_several_retry_after_counts() -> None:
    """Two contradicting headers do not add up."""
    whole = b"HTTP/1.1 503 X\r\nRetry-After: 1\r\nRetry-After: 2\r\n" + END

    assert read_answer(whole) == Answer(503, "1")


def test_retry_after_elsewhere_does_not_count() -> None:
    """One in an interim answer, in the body or in a trailer is not the answer's."""
    interim = b"HTTP/1.1 103 Early Hints\r\nRetry-After: 1\r\n\r\n"
    body = b"\r\nRetry-After: 2\r\n\r\n"
    whole = (
        interim
        + b"HTTP/1.1 503 X\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n" % (len(body), body)
        + b"0\r\nRetry-After: 3\r\n\r\n"
    )

    assert read_answer(whole) is PLAIN_ANSWERS[503]


@pytest.mark.parametrize(
    "start",
    [b"HTTP/2.0 200 OK", b"HTTP/0.9 200 OK", b"RTSP/1.0 200 OK", b"HTTP/1.1 999 X",
     b"HTTP/1.1 600 X", b"HTTP/1.1 099 X", b"HTTP/1.1 000 X"],
)  # fmt: skip
def test_what_is_no_answer_of_http_1_is_malformed(start: bytes) -> None:
    """Other versions, other protocols and impossible statuses are no answers."""
    assert isinstance(read_answer(start + b"\r\n" + END), Malformed)


def test_an_answer_of_http_1_0_is_accepted() -> None:
    """HTTP/1.0 says as clearly what became of the event."""
    assert read_answer(b"HTTP/1.0 200 OK\r\n" + END) is PLAIN_ANSWERS[200]


@pytest.mark.parametrize(
    ("whole", "status"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", 200),
        (b"HTTP/1.0 200 OK\r\nConnection: close\r\n\r\nhalf a bo", 200),
        (b"HTTP/1.1 102 X\r\n\r\nHTTP/1.1 503 OK\r\nConnection: close\r\n\r\n", 503),
    ],
)
def test_an_answer_that_ends_with_the_connection_counts(whole: bytes, status: int) -> None:
    """With its head whole and no length announced, the end of the connection is its end."""
    answer = read_answer_at_eof(whole)

    assert isinstance(answer, Answer)
    assert answer.status == status


@pytest.mark.parametrize(
    "whole",
    [
        b"H",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, gzip\r\n\r\nhalf",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n",
        b"HTTP/2.0 200 OK\r\n\r\n",
        b"RTSP/1.0 200 OK\r\n\r\n",
        b"\x16\x03\x01",
    ],
)
def test_an_answer_cut_off_does_not_count(whole: bytes) -> None:
    """A head that is not whole, or a body shorter than announced, leaves the outcome unknown."""
    assert isinstance(read_answer_at_eof(whole), Malformed)
