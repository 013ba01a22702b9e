import gc
import ssl
import weakref
from collections.abc import Iterator

import pytest

from pop_stream.gstv.connection import Connection, Hooks
from pop_stream.gstv.response import PLAIN_ANSWERS
from pop_stream.pop.outcome import Answer, NoAnswer, Trouble
from tests.support.gstv_wire import OK, REQUEST, FakeTransport, Wire


@pytest.fixture
def wire() -> Iterator[Wire]:
    """A connection with a post under way."""
    made = Wire()
    made.post()
    yield made
    if not made.closed:
        made.end()


def bytewise(data: bytes) -> list[bytes]:
    """Cut into single bytes."""
    return [data[index : index + 1] for index in range(len(data))]


CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2;ext=1\r\n{}\r\n0\r\nTrailer: x\r\n\r\n"
)
ACCEPTED = {
    "plain": OK,
    "no reason": b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
    "empty reason": b"HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n",
    "chunked with trailer": CHUNKED,
    "after interim answers": b"HTTP/1.1 100 Continue\r\n\r\n" * 16 + OK,
    "after early hints": b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK,
    "after empty lines": b"\r\n\r\n" + OK,
    "upgrade offered": b"HTTP/1.1 200 OK\r\nUpgrade: h2c\r\nContent-Length: 0\r\n\r\n",
    "odd bytes in a value": b"HTTP/1.1 200 OK\r\nX: \x80\xff\r\nContent-Length: 0\r\n\r\n",
    "many zeros in the length": b"HTTP/1.1 200 OK\r\nContent-Length: 000002\r\n\r\n{}",
    "gzip, chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("answer", ACCEPTED.values(), ids=ACCEPTED)
@pytest.mark.parametrize("split", ["whole", "bytewise"])
def test_a_proper_answer_leaves_the_connection_usable(
    wire: Wire, answer: bytes, split: str
) -> None:
    """However it is cut into reads, it is a 200, and the next post meets a clean connection."""
    wire.feed(*([answer] if split == "whole" else bytewise(answer)))

    assert wire.outcome is PLAIN_ANSWERS[200]
    assert not wire.connection.dead
    wire.post("next")
    wire.feed(b"HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n")
    assert wire.outcomes[1] == ("next", Answer(404))
    assert wire.transport.written == [REQUEST, REQUEST]


def test_an_empty_line_behind_an_answer_does_no_harm(wire: Wire) -> None:
    """Some servers add one. In the same read it is skipped; on its own it ends the connection."""
    wire.feed(OK + b"\r\n")
    wire.post()
    wire.feed(OK)
    assert [outcome for _, outcome in wire.outcomes] == [Answer(200)] * 2

    wire.feed(b"\r\n")

    assert wire.connection.dead


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 304 Not Modified\r\n\r\n",
        b"HTTP/1.1 301 Moved\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 599 X\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.0 503 X\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_any_status_from_200_to_599_is_an_answer(wire: Wire, answer: bytes) -> None:
    """It is handed on as it is: no redirect is followed, nothing is sent again."""
    wire.feed(answer)

    assert wire.outcome == Answer(int(answer[9:12]))
    assert not wire.connection.dead
    assert wire.transport.written == [REQUEST]


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    ],
)
def test_an_answer_that_ends_the_connection_still_counts(wire: Wire, answer: bytes) -> None:
    """Its outcome is the answer; the connection is not used again."""
    wire.feed(answer)

    assert wire.outcome == Answer(200)
    assert wire.connection.dead
    assert wire.transport.aborted == 1


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


def test_an_answer_of_exactly_the_limit_counts() -> None:
    """The limit itself is allowed, one byte more is not."""
    for surplus, good in ((0, True), (1, False)):
        wire = Wire(max_response_bytes=len(OK))
        wire.post()
        wire.feed(OK + b"\n" * surplus if surplus else OK)
        assert isinstance(wire.outcome, Answer) is good
        wire.end()


def test_each_answer_has_the_whole_limit() -> None:
    """What earlier answers used is not counted against later ones."""
    wire = Wire(max_response_bytes=len(OK))
    for _ in range(3):
        wire.post()
        wire.feed(OK[:9], OK[9:])

    assert [outcome for _, outcome in wire.outcomes] == [Answer(200)] * 3
    wire.end()


def test_retry_after_is_read_from_an_answer_in_pieces(wire: Wire) -> None:
    """The head is still known when the answer's last byte comes."""
    wire.feed(*bytewise(b"HTTP/1.1 429 X\r\nRetry-After: 5\r\nContent-Length: 2\r\n\r\n{}"))

    assert wire.outcome == Answer(429, "5")
    wire.post()
    wire.feed(b"HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n")
    assert wire.outcomes[1][1] == Answer(503, None)


