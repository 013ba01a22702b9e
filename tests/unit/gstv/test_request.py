import httptools
import pytest

from pop_stream import __version__
from pop_stream.gstv.endpoint import parse_endpoint
from pop_stream.gstv.request import RequestHead

POP_ID = "018f2b7e-0000-7000-8000-000000000000"


class Parsed:
    """A request as a strict server reads it."""

    def __init__(self, request: bytes) -> None:
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = self.target = b""
        self.complete = 0
        parser = httptools.HttpRequestParser(self)
        parser.feed_data(request)
        self.method = parser.get_method()

    def on_url(self, url: bytes) -> None:
        self.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name, value))

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.complete += 1


def head(url: str = "http://gstv.example/pop") -> RequestHead:
    """Make a head for one endpoint."""
    return RequestHead(parse_endpoint(url))


def test_a_request_holds_exactly_what_the_contract_says() -> None:
    """Method, target, headers and body are those of section 4, each once."""
    parsed = Parsed(head().request(b'{"a": 1}', POP_ID, 3))

    assert (parsed.method, parsed.target, parsed.body) == (b"POST", b"/pop", b'{"a": 1}')
    assert parsed.complete == 1
    assert parsed.headers == [
        (b"Host", b"gstv.example"),
        (b"Content-Type", b"application/json"),
        (b"User-Agent", f"pop-stream/{__version__}".encode()),
        (b"Idempotency-Key", f'"{POP_ID}"'.encode()),
        (b"X-Pop-Attempt", b"3"),
        (b"Content-Length", b"8"),
    ]


@pytest.mark.parametrize("body", [b"", b"\r\n\r\nPOST / HTTP/1.1\r\n\r\n", b"%s%d\x00\xff"])
def test_a_body_is_sent_as_it_is(body: bytes) -> None:
    """No byte of a body is taken for a part of the head or changed."""
    assert Parsed(head().request(body, POP_ID, 1)).body == body


def test_percent_signs_in_the_target_stay() -> None:
    """A percent-encoded target is sent as it was set."""
    request = head("http://gstv.example/a%20b%d?c=%25").request(b"", POP_ID, 1)

    assert Parsed(request).target == b"/a%20b%d?c=%25"


@pytest.mark.parametrize(
    "pop_id",
    ["", "a" * 129, 'a"', "a\\", "a\r\nX: y", "a b", "a\x00", "a\x7f", "ä", "a,b", "a;b"],
)
def test_an_id_that_could_leave_its_quotes_is_refused(pop_id: str) -> None:
    """No pop-id can add a header or end the quoted string."""
    with pytest.raises(ValueError, match=r"pop-id|ascii"):
        head().request(b"", pop_id, 1)


@pytest.mark.parametrize("attempt", ["1\r\nX: y", None])
def test_an_attempt_that_is_no_number_is_refused(attempt: object) -> None:
    """No attempt number can add a header."""
    with pytest.raises(TypeError):
        head().request(b"", POP_ID, attempt)


def test_a_trace_is_told_in_a_header_of_its_own() -> None:
    """Beside all the others; the rest of the request stays as it is."""
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    plain = head()
    traced = plain.request(b"{}", "id-1", 1, trace)

    line = f"traceparent: {trace}\r\n".encode()
    assert traced.count(line) == 1
    assert traced.replace(line, b"") == plain.request(b"{}", "id-1", 1)


@pytest.mark.parametrize("odd", ["", "00-1-2-01", "00-0af7651916cd43dd8448eb211c80319c\r\nX: 1"])
def test_a_trace_that_could_leave_its_header_is_refused(odd: str) -> None:
    """Nothing is sent then."""
    with pytest.raises(ValueError, match="traceparent"):
        head().request(b"{}", "id-1", 1, odd)
