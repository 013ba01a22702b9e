"""One connection to GSTV: one POST at a time, one answer each, and no doubt about which.

Nothing here sends a request twice. Whatever is not one complete, well-formed answer, with nothing
before it and nothing behind it, ends the connection.
One thing HTTP/1.1 cannot show: an answer nobody asked for that arrives alone, after the next
request was sent. It is taken for that request's answer. If it arrives earlier, it is found.
"""

import asyncio
import select
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar, cast

import httptools

from pop_stream.gstv.response import PLAIN_ANSWERS, Malformed, read_answer, read_answer_at_eof
from pop_stream.pop.outcome import Answer, NoAnswer, Outcome, Trouble

T = TypeVar("T")

_MAX_INTERIM: Final = 16
_DETAIL_MAX: Final = 512
_USUAL_START: Final = b"HTTP/1.1 "
#: How many answers are known at once, and how large one may be.
_KNOWN: Final = 8
_KNOWN_BYTES: Final = 2048


class KnownAnswers:
    """The last few answers that came in one piece, and what they say.

    Most answers are the same byte for byte, and the same bytes from the same state mean the same:
    they need not be parsed again. Measured: a tenth of a post, and more of one that failed.
    """

    __slots__ = ("_known", "find")

    def __init__(self) -> None:
        self._known: dict[bytes, Answer] = {}
        self.find: Final = self._known.get

    def keep(self, whole: bytes, answer: Answer) -> None:
        """Keep an answer after which the connection stays open, nothing before or behind it."""
        if len(whole) <= _KNOWN_BYTES:
            if len(self._known) == _KNOWN:
                self._known.clear()
            self._known[whole] = answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks(Generic[T]):
    """What a connection tells its owner."""

    #: A post ended. Unless it is dead by now, the connection is free for the next one.
    finished: Callable[["Connection[T]", T, Outcome], None]
    #: A connection without a post died.
    died: Callable[["Connection[T]"], None]
    #: The socket is closed: the last call about this connection.
    closed: Callable[["Connection[T]"], None]
    #: What all connections of one owner share.
    known: KnownAnswers = field(default_factory=KnownAnswers)


class _StopParsingError(Exception):
    """Leaves the parser from within a callback; its text is for people."""


