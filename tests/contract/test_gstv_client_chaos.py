"""The GSTV client against a server that treats connections badly at random."""

import asyncio
import random
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from pop_stream.pop.outcome import Answer, NoAnswer
from tests.support.gstv_posts import posts_to
from tests.support.gstv_server import OK, HostileServer, Peer, hostile_server

Run = Callable[[Coroutine[Any, Any, None]], None]


def chaos(chance: random.Random) -> Callable[[Peer], None]:
    """Answer most requests, and treat the others badly."""
    part = OK[: chance.randrange(1, len(OK))]
    unwell = b"HTTP/1.1 503 X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    fates: list[tuple[bytes, Callable[[Peer], None] | None]] = [
        (b"", Peer.reset),
        (b"", Peer.close),
        (b"", Peer.wait_until_gone),
        (part, Peer.reset),
        (part, Peer.close),
        (OK, Peer.reset),
        (OK, Peer.close),
        (OK + part, None),
        (unwell, Peer.close),
        *[(OK, None)] * 10,
    ]

    def script(peer: Peer) -> None:
        while True:
            if chance.random() < 0.02:
                peer.reset()
            peer.read_request()
            answer, ending = chance.choice(fates)
            peer.send(answer)
            if ending:
                ending(peer)

    return script


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_each_post_has_one_outcome_and_is_sent_at_most_once(run: Run, seed: int) -> None:
    """Under resets, cut answers, hangs and a sudden close: never two outcomes, never a resend."""
    chance = random.Random(seed)

    async def scenario(server: HostileServer) -> None:
        async with posts_to(server.url, max_in_flight=16, total_timeout_seconds=0.2) as posts:
            started = []
            for number in range(400):
                await posts.wait_for_room()
                started.append(f"id-{number}")
                posts.post(started[-1])
                if chance.random() < 0.1:
                    await asyncio.sleep(0)
        assert sorted(token for token, _ in posts.told) == sorted(started)
        taken = server.ids()
        assert len(taken) == len(set(taken))
        answered = {token for token, outcome in posts.told if isinstance(outcome, Answer)}
        unsent = {
            token
            for token, outcome in posts.told
            if isinstance(outcome, NoAnswer) and not outcome.sent
        }
        assert answered <= set(taken)
        assert not unsent & set(taken)
        assert len(answered) > 100

    with hostile_server(chaos(random.Random(seed))) as server:
        run(scenario(server))
