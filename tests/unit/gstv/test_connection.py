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


OTHER = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{ }"
NOT_KNOWN = {
    "another success": (OTHER, PLAIN_ANSWERS[200]),
    "the same and more": (OK + b"x", None),
    "half of the same": (OK[:-1], None),
    "a refusal": (b"HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n", PLAIN_ANSWERS[404]),
}


@pytest.mark.parametrize(("data", "answer"), NOT_KNOWN.values(), ids=NOT_KNOWN)
@pytest.mark.parametrize("repetitions", [1, 3])
def test_an_answer_that_came_before_teaches_nothing_about_another(
    wire: Wire, data: bytes, answer: Answer | None, repetitions: int
) -> None:
    """The same bytes count as the same answer, however often; any others are read anew."""
    for _ in range(repetitions):
        wire.feed(OK)
        wire.post()
    wire.feed(data)

    assert wire.outcomes[:repetitions] == [("token", PLAIN_ANSWERS[200])] * repetitions
    last = [outcome for _, outcome in wire.outcomes[repetitions:]]
    if answer is None:
        assert all(isinstance(outcome, NoAnswer) for outcome in last)
    else:
        assert last == [answer]


REFUSED = b"HTTP/1.1 503 X\r\nRetry-After: 7\r\nContent-Length: 2\r\n\r\n{}"


def test_a_refusal_that_repeats_says_the_same_again(wire: Wire) -> None:
    """Also between successes, and with what GSTV asks for."""
    for answer in (REFUSED, OK, REFUSED, REFUSED, OK):
        wire.feed(answer)
        wire.post()

    slow, good = Answer(503, "7"), PLAIN_ANSWERS[200]
    assert [outcome for _, outcome in wire.outcomes] == [slow, good, slow, slow, good]


def test_only_a_few_answers_are_known_and_no_large_one(wire: Wire) -> None:
    """Where each is another they would be memory."""
    for number in range(100):
        wire.feed(b"HTTP/1.1 500 X\r\nX: %d\r\nContent-Length: 0\r\n\r\n" % number)
        wire.post()
    wire.feed(b"HTTP/1.1 500 X\r\nContent-Length: 9000\r\n\r\n" + b"x" * 9000)

    assert len(wire.outcomes) == 101
    known = wire.connection._known._known
    assert 0 < len(known) <= 8
    assert max(map(len, known)) < 100


def test_what_repeats_an_answer_inside_another_is_no_answer(wire: Wire) -> None:
    """Bytes that were a whole answer before may be the body of this one."""
    wire.feed(OK)
    wire.post("long")
    wire.feed(b"HTTP/1.1 404 X\r\nContent-Length: %d\r\n\r\n" % len(OK))
    assert len(wire.outcomes) == 1
    wire.feed(OK)

    assert wire.outcomes[1:] == [("long", Answer(404))]


def test_an_answer_that_ends_the_connection_is_not_taken_for_one_that_does_not() -> None:
    """A success with `Connection: close` ends its connection each time."""
    closing = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    for _ in range(2):
        wire = Wire()
        wire.post()
        wire.feed(closing)
        assert wire.outcome is PLAIN_ANSWERS[200]
        assert wire.connection.dead
        wire.end()
