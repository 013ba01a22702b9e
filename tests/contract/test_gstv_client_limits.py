"""The GSTV client's limits of time and of the machine."""

import asyncio
import resource
import socket
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pop_stream.pop.outcome import Trouble
from tests.support.gstv_posts import posts_to, status, trouble
from tests.support.gstv_server import OK, Peer, always_ok, hostile_server

Run = Callable[[Coroutine[Any, Any, None]], None]


@pytest.mark.parametrize("beginning", [b"", b"HTTP/1.1 200 OK\r\n", OK[:-1]])
def test_an_answer_that_does_not_end_in_time_is_unknown(run: Run, beginning: bytes) -> None:
    """The connection is closed with it, so that a late answer cannot reach another post."""

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(beginning)
        peer.wait_until_gone()
        gone.set()

    async def scenario() -> None:
        with hostile_server(script) as server:
            async with posts_to(server.url, total_timeout_seconds=0.2) as posts:
                assert trouble(await posts.post_and_wait("id")) == (Trouble.TIMEOUT, True)
                assert await asyncio.to_thread(gone.wait, 20)

    gone = threading.Event()
    run(scenario())


def test_a_body_that_trickles_is_cut_off(run: Run) -> None:
    """The total time counts, not the time since the last byte."""

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        pause = threading.Event()
        while not pause.wait(0.01):
            peer.send(b"x")

    async def scenario() -> None:
        with hostile_server(script) as server:
            async with posts_to(server.url, total_timeout_seconds=0.3) as posts:
                assert trouble(await posts.post_and_wait("id")) == (Trouble.TIMEOUT, True)

    run(scenario())


def test_answers_that_lie_unread_are_not_timed_out(run: Run) -> None:
    """After the loop stood still beyond the deadline, answers come before deadlines."""

    async def scenario() -> None:
        with hostile_server(always_ok) as server:
            async with posts_to(server.url, total_timeout_seconds=0.4) as posts:
                await posts.post_and_wait("warm")
                posts.post("id")
                await asyncio.sleep(0.01)
                time.sleep(0.6)  # noqa: ASYNC251 - the loop stands still, as under load
                assert status(await posts.outcome("id")) == 200

    run(scenario())


def test_a_refused_connection_was_not_sent(run: Run) -> None:
    """Nobody listens: every post ends, and none may have arrived."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/"

        async def scenario() -> None:
            async with posts_to(url, max_concurrent_connects=2) as posts:
                for number in range(10):
                    posts.post(f"id-{number}")
                for number in range(10):
                    outcome = await posts.outcome(f"id-{number}")
                    assert trouble(outcome) == (Trouble.CONNECT, False)

        run(scenario())


@contextmanager
def swallowing_host() -> Iterator[str]:
    """Give the URL of a host that answers no attempt to connect: its queue is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        try:
            yield f"http://127.0.0.1:{full.getsockname()[1]}/"
        finally:
            for filler in fillers:
                filler.close()


def test_a_connection_that_is_not_made_in_time_was_not_sent(run: Run) -> None:
    """A host that swallows packets costs the connect timeout, not the total one."""

    async def scenario() -> None:
        with swallowing_host() as url:
            async with posts_to(url, connect_timeout_seconds=0.2) as posts:
                outcome = await posts.post_and_wait("id")
                assert trouble(outcome) == (Trouble.CONNECT, False)

    run(scenario())


def test_a_post_that_waits_too_long_for_a_connection_was_not_sent(run: Run) -> None:
    """The total time includes the wait."""

    async def scenario() -> None:
        with swallowing_host() as url:
            async with posts_to(url, total_timeout_seconds=0.2) as posts:
                assert trouble(await posts.post_and_wait("id")) == (Trouble.TIMEOUT, False)

    run(scenario())


def test_an_unknown_name_was_not_sent(run: Run) -> None:
    """A name that leads nowhere is told apart from a host that does not answer."""

    async def scenario() -> None:
        async with posts_to("http://no-such-host.invalid/") as posts:
            assert trouble(await posts.post_and_wait("id")) == (Trouble.DNS, False)

    run(scenario())


def open_descriptors() -> int:
    """Count what this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def test_without_file_descriptors_nothing_was_sent(run: Run) -> None:
    """Our own shortage is told apart from GSTV's troubles."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)

    async def scenario() -> None:
        with hostile_server(always_ok) as server:
            async with posts_to(server.url) as posts:
                used = open_descriptors()
                fillers = []
                resource.setrlimit(resource.RLIMIT_NOFILE, (used + 8, hard))
                try:
                    while True:
                        fillers.append(socket.socket())
                except OSError:
                    outcome = await posts.post_and_wait("id")
                finally:
                    for filler in fillers:
                        filler.close()
                    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
                assert trouble(outcome) == (Trouble.EXHAUSTED, False)
                assert status(await posts.post_and_wait("later")) == 200

    run(scenario())


def test_an_idle_connection_is_closed_after_its_time(run: Run) -> None:
    """The client ends it before the server does."""

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(OK)
        peer.wait_until_gone()
        gone.set()

    async def scenario() -> None:
        with hostile_server(script) as server:
            async with posts_to(server.url, idle_seconds=0.2) as posts:
                assert status(await posts.post_and_wait("first")) == 200
                assert await asyncio.to_thread(gone.wait, 20)
                assert status(await posts.post_and_wait("second")) == 200
            assert server.accepted == 2

    gone = threading.Event()
    run(scenario())


def test_an_old_connection_is_replaced(run: Run) -> None:
    """Beyond its age a connection carries no further post."""

    async def scenario() -> None:
        with hostile_server(always_ok) as server:
            async with posts_to(server.url, max_connection_age_seconds=0.000001) as posts:
                for number in range(3):
                    assert status(await posts.post_and_wait(f"id-{number}")) == 200
            assert server.accepted == 3

    run(scenario())
