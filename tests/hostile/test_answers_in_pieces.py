"""However an answer is cut into reads, it is the same answer (C11)."""

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from pop_stream.pop.outcome import Answer, NoAnswer, Outcome
from tests.support.gstv_wire import OK, Wire

HEADS = [
    b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 503 X\r\n", b"HTTP/1.0 200 OK\r\n", b"HTTP/1.1 204 X\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n", b"HTTP/1.1 304 X\r\n", b"HTTP/2 200\r\n",
]  # fmt: skip
HEADERS = [
    b"Content-Length: 2\r\n", b"Content-Length: 0\r\n", b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: gzip, chunked\r\n", b"Content-Length: -1\r\n", b"Connection: close\r\n",
    b"Retry-After: 7\r\n", b"Content-Encoding: gzip\r\n", b"A: b\r\n c\r\n", b"A : b\r\n",
    b"Trailer: Retry-After\r\n", b"Upgrade: h2c\r\nConnection: Upgrade\r\n",
]  # fmt: skip
BODIES = [
    b"{}", b"", b"2\r\n{}\r\n0\r\n\r\n", b"2;a=b\r\n{}\r\n0\r\nRetry-After: 9\r\n\r\n",
    b"0\r\n\r\n", OK, b"\r\n",
]  # fmt: skip


@st.composite
def answers(draw: st.DrawFn) -> bytes:
    """Answers, whole or nearly, some of which mean two things to two readers."""
    headers = b"".join(draw(st.lists(st.sampled_from(HEADERS), max_size=3)))
    data = bytearray(draw(st.sampled_from(HEADS)) + headers + b"\r\n")
    data += draw(st.sampled_from(BODIES))
    for at, byte in draw(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 255)), max_size=2)):
        data[at % len(data)] = byte
    return bytes(data)


def outcome_of(pieces: Sequence[bytes]) -> tuple[Outcome, int]:
    """What becomes of a post that is answered so, and how much of it was read until then."""
    wire, read = Wire(), 0
    wire.post()
    for piece in pieces:
        if wire.outcomes:
            break
        wire.feed(piece)
        read += len(piece)
    wire.end(eof=True)
    assert wire.closed == 1
    return wire.outcome, read


@settings(derandomize=True, max_examples=500)
@given(whole=answers(), data=st.data())
def test_an_answer_means_the_same_however_it_is_cut(whole: bytes, data: st.DataObject) -> None:
    """All at once, byte by byte, or in any pieces: one outcome, and the same."""
    cuts = data.draw(st.sets(st.integers(1, len(whole) - 1), max_size=6))
    edges = [0, *sorted(cuts), len(whole)]
    ways = ([whole], [bytes((byte,)) for byte in whole], [whole[a:b] for a, b in pairwise(edges)])

    found = [outcome_of(way) for way in ways]

    for outcome, read in found[1:]:
        if read < len(whole) and isinstance(outcome, Answer):
            # It had ended before, and what was behind it reached nobody.
            assert said(outcome_of([whole[:read]])[0]) == said(outcome)
        else:
            assert said(outcome) == said(found[0][0])


def said(outcome: Outcome) -> tuple[object, ...]:
    """What counts of an outcome: not the words for people."""
    if isinstance(outcome, NoAnswer):
        return (outcome.trouble, outcome.sent)
    # Of a success nobody asks when to try again.
    return (outcome.status, None if outcome.status < 300 else outcome.retry_after)
