"""POSTs events to GSTV over HTTP/1.1: many at once, each once, each with one outcome.

Callback style, because a task or a future for each event would cost more than the POST itself.
Guarantees: `on_outcome` is called exactly once for each post and never from within `post`; a
request is never sent a second time; no redirect is followed. A request is made when it is sent, so
that it shows the credentials and the time of that moment.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from typing import Final, Generic, NamedTuple, TypeVar, cast

from pop_stream.gstv.connection import BufferedConnection, Connection, Hooks, StreamConnection
from pop_stream.gstv.connector import Connector
from pop_stream.gstv.endpoint import Endpoint
from pop_stream.gstv.limits import ClientLimits
from pop_stream.gstv.proof import Proof, ProvingHead
from pop_stream.gstv.request import RequestHead
from pop_stream.gstv.route import Route
from pop_stream.pop.outcome import Answer, NoAnswer, Outcome, Trouble

T = TypeVar("T")

_logger = logging.getLogger(__name__)
#: A connection idle for longer is asked for signs of death before it is used again.
_FRESH_SECONDS: Final = 0.01
_SWEEP_SECONDS: Final = 0.1
_READ_BYTES: Final = 65_536


class _Waiting(NamedTuple, Generic[T]):
    """A post that waits for a connection, or for credentials."""

    token: T
    started_at: float
    body: bytes
    pop_id: str
    attempt: int
    traceparent: str | None


class GstvClient(Generic[T]):
    """A pool of connections to one endpoint. T is the caller's own name for a post.

    Make and use it in one running event loop. An exception of `on_outcome` goes to the loop's
    exception handler; the client stays whole.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        limits: ClientLimits,
        on_outcome: Callable[[T, Outcome], None],
        *,
        route: Route | None = None,
        proof: Proof | None = None,
    ) -> None:
        self._limits = limits
        self._on_outcome = on_outcome
        self._loop = asyncio.get_running_loop()
        head = RequestHead(endpoint)
        self._proving = None if proof is None else ProvingHead(head, proof)
        #: Makes a request; None while there are no credentials.
        self._request: Callable[[bytes, str, int, str | None], bytes | None] = (
            head.request if self._proving is None else self._proving.request
        )
        self._max_in_flight = limits.max_in_flight
        self._max_age_seconds = limits.max_connection_age_seconds
        self._view = memoryview(bytearray(_READ_BYTES))
        self._buffered = endpoint.ssl_context is not None or isinstance(
            self._loop, asyncio.SelectorEventLoop
        )
        self._hooks = Hooks(finished=self._finished, died=self._died, closed=self._gone)
        self._connector = Connector(
            endpoint,
            self._make,
            timeout_seconds=limits.connect_timeout_seconds,
            route=route,
        )
        #: How many posts GSTV has worked for, or was waited for in vain, and how long they took
        #: together. A refusal that comes at once says nothing of GSTV's speed.
        self.worked = 0
        self.worked_seconds = 0.0
        #: How many connections have a post under way.
        self._busy = 0
        #: Those without one; the last used last.
        self._idle: list[Connection[T]] = []
        self._waiting: deque[_Waiting[T]] = deque()
        self._connecting: set[asyncio.Task[None]] = set()
        #: Waits for credentials, while there are none.
        self._proving_soon: asyncio.Task[None] | None = None
        #: Those whose socket is not closed yet, the oldest first.
        self._open: dict[Connection[T], None] = {}
        self._none_open = asyncio.Event()
        self._closed = False
        self._sweep_timer: asyncio.TimerHandle | None = None
        self._swept_at = 0.0
        self._excused = False

    @property
    def room(self) -> int:
        """How many posts may be started now; 0 once closed."""
        return 0 if self._closed else self._max_in_flight - self.in_flight

    @property
    def in_flight(self) -> int:
        """How many posts have been started whose outcome is not known yet."""
        return self._busy + len(self._waiting)

    @property
    def oldest_started_at(self) -> float | None:
        """When the oldest post in flight was started, on the clock of `time.monotonic`."""
        started = [connection.started_at for connection in self._open if connection.busy]
        if self._waiting:
            started.append(self._waiting[0].started_at)
        return min(started, default=None)

    def post(
        self, token: T, body: bytes, pop_id: str, attempt: int, traceparent: str | None = None
    ) -> float:
        """Start a post; its outcome comes later, with `token`. When, by `time.monotonic`.

        Raises RuntimeError without room, and ValueError for an impossible pop-id or traceparent:
        nothing was started then.
        """
        if self._closed or self._busy + len(self._waiting) >= self._max_in_flight:
            raise RuntimeError("the client is closed" if self._closed else "the client is full")
        request = self._request(body, pop_id, attempt, traceparent)
        now = time.monotonic()
        if self._sweep_timer is None:
            self._start_sweeping(now)
        if request is not None:
            connection = self._take_idle(now)
            if connection is not None:
                if self._proving is not None:
                    connection.shown = self._proving.shown
                self._busy += 1
                connection.send(token, request, now)
                return now
        self._waiting.append(_Waiting(token, now, body, pop_id, attempt, traceparent))
        if request is None:
            self._wait_for_credentials()
        self._connect_more()
        return now

    async def aclose(self) -> None:
        """Close at once: every post in flight ends with NoAnswer(CLOSED). Safe to call twice."""
        self._closed = True
        if self._sweep_timer is not None:
            self._sweep_timer.cancel()
            self._sweep_timer = None
        tasks = [*self._connecting, *([self._proving_soon] if self._proving_soon else [])]
        for task in tasks:
            task.cancel()
        while self._waiting:
            self._give_up(self._waiting.popleft(), Trouble.CLOSED, "the client was closed")
        for connection in list(self._open):
            connection.fail(Trouble.CLOSED, "the client was closed")
        if tasks:
            await asyncio.wait(tasks)
        while self._open:
            self._none_open.clear()
            await self._none_open.wait()
        await asyncio.sleep(0)  # the last outcomes have been told when this returns

    # Connections: taken, returned, made, lost

    def _take_idle(self, now: float) -> Connection[T] | None:
        """The connection used last, if it is still good: the others may then grow idle and go."""
        while self._idle:
            connection = self._idle.pop()
            idle_for = now - connection.idle_since
            if (
                idle_for < self._limits.idle_seconds
                and connection.is_open()
                and (idle_for < _FRESH_SECONDS or connection.is_quiet())
            ):
                return connection
            connection.fail(Trouble.CLOSED, "idle for too long, or closed by GSTV")
        return None

    def _use(self, connection: Connection[T], now: float) -> None:
        """Give a free connection to the post that has waited longest, or keep it."""
        if self._waiting:
            post = self._waiting[0]
            request = self._request(post.body, post.pop_id, post.attempt, post.traceparent)
            if request is not None:
                self._waiting.popleft()
                if self._proving is not None:
                    connection.shown = self._proving.shown
                self._busy += 1
                connection.send(post.token, request, post.started_at)
                return
            self._wait_for_credentials()
        connection.idle_since = now
        self._idle.append(connection)

    def _make(self) -> Connection[T]:
        limit = self._limits.max_response_bytes
        if self._buffered:
            return BufferedConnection(self._hooks, self._view, max_response_bytes=limit)
        return StreamConnection(self._hooks, max_response_bytes=limit)

    def _connect_more(self) -> None:
        """Make as many connections as posts wait for one, within the limits."""
        if self._proving_soon is not None:
            return
        limits = self._limits
        wanted = min(len(self._waiting), limits.max_concurrent_connects)
        possible = limits.max_in_flight - self._busy - len(self._idle)
        while len(self._connecting) < min(wanted, possible):
            self._connecting.add(self._loop.create_task(self._connect()))

    async def _connect(self) -> None:
        try:
            made = await self._connector.connect()
        finally:
            self._connecting.discard(cast("asyncio.Task[None]", asyncio.current_task()))
        if isinstance(made, NoAnswer):
            self._could_not_connect(made)
            return
        self._open[made] = None
        if self._closed:
            made.fail(Trouble.CLOSED, "the client was closed")
        else:
            self._use(made, time.monotonic())
            self._connect_more()

    def _could_not_connect(self, why: NoAnswer) -> None:
        _logger.debug("gstv.connect.failed", extra={"trouble": why.trouble, "detail": why.detail})
        # Others may be on their way: only a post that none of them is meant for has failed.
        if len(self._waiting) > len(self._connecting):
            self._loop.call_soon(self._on_outcome, self._waiting.popleft().token, why)
        self._connect_more()

    # Credentials that are not there yet

    def _wait_for_credentials(self) -> None:
        if self._proving is not None and self._proving_soon is None:
            self._proving_soon = self._loop.create_task(self._get_credentials(self._proving))

    async def _get_credentials(self, proving: ProvingHead) -> None:
        try:
            why = await proving.ready()
        finally:
            self._proving_soon = None
        if why is not None:
            while self._waiting:
                self._loop.call_soon(self._on_outcome, self._waiting.popleft().token, why)
            return
        now = time.monotonic()
        while self._waiting and self._proving_soon is None:
            connection = self._take_idle(now)
            if connection is None:
                break
            self._use(connection, now)
        self._connect_more()

    # What the connections tell

    def _finished(self, connection: Connection[T], token: T, outcome: Outcome) -> None:
        self._busy -= 1
        now = time.monotonic()
        if type(outcome) is not Answer or outcome.status < 400:
            self.worked += 1
            self.worked_seconds += now - connection.started_at
        elif outcome.status == 401 and self._proving is not None:
            self._proving.refused(connection.shown)
        if not connection.dead and now - connection.made_at > self._max_age_seconds:
            connection.fail(Trouble.CLOSED, "too old")
        if connection.dead:
            self._loop.call_soon(self._on_outcome, token, outcome)
            self._connect_more()
        else:
            self._use(connection, now)
            self._on_outcome(token, outcome)

    def _died(self, connection: Connection[T]) -> None:
        if connection in self._idle:
            self._idle.remove(connection)

    def _gone(self, connection: Connection[T]) -> None:
        self._open.pop(connection, None)
        if not self._open:
            self._none_open.set()

    # Deadlines: one timer for all, since one for each post would cost a third of the post

    def _start_sweeping(self, now: float) -> None:
        self._swept_at = now
        self._sweep_timer = self._loop.call_later(_SWEEP_SECONDS, self._sweep)

    def _sweep(self) -> None:
        now = time.monotonic()
        # The loop stood still: answers may lie unread. They come first, deadlines next time.
        stood_still = now - self._swept_at > 3 * _SWEEP_SECONDS
        if stood_still and not self._excused:
            self._excused = True
        else:
            self._excused = False
            self._end_overdue(now)
            self._end_idle(now)
        if self._busy or self._waiting or self._idle:
            self._start_sweeping(now)
        else:
            self._sweep_timer = None

    def _end_overdue(self, now: float) -> None:
        allowed = self._limits.total_timeout_seconds
        while self._waiting and now - self._waiting[0].started_at >= allowed:
            self._give_up(self._waiting.popleft(), Trouble.TIMEOUT, f"not sent in {allowed:g} s")
        overdue = [one for one in self._open if one.busy and now - one.started_at >= allowed]
        for connection in overdue:
            connection.fail(Trouble.TIMEOUT, f"no answer within {allowed:g} s")

    def _end_idle(self, now: float) -> None:
        allowed = self._limits.idle_seconds
        for connection in [one for one in self._idle if now - one.idle_since >= allowed]:
            connection.fail(Trouble.CLOSED, "idle for too long")

    def _give_up(self, post: _Waiting[T], trouble: Trouble, detail: str) -> None:
        outcome = NoAnswer(trouble, sent=False, detail=detail)
        self._loop.call_soon(self._on_outcome, post.token, outcome)
