"""The bytes of one POST."""

import re
import string
from typing import Final

from pop_stream import __version__
from pop_stream.gstv.endpoint import Endpoint

#: What a pop-id may consist of: nothing that could end a quoted string or a header.
_ID_BYTES: Final = (string.ascii_letters + string.digits + "-._:").encode("ascii")
_ID_MAX: Final = 128
_is_traceparent: Final = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}").fullmatch


class RequestHead:
    """Builds requests to one endpoint. What never changes is put together once."""

    __slots__ = ("_template", "_with_lines")

    def __init__(self, endpoint: Endpoint) -> None:
        constant = (
            f"POST {endpoint.target} HTTP/1.1\r\n"
            f"Host: {endpoint.host_header}\r\n"
            "Content-Type: application/json\r\n"
            f"User-Agent: pop-stream/{__version__}\r\n"
        ).encode("ascii")
        head = constant.replace(b"%", b"%%")
        own = b'Idempotency-Key: "%b"\r\nX-Pop-Attempt: %d\r\nContent-Length: %d\r\n\r\n%b'
        self._template = head + own
        self._with_lines = head + b"%b" + own

    def request(
        self,
        body: bytes,
        pop_id: str,
        attempt: int,
        traceparent: str | None = None,
        lines: bytes = b"",
    ) -> bytes:
        """Head and body in one piece, since two writes cost half as much again.

        `lines` are further lines of the head, each with its CRLF. Raises ValueError for a pop-id
        that could not stand between quotes in a header, and for a traceparent that is none.
        """
        key = pop_id.encode("ascii")
        if not key or len(key) > _ID_MAX or key.translate(None, _ID_BYTES):
            raise ValueError("the pop-id must be 1 to 128 of A-Z a-z 0-9 - . _ :")
        if traceparent is None and not lines:
            return self._template % (key, attempt, len(body), body)
        if traceparent is not None:
            if _is_traceparent(traceparent) is None:
                raise ValueError("the traceparent is not one of W3C Trace Context, version 00")
            lines = b"traceparent: %b\r\n%b" % (traceparent.encode("ascii"), lines)
        return self._with_lines % (lines, key, attempt, len(body), body)