class Connection(asyncio.BaseProtocol, Generic[T]):
    """The protocol of one connection. Its owner learns of every end, each exactly once.

    How bytes come in differs: see `StreamConnection` and `BufferedConnection`.
    """

    __slots__ = (
        "_finished",
        "_hooks",
        "_interim",
        "_keep_alive",
        "_kept",
        "_known",
        "_max_response_bytes",
        "_parser",
        "_poll",
        "_received",
        "_status",
        "_token",
        "_transport",
        "_usual",
        "busy",
        "dead",
        "idle_since",
        "made_at",
        "shown",
        "started_at",
    )

    def __init__(self, hooks: Hooks[T], *, max_response_bytes: int) -> None:
        self._hooks = hooks
        self._finished = hooks.finished
        self._known = hooks.known
        self._max_response_bytes = max_response_bytes
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport
        self._poll = select.poll()
        self._token: T
        self._status = 0
        self._keep_alive = False
        self._received = 0
        self._usual = False
        self._interim = 0
        self._kept = bytearray()
        #: Whether a post is under way.
        self.busy = False
        #: Whether it can carry no further post.
        self.dead = False
        #: What the post under way shows of who we are; set by the owner.
        self.shown = b""
        #: Times of `time.monotonic`, set by the owner.
        self.started_at = self.idle_since = self.made_at = 0.0

    # What the owner calls

    def send(self, token: T, request: bytes, started_at: float) -> None:
        """Start a post on a connection that is neither busy nor dead."""
        self._token = token
        self.started_at = started_at
        self.busy = True
        self._transport.write(request)

    def is_open(self) -> bool:
        """Whether the transport takes data. It may have ended before the loop tells us so."""
        return not self._transport.is_closing()

    def is_quiet(self) -> bool:
        """Whether GSTV has neither closed the connection nor sent anything, as the kernel knows."""
        return not self._poll.poll(0)

    def fail(self, trouble: Trouble, detail: str) -> None:
        """End the connection at once; the post under way, if any, has no answer."""
        self._end(NoAnswer(trouble, sent=True, detail=detail))

    # What the event loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport, and watch the socket for signs that GSTV ends the connection."""
        self._transport = cast("asyncio.Transport", transport)
        descriptor = transport.get_extra_info("socket").fileno()
        self._poll.register(descriptor, select.POLLIN | select.POLLRDHUP)

    def data_received(self, data: bytes) -> None:
        """Read what came: the whole answer at best."""
        if not self.busy:
            self.fail(Trouble.BAD_RESPONSE, "data came that no request asked for")
        elif self._received:
            self._read(data)
        elif (answer := self._known.find(data)) is not None:
            self.busy = False
            self._finished(self, self._token, answer)
        else:
            self._usual = data.startswith(_USUAL_START)
            self._read(data)

    def _read(self, data: bytes) -> None:
        self._received += len(data)
        if self._received > self._max_response_bytes:
            self.fail(Trouble.BAD_RESPONSE, f"the answer is over {self._max_response_bytes} bytes")
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self.fail(Trouble.BAD_RESPONSE, _why(error))
            return
        if self._status:
            self._answered(data)
        else:
            self._kept += data

    def eof_received(self) -> None:
        """Note that GSTV sends nothing more; the transport then closes itself."""
        self._lost(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that the socket is closed."""
        self._lost(exc)
        del self._parser  # it refers to us: this frees both without the garbage collector
        self._hooks.closed(self)

    # What the parser calls

    def on_message_begin(self) -> None:
        """Refuse a second answer."""
        if self._status:
            raise _StopParsingError("more than one answer came")

    def on_message_complete(self) -> None:
        """Note the answer; what it means is decided when all that came has been parsed."""
        status = self._parser.get_status_code()
        if 100 <= status < 200:
            self._interim += 1
            if self._interim > _MAX_INTERIM:
                raise _StopParsingError(f"more than {_MAX_INTERIM} interim answers came")
        elif status == 0:
            raise _StopParsingError("the answer's status is not 200 to 599")
        else:
            self._status = status
            self._keep_alive = self._parser.should_keep_alive()

    # How a post ends

    def _answered(self, last: bytes) -> None:
        status = self._status
        answer: Answer | Malformed
        if self._usual and 200 <= status < 300 and not self._interim:
            answer = PLAIN_ANSWERS[status]
        else:
            answer = read_answer(bytes(self._kept) + last)
        if isinstance(answer, Malformed):
            self.fail(Trouble.BAD_RESPONSE, answer.why)
            return
        if self._keep_alive and not self._kept and not self._interim:
            self._known.keep(last, answer)
        self._status = self._received = self._interim = 0
        self._kept.clear()
        if not self._keep_alive:
            self._end(answer)
            return
        self.busy = False
        self._finished(self, self._token, answer)

    def _lost(self, error: Exception | None) -> None:
        if self.dead:
            return
        if error is None and self.busy and self._kept:
            answer = read_answer_at_eof(bytes(self._kept))
            if isinstance(answer, Answer):
                self._end(answer)
                return
        if isinstance(error, ssl.SSLError) and _is_about_certificates(error):
            self.fail(Trouble.TLS, describe(error))
        else:
            self.fail(Trouble.RESET, describe(error) if error else "GSTV closed the connection")

    def _end(self, outcome: Outcome) -> None:
        if self.dead:
            return
        self.dead = True
        self._transport.abort()
        if self.busy:
            self.busy = False
            self._finished(self, self._token, outcome)
        else:
            self._hooks.died(self)


class StreamConnection(Connection[T], asyncio.Protocol):
    """A connection for plain TCP under uvloop, whose loop has memory of its own to read into."""

    __slots__ = ()


class BufferedConnection(Connection[T], asyncio.BufferedProtocol):
    """A connection for TLS, and for asyncio's own loop.

    Both would else take 256 KiB of new memory for each read: measured, 15 to 40 us for each post.
    It must not be an `asyncio.Protocol` too, or uvloop would treat it as one.
    """

    __slots__ = ("_view",)

    def __init__(self, hooks: Hooks[T], view: memoryview, *, max_response_bytes: int) -> None:
        super().__init__(hooks, max_response_bytes=max_response_bytes)
        #: All connections of a loop may share it: what was read is used at once.
        self._view = view

    def get_buffer(self, _sizehint: int) -> memoryview:
        """Give the memory to read into."""
        return self._view

    def buffer_updated(self, nbytes: int) -> None:
        """Read what came."""
        self.data_received(bytes(self._view[:nbytes]))


def describe(error: BaseException) -> str:
    """Say in one line what happened, for people."""
    text = "".join(char if char.isprintable() else "?" for char in str(error))
    return f"{type(error).__name__}: {text}"[:_DETAIL_MAX]


def _why(error: Exception) -> str:
    cause = error.__context__
    return str(cause) if isinstance(cause, _StopParsingError) else describe(error)


def _is_about_certificates(error: ssl.SSLError) -> bool:
    # With TLS 1.3 the refusal of our certificate comes after the handshake, instead of an answer.
    reason = error.reason or ""
    return "CERTIFICATE" in reason or "UNKNOWN_CA" in reason
