"""A GSTV that means harm, on real sockets: floods, bombs, and bytes that come one by one (C11).

What one connection makes of every malformed answer stands in tests/unit/gstv.
"""

import asyncio
import gzip
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from pop_stream.pop.outcome import Trouble
from tests.support.gstv_posts import posts_to, status, trouble
from tests.support.gstv_server import OK, Peer, hostile_server

HEAD = b"HTTP/1.1 200 OK\r\n"
#: Each begins, and then goes on for ever.
FLOODS = {
    "headers": (HEAD, b"A: b\r\n"),
    "one header": (HEAD + b"A: ", b"b"),
    "body without length": (HEAD + b"\r\n", b"x"),
    "body of a huge length": (HEAD + b"Content-Length: 9223372036854775807\r\n\r\n", b"x"),
    "chunks": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
    "chunk extension": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n1;", b"x"),
    "trailers": (HEAD + b"Transfer-Encoding: chunked\r\n\r\n0\r\n", b"A: b\r\n"),
    "interim answers": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "early hints": (b"", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"),
    "empty lines": (b"", b"\r\n"),
    "zeros": (b"", b"\0"),
}
BOMB = gzip.compress(bytes(32 * 1024 * 1024))

#: Posts once to the address it is given, and tells what came and what it took.
_POST = """
import asyncio, re, sys
from pathlib import Path
from tests.support.gstv_posts import posts_to, trouble
async def post():
    async with posts_to(sys.argv[1], total_timeout_seconds=60) as posts:
        return trouble(await posts.post_and_wait("id"))
print(asyncio.run(post())[0].value)
print(int(re.search("VmHWM:\\\\s+(\\\\d+)", Path("/proc/self/status").read_text())[1]) // 1024)
"""


def flood(begin: bytes, more: bytes) -> Callable[[Peer], None]:
    """Read a request, and answer for as long as anybody reads; then note that nobody does."""

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(begin)
        while True:
            peer.send(more * (65_536 // len(more)))

    return script


@pytest.mark.parametrize("name", FLOODS)
def test_a_flood_ends_with_one_outcome_and_no_connection(name: str) -> None:
    """It is cut off at 64 KiB; the next post is answered, on a connection of its own."""
    attack = flood(*FLOODS[name])

    def script(peer: Peer) -> None:
        if peer.number == 1:
            with pytest.raises(OSError, match=r"reset|pipe"):
                attack(peer)
            cut_off.set()
        peer.read_request()
        peer.send(OK)

    async def scenario() -> None:
        with hostile_server(script) as server:
            async with posts_to(server.url) as posts:
                assert trouble(await posts.post_and_wait("first")) == (Trouble.BAD_RESPONSE, True)
                assert await asyncio.to_thread(cut_off.wait, 20)
                assert status(await posts.post_and_wait("second")) == 200
            assert len(posts.told) == server.accepted == 2

    cut_off = threading.Event()
    asyncio.run(scenario())


@pytest.mark.parametrize("name", ["headers", "body without length", "interim answers"])
def test_a_flood_takes_no_memory(name: str) -> None:
    """As much as the server can send: less than a fresh worker takes."""
    with hostile_server(flood(*FLOODS[name])) as server:
        done = subprocess.run(
            [sys.executable, "-c", _POST, server.url],
            cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True,
        )  # fmt: skip
    said, mebibytes = done.stdout.split()

    assert said == Trouble.BAD_RESPONSE.value
    assert int(mebibytes) < 150


def test_a_packed_answer_is_never_unpacked() -> None:
    """32 KiB that become 32 MiB are 32 KiB: the status counts, and nobody reads the body."""

    def script(peer: Peer) -> None:
        while True:
            peer.read_request()
            peer.send(HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB))
            peer.send(BOMB)

    async def scenario() -> None:
        with hostile_server(script) as server:
            async with posts_to(server.url) as posts:
                for number in range(3):
                    assert status(await posts.post_and_wait(f"id-{number}")) == 200
                assert b"accept-encoding" not in server.requests[0][1].lower()
            assert server.accepted == 1

    assert len(BOMB) < 65_536
    asyncio.run(scenario())


#: Answers that would be whole in the end.
DRIPS = {
    "plain": OK,
    "interim answers": b"HTTP/1.1 100 Continue\r\n\r\n" * 10 + OK,
    "chunks": HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 20,
}


@pytest.mark.parametrize("answer", DRIPS.values(), ids=DRIPS)
def test_an_answer_that_drips_is_cut_off_at_the_deadline(answer: bytes) -> None:
    """A byte now and then keeps no post alive, and none of many at once keeps another."""

    def script(peer: Peer) -> None:
        peer.read_request()
        pause = threading.Event()
        for byte in answer:
            peer.send(bytes((byte,)))
            pause.wait(0.05)

    async def scenario() -> None:
        with hostile_server(script) as server:
            async with posts_to(server.url, total_timeout_seconds=0.3) as posts:
                for number in range(8):
                    posts.post(f"id-{number}")
                for number in range(8):
                    outcome = await posts.outcome(f"id-{number}")
                    assert trouble(outcome) == (Trouble.TIMEOUT, True)
            assert server.accepted == 8

    asyncio.run(scenario())
