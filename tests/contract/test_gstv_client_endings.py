"""The GSTV client when a connection ends, or goes stale: what is known then, and what not."""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from pop_stream.pop.outcome import Trouble
from tests.support.gstv_posts import posts_to, status, trouble
from tests.support.gstv_server import OK, Peer, hostile_server

Run = Callable[[Coroutine[Any, Any, None]], None]


def after_reading(*actions: Callable[[Peer], None]) -> Callable[[Peer], None]:
    """Make a script that reads one request first."""

    def script(peer: Peer) -> None:
        peer.read_request()
        for action in actions:
            action(peer)
        peer.wait_until_gone()

    return script


ENDINGS = {
    "RST after reading": after_reading(Peer.reset),
    "FIN after reading": after_reading(Peer.close),
    "half-close instead of an answer": after_reading(Peer.half_close),
    "RST within the answer": after_reading(lambda peer: peer.send(OK[:-1]), Peer.reset),
    "FIN within the answer": after_reading(lambda peer: peer.send(OK[:-1]), Peer.close),
    "FIN within the head": after_reading(lambda peer: peer.send(OK[:20]), Peer.close),
    "FIN after an interim answer": after_reading(
        lambda peer: peer.send(b"HTTP/1.1 100 Continue\r\n\r\n"), Peer.close
    ),
}


@pytest.mark.parametrize("script", ENDINGS.values(), ids=ENDINGS)
def test_an_end_without_a_whole_answer_is_unknown(run: Run, script: Callable[[Peer], None]) -> None:
    """The request may have been taken; it is not sent a second time."""

    async def scenario() -> None:
        with hostile_server(script) as server:
            async with posts_to(server.url) as posts:
                assert trouble(await posts.post_and_wait("id")) == (Trouble.RESET, True)
            assert server.accepted == 1
            assert len(server.requests) <= 1

    run(scenario())


@pytest.mark.parametrize("ending", [Peer.close, Peer.reset])
def test_an_end_before_reading_is_no_answer(run: Run, ending: Callable[[Peer], None]) -> None:
    """The client may see it while connecting or after sending; either way it says which."""

    async def scenario() -> None:
        with hostile_server(ending) as server:
            async with posts_to(server.url) as posts:
                outcome = await posts.post_and_wait("id")
                assert trouble(outcome) in {(Trouble.RESET, True), (Trouble.CONNECT, False)}
            assert server.requests == []

    run(scenario())


@pytest.mark.parametrize("ending", [Peer.close, Peer.reset, Peer.half_close])
def test_an_end_after_the_answer_costs_nothing(run: Run, ending: Callable[[Peer], None]) -> None:
    """The answer counts, and the next post uses a new connection."""

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(OK)
        client_has_it.wait(20)
        ending(peer)
        ended.set()

    async def scenario() -> None:
        with hostile_server(script) as server:
            async with posts_to(server.url) as posts:
                assert status(await posts.post_and_wait("first")) == 200
                client_has_it.set()
                assert await asyncio.to_thread(ended.wait, 20)
                assert status(await posts.post_and_wait("second")) == 200
            assert [number for number, _ in server.requests] == [1, 2]

    client_has_it, ended = threading.Event(), threading.Event()
    run(scenario())


def test_a_connection_that_died_while_the_loop_stood_still_is_not_used(run: Run) -> None:
    """The loop has not seen the FIN yet, but asking the kernel before reuse shows it."""
    ended = threading.Event()

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(OK)
        if peer.number <= 3:
            peer.close()
            if peer.number == 3:
                ended.set()
        peer.wait_until_gone()

    async def scenario() -> None:
        with hostile_server(script) as server:
            async with posts_to(server.url) as posts:
                for number in range(3):
                    posts.post(f"first-{number}")
                for number in range(3):
                    await posts.outcome(f"first-{number}")
                assert ended.wait(20)
                time.sleep(0.05)  # noqa: ASYNC251 - the loop stands still, as under load
                assert status(await posts.post_and_wait("second")) == 200
            assert [number for number, _ in server.requests][3:] == [4]

    run(scenario())


def test_a_stale_connection_is_an_unknown_outcome_and_no_resend(run: Run) -> None:
    """A server that reads a request and resets may have taken it."""

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(OK)
        peer.read_request()
        peer.reset()

    async def scenario() -> None:
        with hostile_server(script) as server:
            async with posts_to(server.url) as posts:
                assert status(await posts.post_and_wait("first")) == 200
                assert trouble(await posts.post_and_wait("second")) == (Trouble.RESET, True)
            assert server.ids() == ["first", "second"]

    run(scenario())


def test_a_second_answer_on_an_idle_connection_reaches_nobody(run: Run) -> None:
    """It ends the connection; the next post gets the answer to its own request."""
    sent = threading.Event()

    def script(peer: Peer) -> None:
        peer.read_request()
        if peer.number == 1:
            peer.send(OK)
            client_has_it.wait(20)
            peer.send(OK)
            sent.set()
            peer.wait_until_gone()
        else:
            peer.send(b"HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n")
            peer.wait_until_gone()

    async def scenario() -> None:
        with hostile_server(script) as server:
            async with posts_to(server.url) as posts:
                assert status(await posts.post_and_wait("first")) == 200
                client_has_it.set()
                assert await asyncio.to_thread(sent.wait, 20)
                assert status(await posts.post_and_wait("second")) == 500
            assert server.accepted == 2

    client_has_it = threading.Event()
    run(scenario())
