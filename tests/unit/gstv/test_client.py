"""The client's pool, with connections that the test makes, answers and breaks."""

import time
from collections.abc import Iterator

import pytest

from pop_stream.pop.outcome import Outcome, Trouble
from tests.support.gstv_bench import LONG, MAX_CONNECTS, MAX_IN_FLIGHT, REFUSED, Bench
from tests.support.gstv_wire import OK


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
