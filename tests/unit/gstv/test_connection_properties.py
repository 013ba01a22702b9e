"""Whatever GSTV sends: one outcome for each post, never a success that GSTV did not say."""

import itertools
import re

from hypothesis import given, settings
from hypothesis import strategies as st

from pop_stream.pop.outcome import Answer, NoAnswer, Trouble
from tests.support.gstv_wire import OK, REQUEST, Wire

FRAGMENTS = [
    b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 500 X\r\n", b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.0 200 OK\r\n", b"HTTP/1.1 204 No Content\r\n", b"HTTP/2.0 200 OK\r\n",
    b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n", b"HTTP/1.1 999 X\r\n", b"HTTP/1.1 ",
    b"Content-Length: 0\r\n", b"Content-Length: 2\r\n", b"Transfer-Encoding: chunked\r\n",
    b"Connection: close\r\n", b"Retry-After: 3\r\n", b"A: b\r\n", b"\r\n", b"\n", b"{}",
    b"2\r\n{}\r\n", b"0\r\n\r\n", b"0\r\nRetry-After: 9\r\n\r\n", OK,
    b"HTTP/1.1 503 X\r\nRetry-After: 1\r\nContent-Length: 2\r\n\r\n{}",
]  # fmt: skip
WHOLE = [
    OK,
    FRAGMENTS[-1],
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
]
_STATUS_LINE = re.compile(rb"HTTP/1\.[01] (\d{3})(?: [^\r\n]*)?\r\n")

assembled = st.lists(
    st.sampled_from(FRAGMENTS) | st.binary(min_size=1, max_size=4), min_size=1, max_size=8
).map(b"".join)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """One or two good answers with a few bytes changed, lost or added."""
    data = bytearray(b"".join(draw(st.lists(st.sampled_from(WHOLE), min_size=1, max_size=2))))
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 3)))
        data[start:end] = draw(st.binary(max_size=3) | st.sampled_from(FRAGMENTS))
    return bytes(data) or b"x"


@st.composite
def pieces(draw: st.DrawFn) -> list[bytes]:
    """Bytes from GSTV, cut into reads."""
    data = draw(assembled | mutated())
    cuts = sorted(draw(st.sets(st.integers(1, max(1, len(data) - 1)), max_size=4)))
    edges = [0, *cuts, len(data)]
    found = [data[start:end] for start, end in itertools.pairwise(edges)]
    return [piece for piece in found if piece]


def said(data: bytes) -> int | None:
    """The status that GSTV said first and finally, read in another way than the client's."""
    while found := _STATUS_LINE.match(data := data.lstrip(b"\r\n")):
        if not found[1].startswith(b"1"):
            return int(found[1])
        data = data[data.index(b"\r\n\r\n") + 4 :]
    return None


@settings(max_examples=600, deadline=None)
@given(first=pieces(), ending=st.sampled_from(["eof", "reset", "timeout"]))
def test_one_outcome_and_never_a_wrong_success(first: list[bytes], ending: str) -> None:
    """An answer is one that GSTV said; a connection used again understands the next answer."""
    wire = Wire()
    wire.post("first")
    wire.feed(*first)
    if not wire.connection.dead and not wire.connection.busy:
        wire.post("second")
        wire.feed(OK)
        assert wire.outcomes[1] == ("second", Answer(200))
        assert wire.transport.written == [REQUEST, REQUEST]
    if ending == "timeout":
        wire.connection.fail(Trouble.TIMEOUT, "late")
    wire.end(ConnectionResetError() if ending == "reset" else None, eof=ending == "eof")

    tokens = [token for token, _ in wire.outcomes]
    assert tokens == ["first", "second"][: len(wire.transport.written)]
    assert wire.closed == 1
    outcome = wire.outcomes[0][1]
    if isinstance(outcome, Answer):
        assert outcome.status == said(b"".join(first))
    else:
        assert isinstance(outcome, NoAnswer)
        assert outcome.sent


@settings(max_examples=200, deadline=None)
@given(
    status=st.integers(200, 599).filter(lambda status: status not in {204, 205, 304}),
    headers=st.lists(st.sampled_from([b"A: b\r\n", b"Retry-After: 7\r\n", b"X:\r\n"]), max_size=4),
    body=st.binary(max_size=50),
    chunked=st.booleans(),
    interim=st.integers(0, 3),
    data=st.data(),
)
def test_every_proper_answer_is_understood(
    status: int, headers: list[bytes], body: bytes, *, chunked: bool, interim: int,
    data: st.DataObject,
) -> None:  # fmt: skip
    """However it is framed and cut, its status and Retry-After come through."""
    if chunked:
        framing = b"Transfer-Encoding: chunked\r\n"
        content = (b"%x\r\n%b\r\n" % (len(body), body) if body else b"") + b"0\r\n\r\n"
    else:
        framing, content = b"Content-Length: %d\r\n" % len(body), body
    answer = b"HTTP/1.1 100 X\r\n\r\n" * interim
    answer += b"HTTP/1.1 %d X\r\n%b%b\r\n%b" % (status, b"".join(headers), framing, content)
    cut = data.draw(st.integers(0, len(answer)))
    wire = Wire()
    wire.post()
    wire.feed(*[piece for piece in (answer[:cut], answer[cut:]) if piece])

    outcome = wire.outcome
    assert isinstance(outcome, Answer)
    assert outcome.status == status
    if status >= 300:
        assert outcome.retry_after == ("7" if b"Retry-After: 7\r\n" in headers else None)
    assert not wire.connection.dead
    wire.end()