def test_data_on_an_idle_connection_ends_it(wire: Wire) -> None:
    """An answer that nobody asked for never becomes the next request's answer."""
    wire.feed(OK)
    wire.feed(b"HTTP/1.1 408 Request Timeout\r\n\r\n")

    assert wire.outcome == Answer(200)
    assert wire.connection.dead
    assert wire.died == 1


@pytest.mark.parametrize("begun", [b"", b"HTTP/1.1 20", OK[:-1], b"HTTP/1.1 100 X\r\n\r\n"])
@pytest.mark.parametrize(
    ("error", "eof"), [(None, True), (None, False), (ConnectionResetError("gone"), False)]
)
def test_a_connection_that_ends_early_leaves_the_outcome_unknown(
    wire: Wire, begun: bytes, *, error: Exception | None, eof: bool
) -> None:
    """FIN or RST before the answer is whole: GSTV may or may not have taken the event."""
    wire.feed(*([begun] if begun else []))
    wire.end(error, eof=eof)

    outcome = wire.outcome
    assert isinstance(outcome, NoAnswer)
    assert (outcome.trouble, outcome.sent) == (Trouble.RESET, True)
    assert wire.closed == 1


def test_an_answer_without_length_ends_with_an_orderly_end(wire: Wire) -> None:
    """EOF completes it, as HTTP says."""
    wire.feed(b"HTTP/1.1 200 OK\r\n\r\n", b"some bo")
    assert wire.outcomes == []
    wire.end(eof=True)

    assert wire.outcome == Answer(200)


def test_an_answer_without_length_is_unknown_after_a_reset(wire: Wire) -> None:
    """RST completes nothing."""
    wire.feed(b"HTTP/1.1 200 OK\r\n\r\n", b"some bo")
    wire.end(ConnectionResetError("reset"))

    assert isinstance(wire.outcome, NoAnswer)


def test_a_refused_client_certificate_is_a_matter_of_tls(wire: Wire) -> None:
    """With TLS 1.3 the refusal arrives instead of the answer, and no retry would help."""
    error = ssl.SSLError(1, "[SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] ...")
    error.reason = "TLSV13_ALERT_CERTIFICATE_REQUIRED"
    wire.end(error)

    outcome = wire.outcome
    assert isinstance(outcome, NoAnswer)
    assert (outcome.trouble, outcome.sent) == (Trouble.TLS, True)


def test_another_tls_error_is_a_reset(wire: Wire) -> None:
    """Broken records are a broken connection, which a retry may mend."""
    error = ssl.SSLError(1, "[SSL: DECRYPTION_FAILED_OR_BAD_RECORD_MAC] ...")
    error.reason = "DECRYPTION_FAILED_OR_BAD_RECORD_MAC"
    wire.end(error)

    outcome = wire.outcome
    assert isinstance(outcome, NoAnswer)
    assert outcome.trouble is Trouble.RESET


def test_a_detail_is_printable_and_short(wire: Wire) -> None:
    """What a hostile peer makes an error say cannot forge log lines or fill them."""
    wire.end(OSError("evil\r\nline\x1b[31m" + "x" * 1000))

    outcome = wire.outcome
    assert isinstance(outcome, NoAnswer)
    assert outcome.detail.isprintable()
    assert len(outcome.detail) == 512


def test_failing_twice_tells_one_outcome(wire: Wire) -> None:
    """A timeout and the end of the connection after it are one outcome, the first."""
    wire.connection.fail(Trouble.TIMEOUT, "late")
    wire.connection.fail(Trouble.CLOSED, "closed")
    wire.end(ConnectionResetError("reset"))

    outcome = wire.outcome
    assert isinstance(outcome, NoAnswer)
    assert outcome.trouble is Trouble.TIMEOUT
    assert (wire.died, wire.closed, wire.transport.aborted) == (0, 1, 1)


def test_quiet_means_nothing_to_read(wire: Wire) -> None:
    """A socket on which something has arrived unread is not quiet."""
    wire.feed(OK)
    assert wire.connection.is_quiet()

    wire.transport.make_readable()

    assert not wire.connection.is_quiet()


def test_a_closed_connection_is_freed_at_once() -> None:
    """Connection and parser refer to each other; closing undoes that without the collector."""

    class Token:
        pass

    connection: Connection[Token] = Connection(
        Hooks(finished=lambda *_: None, died=lambda _: None, closed=lambda _: None),
        max_response_bytes=1000,
    )
    transport = FakeTransport()
    connection.connection_made(transport)
    token = Token()
    freed = weakref.ref(token)
    connection.send(token, REQUEST, 0.0)
    gc.disable()
    try:
        connection.connection_lost(None)
        del connection, token
        assert freed() is None
    finally:
        gc.enable()
        transport.release()
