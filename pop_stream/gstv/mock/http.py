"""The mock's side of HTTP/1.1: keep-alive, requests in their order."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final, cast

import httptools

from pop_stream.gstv.mock.attempt import Attempt
from pop_stream.gstv.mock.control import CONTROL_PATH, Control
from pop_stream.gstv.mock.partner import Partner
from pop_stream.gstv.mock.post import Post
from pop_stream.gstv.mock.rules import Action
from pop_stream.gstv.mock.wire import Wire, response

#: Head and body of one request together.
_REQUEST_MAX: Final = 1_048_576


class HttpConnection(asyncio.Protocol):
    """One client's connection. Requests are answered one after the other."""

    def __init__(self, partner: Partner, control: Control, everyone: set["HttpConnection"]) -> None:
        self._everyone = everyone
        self._partner = partner
        self._control = control
        self._parser = httptools.HttpRequestParser(self)
        self._wire: Wire
        self._transport: asyncio.Transport
        self._unfinished = 0
        self._target = b""
        self._headers: dict[bytes, bytes] = {}
        self._body = b""
        self._attempt: Attempt | None = None
        self._post: Post | None = None
        self._keep_alive = True
        self._busy = False
        self._waiting: deque[Callable[[], None]] = deque()

    def abort(self) -> None:
        """End the connection at once."""
        self._transport.abort()

    # What the event loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)
        self._wire = Wire(self._transport)
        self._everyone.add(self)

    def data_received(self, data: bytes) -> None:
        """Read on."""
        if self._transport.is_closing():
            return
        self._unfinished += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._refuse(400)
        if self._unfinished > _REQUEST_MAX:
            self._refuse(413)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Tell that nobody waits for the answer any more."""
        self._everyone.discard(self)
        self._waiting.clear()
        if self._post is not None:
            self._partner.abandon(self._post)

    # What the parser calls

    def on_message_begin(self) -> None:
        """Start a request."""
        self._target = self._body = b""
        self._headers = {}
        self._attempt = None

    def on_url(self, url: bytes) -> None:
        """Take the target, or a part of it."""
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take one header."""
        self._headers[name.lower()] = value.strip()

    def on_headers_complete(self) -> None:
        """Let the rules look at the head."""
        if self._transport.is_closing():
            return
        if self._is_event():
            self._attempt = self._partner.arrive(self._headers)
            if self._attempt is None:
                self._wire.reset()
                return
        if self._headers.get(b"expect", b"").lower() == b"100-continue" and not self._busy:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        """Take the body, or a part of it."""
        self._body += body

    def on_message_complete(self) -> None:
        """Answer the request now, or when those before it have been answered."""
        self._unfinished = 0
        if self._transport.is_closing():
            return
        job = self._job()
        if self._busy:
            self._transport.pause_reading()
            self._waiting.append(job)
        else:
            self._busy = True
            job()

    # How a request is answered

    def _is_event(self) -> bool:
        return self._parser.get_method() == b"POST" and not self._target.startswith(CONTROL_PATH)

    def _job(self) -> Callable[[], None]:
        keep_alive = self._parser.should_keep_alive()
        attempt, body = self._attempt, self._body
        if attempt is not None:
            return lambda: self._receive(attempt, body, keep_alive=keep_alive)
        method, target, headers = self._parser.get_method(), self._target, self._headers

        def answer() -> None:
            status, content = self._control.answer(method, target, headers, body)
            self._transport.write(response(status, content))
            self._answered(keep_alive=keep_alive)

        return answer

    def _receive(self, attempt: Attempt, body: bytes, *, keep_alive: bool) -> None:
        self._keep_alive = keep_alive
        self._post = self._partner.receive(attempt, body, self._perform)

    def _perform(self, action: Action) -> None:
        self._post = None
        keep_alive = self._keep_alive and not action.close
        self._wire.perform(action, lambda: self._answered(keep_alive=keep_alive))

    def _answered(self, *, keep_alive: bool) -> None:
        if not keep_alive:
            self._transport.close()
        elif self._waiting:
            self._waiting.popleft()()
        else:
            self._busy = False
            self._transport.resume_reading()

    def _refuse(self, status: int) -> None:
        if not self._transport.is_closing():
            self._partner.counts.refused += 1
            self._transport.write(response(status, b"{}", b"Connection: close\r\n"))
            self._transport.close()
