"""Answers that the connection must not take for answers."""

from collections.abc import Iterator

import pytest

from pop_stream.pop.outcome import NoAnswer, Trouble
from tests.support.gstv_wire import OK, Wire


@pytest.fixture
def wire() -> Iterator[Wire]:
    """A connection with a post under way."""
    made = Wire()
    made.post()
    yield made
    if not made.closed:
        made.end()


def head(text: bytes) -> bytes:
    """Make the head of a 200."""
    return b"HTTP/1.1 200 OK\r\n" + text + b"\r\n\r\n"


REFUSED = {
    "two answers": OK + OK,
    "an answer and a part of one": OK + b"HTTP",
    "an answer and one byte": OK + b"H",
    "an answer and junk": OK + b"junk",
    "body after 204": b"HTTP/1.1 204 X\r\n\r\n{}",
    "body after 304": b"HTTP/1.1 304 X\r\n\r\n{}",
    "data after close": head(b"Connection: close\r\nContent-Length: 0") + b"x",
    "interim answer behind": OK + b"HTTP/1.1 100 Continue\r\n\r\n",
    "17 interim answers": b"HTTP/1.1 100 Continue\r\n\r\n" * 17 + OK,
    "switched protocols": b"HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
    "101 without upgrade": b"HTTP/1.1 101 X\r\n\r\n" + OK,
    "HTTP/2.0": b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/0.9": b"HTTP/0.9 200 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.2": b"HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n",
    "HTTP/2 frames": b"\x00\x00\x12\x04\x00\x00\x00\x00\x00",
    "RTSP": b"RTSP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    "ICY": b"ICY 200 OK\r\n\r\n",
    "lower case": b"http/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    "TLS": b"\x15\x03\x01\x00\x02\x02\x46",
    "body only": b"<html>",
    "status 000": b"HTTP/1.1 000 X\r\nContent-Length: 0\r\n\r\n",
    "status 099": b"HTTP/1.1 099 X\r\nContent-Length: 0\r\n\r\n",
    "status 600": b"HTTP/1.1 600 X\r\nContent-Length: 0\r\n\r\n",
    "status 999": b"HTTP/1.1 999 X\r\nContent-Length: 0\r\n\r\n",
    "status 20": b"HTTP/1.1 20 X\r\nContent-Length: 0\r\n\r\n",
    "status 2000": b"HTTP/1.1 2000 X\r\nContent-Length: 0\r\n\r\n",
    "bare LF": b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
    "bare CR": head(b"A: b\rC: d\r\nContent-Length: 0"),
    "folded header": head(b"A: b\r\n c\r\nContent-Length: 0"),
    "two lengths": head(b"Content-Length: 0\r\nContent-Length: 0"),
    "two different lengths": head(b"Content-Length: 0\r\nContent-Length: 2"),
    "a list of lengths": head(b"Content-Length: 0, 0"),
    "signed length": head(b"Content-Length: +0"),
    "negative length": head(b"Content-Length: -1"),
    "hexadecimal length": head(b"Content-Length: 0x0"),
    "huge length": head(b"Content-Length: 18446744073709551616"),
    "length and chunked": head(b"Content-Length: 5\r\nTransfer-Encoding: chunked") + b"0\r\n\r\n",
    "chunked and length": head(b"Transfer-Encoding: chunked\r\nContent-Length: 5") + b"0\r\n\r\n",
    "space before colon": head(b"Content-Length : 0"),
    "header without colon": head(b"nonsense\r\nContent-Length: 0"),
    "NUL in a value": head(b"A: \x00\r\nContent-Length: 0"),
    "chunk size -2": head(b"Transfer-Encoding: chunked") + b"-2\r\n{}\r\n0\r\n\r\n",
    "chunk without CRLF": head(b"Transfer-Encoding: chunked") + b"2\r\n{}0\r\n\r\n",
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("status_line_first", [False, True])
def test_what_is_no_proper_answer_ends_the_connection(
    wire: Wire, data: bytes, *, status_line_first: bool
) -> None:
    """The outcome is unknown, never a success, and the connection is not used again."""
    cut = data.find(b"\n") + 1 if status_line_first else 0
    wire.feed(*[piece for piece in (data[:cut], data[cut:]) if piece])

    outcome = wire.outcome
    assert isinstance(outcome, NoAnswer)
    assert outcome.trouble is Trouble.BAD_RESPONSE
    assert outcome.sent
    assert outcome.detail
    assert wire.connection.dead
    assert wire.transport.aborted == 1


ENDLESS = {
    "a value": (b"HTTP/1.1 200 OK\r\nA: ", b"a" * 1000),
    "a name": (b"HTTP/1.1 200 OK\r\n", b"a" * 1000),
    "a reason": (b"HTTP/1.1 200 ", b"a" * 1000),
    "headers": (b"HTTP/1.1 200 OK\r\n", b"A: b\r\n" * 100),
    "trailers": (head(b"Transfer-Encoding: chunked") + b"0\r\n", b"A: b\r\n" * 100),
    "a chunk extension": (head(b"Transfer-Encoding: chunked") + b"1;", b"a" * 1000),
    "a chunk": (head(b"Transfer-Encoding: chunked") + b"ffffffffffffffff\r\n", b"a" * 1000),
    "a chunk size": (head(b"Transfer-Encoding: chunked"), b"0" * 1000),
    "a body": (head(b"Content-Length: 18446744073709551615"), b"a" * 1000),
    "a body without length": (head(b"A: b"), b"a" * 1000),
    "interim headers": (b"HTTP/1.1 100 Continue\r\n", b"A: b\r\n" * 100),
    "empty lines": (b"", b"\r\n" * 500),
}


@pytest.mark.parametrize(("start", "more"), ENDLESS.values(), ids=ENDLESS)
def test_an_endless_answer_is_cut_off(start: bytes, more: bytes) -> None:
    """All bytes count, wherever in the answer they are."""
    wire = Wire(max_response_bytes=10_000)
    wire.post()
    if start:
        wire.feed(start)
    for _ in range(20):
        wire.feed(more)

    outcome = wire.outcome
    assert isinstance(outcome, NoAnswer)
    assert (outcome.trouble, outcome.sent) == (Trouble.BAD_RESPONSE, True)
    assert "10000 bytes" in outcome.detail
    wire.end()
