"""What the GSTV client shows of who we are: credentials, and signatures."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from pop_stream.gstv.proof import Proof
from pop_stream.gstv.signing import SigningKey, verify
from pop_stream.pop.outcome import Answer, NoAnswer, Trouble
from tests.support.gstv_posts import posts_to, status, trouble
from tests.support.gstv_server import Peer, always_ok, hostile_server

Run = Callable[[Coroutine[Any, Any, None]], None]
UNAUTHORIZED = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"
KEY, OTHER_KEY = SigningKey(b"k" * 32), SigningKey(b"o" * 32)
NO_TOKEN = NoAnswer(Trouble.TOKEN, sent=False, detail="the token endpoint is down")


class Tokens:
    """Credentials that come, go and are refused as the test says."""

    def __init__(self, *tokens: str, why_not: NoAnswer | None = None) -> None:
        self._left = list(tokens)
        self._why_not = why_not
        self.refusals: list[bytes] = []
        self.waited = 0
        self.now: bytes | None = None

    def lines(self) -> bytes | None:
        return self.now

    async def ready(self) -> NoAnswer | None:
        self.waited += 1
        await asyncio.sleep(0)
        if not self._left:
            return self._why_not
        self.now = f"Authorization: Bearer {self._left.pop(0)}\r\n".encode()
        return None

    def refused(self, lines: bytes) -> None:
        self.refusals.append(lines)
        if lines == self.now:
            self.now = None


def headers_of(request: bytes) -> dict[str, str]:
    """The headers of a request, each once."""
    lines = request.partition(b"\r\n\r\n")[0].decode().split("\r\n")[1:]
    names = [line.partition(": ")[0] for line in lines]
    assert len(names) == len(set(names))
    return dict(line.split(": ", 1) for line in lines)


def test_each_request_is_signed_by_every_secret(run: Run) -> None:
    """A receiver that knows any of them finds that it is from us, and is of now."""

    async def scenario() -> None:
        proof = Proof(keys=lambda: (KEY, OTHER_KEY))
        with hostile_server(always_ok) as server:
            async with posts_to(server.url, proof=proof) as posts:
                for number in range(3):
                    body = b'{"n": %d}' % number
                    assert status(await posts.post_and_wait(f"id-{number}", body)) == 200
        for number, (_, request) in enumerate(server.requests):
            headers = headers_of(request)
            assert headers["webhook-id"] == f"id-{number}"
            for key in (KEY, OTHER_KEY):
                assert not verify(
                    (key,),
                    headers["webhook-id"],
                    headers["webhook-timestamp"],
                    headers["webhook-signature"],
                    b'{"n": %d}' % number,
                    now=time.time(),
                )

    run(scenario())


def test_a_request_shows_the_credentials_of_its_own_moment(run: Run) -> None:
    """What changes between two posts is seen in the second, on the same connection."""

    async def scenario() -> None:
        tokens = Tokens()
        with hostile_server(always_ok) as server:
            async with posts_to(server.url, proof=Proof(credentials=tokens)) as posts:
                for token in ("rose", "tulip"):
                    tokens.now = f"Authorization: Bearer {token}\r\n".encode()
                    assert status(await posts.post_and_wait(token)) == 200
        shown = [headers_of(request)["Authorization"] for _, request in server.requests]
        assert shown == ["Bearer rose", "Bearer tulip"]
        assert server.accepted == 1

    run(scenario())


def test_the_first_posts_wait_for_the_first_credentials(run: Run) -> None:
    """All of them for the same."""

    async def scenario() -> None:
        tokens = Tokens("tulip")
        with hostile_server(always_ok) as server:
            async with posts_to(server.url, proof=Proof(credentials=tokens)) as posts:
                for number in range(10):
                    posts.post(f"id-{number}")
                for number in range(10):
                    assert status(await posts.outcome(f"id-{number}")) == 200
        assert {headers_of(r)["Authorization"] for _, r in server.requests} == {"Bearer tulip"}
        assert tokens.waited == 1

    run(scenario())


def test_without_credentials_nothing_is_sent(run: Run) -> None:
    """Every post that waits for them ends as one that was not sent, so that its event is held."""

    async def scenario() -> None:
        tokens = Tokens(why_not=NO_TOKEN)
        with hostile_server(always_ok) as server:
            async with posts_to(server.url, proof=Proof(credentials=tokens)) as posts:
                for number in range(5):
                    posts.post(f"id-{number}")
                for number in range(5):
                    assert await posts.outcome(f"id-{number}") == NO_TOKEN
        assert server.requests == []
        assert server.accepted == 0

    run(scenario())


def test_what_gstv_refuses_is_told_once_and_not_sent_again(run: Run) -> None:
    """A 401 is the outcome of its post; the next post shows what came instead."""

    def script(peer: Peer) -> None:
        while True:
            peer.read_request()
            refused = b"Bearer rose" in server.requests[-1][1]
            peer.send(UNAUTHORIZED if refused else b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with hostile_server(script) as server:

        async def scenario() -> None:
            tokens = Tokens("rose", "tulip")
            async with posts_to(server.url, proof=Proof(credentials=tokens)) as posts:
                assert await posts.post_and_wait("first") == Answer(401)
                assert await posts.post_and_wait("second") == Answer(200)
            assert tokens.refusals == [b"Authorization: Bearer rose\r\n"]
            assert server.ids() == ["first", "second"]
            assert server.accepted == 1

        run(scenario())


def test_a_late_refusal_names_what_was_shown_then(run: Run) -> None:
    """Not what has come meanwhile: that is still good."""

    async def scenario() -> None:
        tokens = Tokens()
        tokens.now = b"Authorization: Bearer rose\r\n"

        def script(peer: Peer) -> None:
            peer.read_request()
            tokens.now = b"Authorization: Bearer tulip\r\n"
            peer.send(UNAUTHORIZED)
            peer.wait_until_gone()

        with hostile_server(script) as server:
            async with posts_to(server.url, proof=Proof(credentials=tokens)) as posts:
                assert await posts.post_and_wait("id") == Answer(401)
        assert tokens.refusals == [b"Authorization: Bearer rose\r\n"]
        assert tokens.now == b"Authorization: Bearer tulip\r\n"

    run(scenario())


def test_a_post_that_waits_too_long_for_credentials_ends(run: Run) -> None:
    """It was not sent, and closing waits for nothing."""

    class Never(Tokens):
        async def ready(self) -> NoAnswer | None:
            await asyncio.sleep(3600)
            return None

    async def scenario() -> None:
        with hostile_server(always_ok) as server:
            limits = {"total_timeout_seconds": 0.2}
            async with posts_to(server.url, proof=Proof(credentials=Never()), **limits) as posts:
                assert trouble(await posts.post_and_wait("id")) == (Trouble.TIMEOUT, False)
                posts.post("closed")
            assert trouble(await posts.outcome("closed")) == (Trouble.CLOSED, False)

    run(scenario())


@pytest.mark.parametrize("now", [None, b"Authorization: Bearer tulip\r\n"])
def test_an_impossible_id_is_refused_at_once(run: Run, now: bytes | None) -> None:
    """With or without credentials, before anything is started."""

    async def scenario() -> None:
        tokens = Tokens()
        tokens.now = now
        proof = Proof(credentials=tokens, keys=lambda: (KEY,))
        async with posts_to("http://127.0.0.1:1/", proof=proof) as posts:
            for odd in ('a"', "a\r\nX: y", "ä", ""):
                with pytest.raises(ValueError, match=r"pop-id|ascii"):
                    posts.post(odd)
            assert posts.client.in_flight == 0

    run(scenario())
