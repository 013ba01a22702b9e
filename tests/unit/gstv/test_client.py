"""The client's pool, with connections that the test makes, answers and breaks in any order."""

import asyncio
import time
from collections.abc import Iterator

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from pop_stream.gstv.client import GstvClient
from pop_stream.gstv.connection import Connection
from pop_stream.gstv.endpoint import parse_endpoint
from pop_stream.gstv.limits import ClientLimits
from pop_stream.pop.outcome import Answer, NoAnswer, Outcome, Trouble
from tests.support.gstv_wire import OK, FakeTransport

REFUSED = NoAnswer(Trouble.CONNECT, sent=False, detail="refused")
MAX_IN_FLIGHT = 5
MAX_CONNECTS = 3
#: Far beyond every deadline of the client under test.
LONG = 1000.0


class Bench:
    """A client on a loop that turns only when told to, with connections made by hand."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.told: list[tuple[int, Outcome]] = []
        self.started = 0
        self.attempts: list[asyncio.Future[Connection[int] | NoAnswer]] = []
        self.transports: dict[Connection[int], FakeTransport] = {}
        self.most_connects = 0
        self.inside_post = False
        self.client = self.loop.run_until_complete(self._make_client())
        self.client._connector = self

    async def _make_client(self) -> GstvClient[int]:
        limits = ClientLimits(
            max_in_flight=MAX_IN_FLIGHT,
            max_concurrent_connects=MAX_CONNECTS,
            total_timeout_seconds=LONG / 2,
            idle_seconds=LONG / 2,
        )
        return GstvClient(parse_endpoint("http://gstv.example/"), limits, self._take)

    def _take(self, token: int, outcome: Outcome) -> None:
        assert not self.inside_post
        self.told.append((token, outcome))

    async def connect(self) -> Connection[int] | NoAnswer:
        """Stand in for the connector: wait for the test to decide."""
        attempt = self.loop.create_future()
        self.attempts.append(attempt)
        try:
            return await attempt
        finally:
            self.attempts.remove(attempt)

    def turn(self) -> None:
        for _ in range(3):
            self.loop.run_until_complete(asyncio.sleep(0))
        self.most_connects = max(self.most_connects, len(self.attempts))

    def post(self) -> None:
        self.inside_post = True
        self.client.post(self.started, b"{}", f"id-{self.started}", 1)
        self.inside_post = False
        self.started += 1
        self.turn()

    def connected(self, index: int = 0) -> Connection[int]:
        connection = self.client._make()
        transport = FakeTransport()
        connection.connection_made(transport)
        connection.made_at = time.monotonic()
        self.transports[connection] = transport
        self.attempts[index].set_result(connection)
        self.turn()
        return connection

    def refuse(self, index: int = 0) -> None:
        self.attempts[index].set_result(REFUSED)
        self.turn()

    def end(self, connection: Connection[int], error: Exception | None = None) -> None:
        connection.connection_lost(error)
        self.transports.pop(connection).release()
        self.turn()

    def reap(self) -> None:
        """Do what a loop does after abort()."""
        for connection, transport in list(self.transports.items()):
            if transport.aborted:
                self.end(connection)

    def sweep(self) -> None:
        self.client._swept_at = time.monotonic()
        self.client._sweep()
        self.turn()
        self.reap()

    def close(self) -> None:
        closing = self.loop.create_task(self.client.aclose())
        for _ in range(5):
            self.turn()
            self.reap()
        assert closing.done()
        self.loop.close()

    def busy(self) -> list[Connection[int]]:
        return [connection for connection in self.transports if connection.busy]

    def idle(self) -> list[Connection[int]]:
        return [one for one in self.transports if not one.busy and not one.dead]


@pytest.fixture
def bench() -> Iterator[Bench]:
    """A client by hand; in the end each post has had exactly one outcome."""
    made = Bench()
    yield made
    made.close()
    assert sorted(token for token, _ in made.told) == list(range(made.started))


def test_connection_attempts_are_limited(bench: Bench) -> None:
    """However many posts wait, only so many connections are made at once."""
    for _ in range(5):
        bench.post()
    assert len(bench.attempts) == MAX_CONNECTS

    bench.connected()

    assert len(bench.attempts) == MAX_CONNECTS


def test_a_free_connection_serves_a_waiting_post(bench: Bench) -> None:
    """A post does not wait for its own connection if another becomes free first."""
    bench.post()
    connection = bench.connected()
    bench.post()
    connection.data_received(OK)
    assert connection.busy
    connection.data_received(OK)
    bench.turn()
    assert [token for token, _ in bench.told] == [0, 1]

    bench.refuse()  # the attempt that nobody needs any more

    assert len(bench.told) == 2


def test_a_failed_attempt_fails_the_post_that_waited_longest(bench: Bench) -> None:
    """One attempt, one post."""
    bench.post()
    bench.post()

    bench.refuse(1)

    assert bench.told == [(0, REFUSED)]
    assert len(bench.attempts) == 1


def test_a_failed_attempt_that_no_post_needs_fails_none(bench: Bench) -> None:
    """As many attempts as waiting posts are still on their way."""
    bench.post()
    bench.post()
    connection = bench.connected()
    bench.post()
    connection.data_received(OK)
    assert (bench.client.in_flight, len(bench.attempts)) == (2, 2)

    bench.refuse()

    assert [token for token, _ in bench.told] == [0]
    assert len(bench.attempts) == 1


def test_an_overdue_post_ends_though_others_wait(bench: Bench) -> None:
    """Deadlines hold for posts in flight and for posts that wait."""
    bench.post()
    connection = bench.connected()
    bench.post()
    connection.started_at -= LONG
    waiting = bench.client._waiting.popleft()
    bench.client._waiting.append(waiting._replace(started_at=waiting.started_at - LONG))

    bench.sweep()

    troubles = {token: (one.trouble, one.sent) for token, one in bench.told}
    assert troubles == {0: (Trouble.TIMEOUT, True), 1: (Trouble.TIMEOUT, False)}


def test_a_late_sweep_lets_answers_come_first_but_only_once(bench: Bench) -> None:
    """A loop that stands still again and again cannot keep a post alive for ever."""
    bench.post()
    bench.connected().started_at -= LONG
    for expected in (0, 1):
        bench.client._swept_at = time.monotonic() - LONG
        bench.client._sweep()
        bench.turn()
        assert len(bench.told) == expected
    bench.reap()


def test_a_connection_of_unknown_state_is_not_reused(bench: Bench) -> None:
    """One that is idle for a moment and has something to read is closed instead."""
    bench.post()
    connection = bench.connected()
    connection.data_received(OK)
    connection.idle_since -= 1
    bench.transports[connection].make_readable()

    bench.post()

    assert connection.dead
    assert len(bench.attempts) == 1


def test_idle_connections_are_closed_by_the_sweep(bench: Bench) -> None:
    """The sweep ends those that are idle for too long, and stops when nothing is left."""
    bench.post()
    connection = bench.connected()
    connection.data_received(OK)
    bench.sweep()
    assert not connection.dead
    connection.idle_since -= LONG

    bench.sweep()

    assert connection.dead
    assert bench.client._sweep_timer is None


def test_exceptions_of_the_caller_do_not_stop_the_others(bench: Bench) -> None:
    """Each post is told, though the caller raises each time; the loop hears of each exception."""
    heard: list[object] = []
    bench.loop.set_exception_handler(lambda _, context: heard.append(context["exception"]))
    take = bench.client._on_outcome

    def take_and_raise(token: int, outcome: Outcome) -> None:
        take(token, outcome)
        raise LookupError(token)

    bench.client._on_outcome = take_and_raise
    for _ in range(3):
        bench.post()
    for _ in range(3):
        bench.connected().started_at -= LONG

    bench.sweep()

    assert [token for token, _ in bench.told] == [0, 1, 2]
    assert [type(error) for error in heard] == [LookupError] * 3
    assert bench.client.room == MAX_IN_FLIGHT


class Pool(RuleBasedStateMachine):
    """Any order of posts, connections, answers, breaks and timeouts."""

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench()

    @precondition(lambda self: self.bench.client.room > 0)
    @rule()
    def post(self) -> None:
        self.bench.post()

    @precondition(lambda self: self.bench.attempts)
    @rule(data=st.data(), works=st.booleans())
    def connect(self, data: st.DataObject, *, works: bool) -> None:
        index = data.draw(st.integers(0, len(self.bench.attempts) - 1))
        if works:
            self.bench.connected(index)
        else:
            self.bench.refuse(index)

    @precondition(lambda self: self.bench.busy())
    @rule(
        data=st.data(),
        answer=st.sampled_from([OK, OK + OK, b"junk", b"HTTP/1.0 200 OK\r\n\r\n", OK[:9]]),
    )
    def answer(self, data: st.DataObject, answer: bytes) -> None:
        data.draw(st.sampled_from(self.bench.busy())).data_received(answer)
        self.bench.turn()

    @precondition(lambda self: self.bench.transports)
    @rule(data=st.data(), error=st.sampled_from([None, ConnectionResetError()]))
    def lose(self, data: st.DataObject, error: Exception | None) -> None:
        connection = data.draw(st.sampled_from(list(self.bench.transports)))
        if error is None and not connection.dead:
            connection.eof_received()
        self.bench.end(connection, error)

    @precondition(lambda self: self.bench.idle())
    @rule(data=st.data())
    def speak_unasked(self, data: st.DataObject) -> None:
        data.draw(st.sampled_from(self.bench.idle())).data_received(OK)

    @precondition(lambda self: self.bench.busy())
    @rule(data=st.data())
    def time_out(self, data: st.DataObject) -> None:
        data.draw(st.sampled_from(self.bench.busy())).started_at -= LONG
        self.bench.sweep()

    @precondition(lambda self: self.bench.idle())
    @rule(data=st.data())
    def grow_old(self, data: st.DataObject) -> None:
        data.draw(st.sampled_from(self.bench.idle())).made_at -= LONG

    @rule()
    def reap(self) -> None:
        self.bench.reap()

    @invariant()
    def every_post_is_told_once_or_in_flight(self) -> None:
        tokens = [token for token, _ in self.bench.told]
        assert len(tokens) == len(set(tokens))
        assert len(tokens) + self.bench.client.in_flight == self.bench.started

    @invariant()
    def limits_hold(self) -> None:
        alive = [one for one in self.bench.transports if not one.dead]
        assert len(alive) + len(self.bench.attempts) <= MAX_IN_FLIGHT
        assert self.bench.most_connects <= MAX_CONNECTS

    @invariant()
    def nobody_waits_for_nothing(self) -> None:
        """A post that waits has a connection on its way, or all connections are in use."""
        waiting = self.bench.client.in_flight - len(self.bench.busy())
        on_their_way = len(self.bench.attempts)
        used = len(self.bench.busy())
        assert on_their_way >= min(waiting, MAX_CONNECTS, MAX_IN_FLIGHT - used)

    def teardown(self) -> None:
        bench = self.bench
        bench.close()
        assert sorted(token for token, _ in bench.told) == list(range(bench.started))
        written = sum(isinstance(outcome, Answer) for _, outcome in bench.told)
        assert written <= bench.started


Pool.TestCase.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)
test_any_order_of_events = Pool.TestCase
