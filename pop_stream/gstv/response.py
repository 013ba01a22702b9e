"""What an answer's bytes say, for the answers that are not a plain success.

The connection's own parser defines as few callbacks as it can, because it runs for every post.
It knows the status and where the answer ends. Answers that need more are read a second time here,
from the start, by a parser that looks at every header: rare, bounded by `max_response_bytes`, and
linear because the bytes come in one piece.
"""

from dataclasses import dataclass
from typing import Final

import httptools

from pop_stream.pop.outcome import Answer

_RETRY_AFTER_MAX: Final = 128
_VERSIONS: Final = ("1.0", "1.1")

#: One shared answer for each status that may be an answer: no allocation for a success.
PLAIN_ANSWERS: Final = {status: Answer(status) for status in range(200, 600)}


@dataclass(frozen=True, slots=True)
class Malformed:
    """The bytes are no answer that we accept; `why` is for people."""

    why: str


class _Reader:
    """Follows the messages in the bytes; what it holds in the end is of the last one."""

    def __init__(self) -> None:
        self.parser = httptools.HttpResponseParser(self)
        self.retry_after: str | None
        self._start()

    def on_message_begin(self) -> None:
        """Forget the interim answer before."""
        self._start()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Note the few headers that matter."""
        if self.head_ended:
            return  # a trailer
        lowered = name.lower()
        if lowered in {b"content-length", b"transfer-encoding"}:
            self.has_length = True
        elif lowered == b"retry-after" and self.retry_after is None:
            text = value.decode("latin-1").strip()[:_RETRY_AFTER_MAX]
            self.retry_after = text if text.isprintable() else None

    def on_headers_complete(self) -> None:
        """Note version and status while the parser still has them."""
        self.head_ended = True
        self.version = self.parser.get_http_version()
        self.status = self.parser.get_status_code()

    def _start(self) -> None:
        self.head_ended = False
        self.has_length = False
        self.retry_after = None
        self.version = ""
        self.status = 0


def read_answer(whole: bytes) -> Answer | Malformed:
    """Read an answer that the connection's parser has found complete, interim answers before it."""
    return _judge(_read(whole), whole)


def read_answer_at_eof(whole: bytes) -> Answer | Malformed:
    """Read what came before GSTV closed the connection in an orderly way.

    An answer with neither Content-Length nor Transfer-Encoding ends with the connection (RFC 9112,
    8: complete if its head came whole). We read nothing of the body, so the head says all there is
    to say. To call it unknown would make every delivery to such a server fail.
    """
    reader = _read(whole)
    if not reader.head_ended or reader.has_length or reader.status < 200:
        return Malformed("the connection ended within the answer")
    return _judge(reader, whole)


def _read(whole: bytes) -> _Reader:
    reader = _Reader()
    try:
        reader.parser.feed_data(whole)
    except (httptools.HttpParserError, httptools.HttpParserUpgrade):
        reader.on_message_begin()
    return reader


def _judge(reader: _Reader, whole: bytes) -> Answer | Malformed:
    if reader.version not in _VERSIONS or not whole.lstrip(b"\r\n").startswith(b"HTTP/"):
        return Malformed("the answer is not HTTP/1.0 or HTTP/1.1")
    plain = PLAIN_ANSWERS.get(reader.status)
    if plain is None:
        return Malformed("the answer's status is not 200 to 599")
    if reader.retry_after is None:
        return plain
    return Answer(reader.status, reader.retry_after)
