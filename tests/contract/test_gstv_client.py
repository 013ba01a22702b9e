"""The GSTV client against real sockets: posts, their connections and their outcomes."""

import asyncio
import random
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from pop_stream.pop.outcome import Answer, Trouble
from tests.support.gstv_posts import posts_to, status, trouble
from tests.support.gstv_server import OK, Peer, always_ok, hostile_server

Run = Callable[[Coroutine[Any, Any, None]], None]


def test_posts_share_one_connection(run: Run) -> None:
    """One after the other, posts use the same connection, and each is its own request."""

    async def scenario() -> None:
        with hostile_server(always_ok) as server:
            async with posts_to(server.url) as posts:
                for number in range(5):
                    assert await posts.post_and_wait(f"id-{number}", b'{"n": 1}') == Answer(200)
            assert server.accepted == 1
            assert server.ids() == [f"id-{number}" for number in range(5)]
            assert server.requests[0][1].startswith(b"POST /pop HTTP/1.1\r\nHost: 127.0.0.1:")

    run(scenario())


def test_many_posts_use_as_many_connections_as_allowed(run: Run) -> None:
    """Each connection carries one request at a time, and no more are made than allowed."""
    waiting = threading.Barrier(4)

    def script(peer: Peer) -> None:
        while True:
            peer.read_request()
            waiting.wait(20)
            peer.send(OK)

    async def scenario() -> None:
        with hostile_server(script) as server:
            async with posts_to(server.url, max_in_flight=4) as posts:
                for burst in range(3):
                    for number in range(4):
                        posts.post(f"id-{burst}-{number}")
                    assert (posts.client.room, posts.client.in_flight) == (0, 4)
                    for number in range(4):
                        assert status(await posts.outcome(f"id-{burst}-{number}")) == 200
            assert server.accepted == 4

    run(scenario())


def test_the_connection_used_last_is_used_next(run: Run) -> None:
    """After a burst, single posts stay on one connection, so that the others may go."""

    async def scenario() -> None:
        with hostile_server(always_ok) as server:
            async with posts_to(server.url) as posts:
                for number in range(8):
                    posts.post(f"burst-{number}")
                for number in range(8):
                    await posts.outcome(f"burst-{number}")
                for number in range(6):
                    await posts.post_and_wait(f"single-{number}")
            assert len({number for number, _ in server.requests[8:]}) == 1

    run(scenario())


def test_a_post_without_room_is_refused_and_starts_nothing(run: Run) -> None:
    """The caller must look at `room`; a refused post has no outcome."""

    async def scenario() -> None:
        with hostile_server(lambda peer: peer.wait_until_gone()) as server:
            async with posts_to(server.url, max_in_flight=1) as posts:
                posts.post("first")
                with pytest.raises(RuntimeError, match="full"):
                    posts.post("second")
                assert posts.client.in_flight == 1
            assert [token for token, _ in posts.told] == ["first"]
            with pytest.raises(RuntimeError, match="closed"):
                posts.post("third")

    run(scenario())


def test_an_impossible_id_is_refused_and_starts_nothing(run: Run) -> None:
    """The post that follows is not disturbed by it."""

    async def scenario() -> None:
        with hostile_server(always_ok) as server:
            async with posts_to(server.url) as posts:
                with pytest.raises(ValueError, match="pop-id"):
                    posts.post('a"b')
                assert posts.client.in_flight == 0
                assert status(await posts.post_and_wait("ab")) == 200
            assert server.ids() == ["ab"]

    run(scenario())


def test_no_outcome_is_told_from_within_post(run: Run) -> None:
    """Not even when the post can only fail: the caller is never called back while it calls."""

    async def scenario() -> None:
        with hostile_server(always_ok) as server:
            async with posts_to(server.url) as posts:
                posts.post("new-connection")
                assert posts.told == []
                await posts.outcome("new-connection")
                posts.post("old-connection")
                assert len(posts.told) == 1
                await posts.outcome("old-connection")

    run(scenario())


def test_a_redirect_is_an_answer_and_is_not_followed(run: Run) -> None:
    """No request goes to another place than the endpoint."""

    def script(peer: Peer) -> None:
        while True:
            peer.read_request()
            peer.send(b"HTTP/1.1 307 X\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n")

    async def scenario() -> None:
        with hostile_server(script) as server:
            async with posts_to(server.url) as posts:
                assert await posts.post_and_wait("id") == Answer(307)
            assert len(server.requests) == 1

    run(scenario())


def test_closing_ends_every_post(run: Run) -> None:
    """What was sent may have arrived, what waited was not sent; the sockets are closed."""

    def script(peer: Peer) -> None:
        peer.read_request()
        if len(server.requests) == 2:
            read.set()
        peer.wait_until_gone()

    async def scenario() -> None:
        async with posts_to(server.url, max_in_flight=5, max_concurrent_connects=2) as posts:
            posts.post("a")
            posts.post("b")
            assert await asyncio.to_thread(read.wait, 20)
            for token in "cde":
                posts.post(token)
            await asyncio.gather(posts.client.aclose(), posts.client.aclose())
            assert posts.client.room == 0
            ended = {token: trouble(outcome) for token, outcome in posts.told}
        assert {ended[token] for token in "ab"} == {(Trouble.CLOSED, True)}
        assert {ended[token] for token in "cde"} == {(Trouble.CLOSED, False)}

    read = threading.Event()
    with hostile_server(script) as server:
        run(scenario())


def test_the_oldest_post_is_known(run: Run) -> None:
    """A watchdog sees since when something has been under way."""

    async def scenario() -> None:
        with hostile_server(lambda peer: peer.wait_until_gone()) as server:
            async with posts_to(server.url) as posts:
                assert posts.client.oldest_started_at is None
                before = time.monotonic()
                posts.post("first")
                between = time.monotonic()
                await asyncio.sleep(0.05)
                posts.post("second")
                oldest = posts.client.oldest_started_at
                assert oldest is not None
                assert before <= oldest <= between
            assert posts.client.oldest_started_at is None

    run(scenario())


def test_a_large_body_arrives_whole(run: Run) -> None:
    """A body beyond every buffer is sent completely, and the connection stays good."""
    body = random.Random(1).randbytes(2_000_000)

    async def scenario() -> None:
        with hostile_server(always_ok) as server:
            async with posts_to(server.url) as posts:
                assert status(await posts.post_and_wait("large", body)) == 200
                assert status(await posts.post_and_wait("small")) == 200
            assert server.requests[0][1].endswith(body)
            assert server.accepted == 1

    run(scenario())


def test_an_exception_of_the_caller_leaves_the_client_whole(run: Run) -> None:
    """It reaches the loop's exception handler; other posts still get their outcomes."""
    seen: list[object] = []

    async def scenario() -> None:
        with hostile_server(always_ok) as server:
            async with posts_to(server.url) as posts:
                raised = asyncio.Event()

                def handle(_loop: object, context: dict[str, object]) -> None:
                    seen.append(context["exception"])
                    raised.set()

                asyncio.get_running_loop().set_exception_handler(handle)
                take = posts.client._on_outcome

                def fail_once(token: str, _outcome: object) -> None:
                    posts.client._on_outcome = take
                    raise LookupError(token)

                posts.client._on_outcome = fail_once
                posts.post("first")
                async with asyncio.timeout(20):
                    await raised.wait()
                assert posts.client.in_flight == 0
                assert status(await posts.post_and_wait("second")) == 200

    run(scenario())
    assert [type(error) for error in seen] == [LookupError]
