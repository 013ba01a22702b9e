"""Posts through the GSTV client, with their outcomes to be awaited."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from pop_stream.gstv.client import GstvClient
from pop_stream.gstv.endpoint import parse_endpoint
from pop_stream.gstv.limits import ClientLimits
from pop_stream.gstv.proof import Proof
from pop_stream.gstv.route import Route
from pop_stream.pop.outcome import Answer, NoAnswer, Outcome, Trouble

_PATIENCE_SECONDS = 20.0


class Posts:
    """A client, and all that it has told. A post's token is its pop-id."""

    def __init__(
        self,
        url: str,
        *,
        context: ssl.SSLContext | None,
        limits: ClientLimits,
        proof: Proof | None = None,
        route: Route | None = None,
    ) -> None:
        self.told: list[tuple[str, Outcome]] = []
        self._more = asyncio.Event()
        endpoint = parse_endpoint(url, ssl_context=context)
        self.client: GstvClient[str] = GstvClient(
            endpoint, limits, self._take, route=route, proof=proof
        )

    def post(self, pop_id: str, body: bytes = b"{}", attempt: int = 1) -> None:
        self.client.post(pop_id, body, pop_id, attempt)

    async def outcome(self, pop_id: str) -> Outcome:
        """Wait for the outcome of one post."""
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while pop_id not in dict(self.told):
                self._more.clear()
                await self._more.wait()
        return dict(self.told)[pop_id]

    async def post_and_wait(self, pop_id: str, body: bytes = b"{}") -> Outcome:
        self.post(pop_id, body)
        return await self.outcome(pop_id)

    async def wait_for_room(self) -> None:
        """Wait until a post may be started."""
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while self.client.room == 0:
                self._more.clear()
                await self._more.wait()

    def _take(self, token: str, outcome: Outcome) -> None:
        self.told.append((token, outcome))
        self._more.set()


@asynccontextmanager
async def posts_to(
    url: str,
    *,
    context: ssl.SSLContext | None = None,
    proof: Proof | None = None,
    route: Route | None = None,
    **limits: Any,
) -> AsyncIterator[Posts]:
    """Make a client; when the context ends it is closed, and each post was told exactly once."""
    posts = Posts(url, context=context, limits=ClientLimits(**limits), proof=proof, route=route)
    try:
        yield posts
    finally:
        await posts.client.aclose()
    tokens = [token for token, _ in posts.told]
    assert len(tokens) == len(set(tokens))
    assert posts.client.in_flight == 0


def trouble(outcome: Outcome) -> tuple[Trouble, bool]:
    """What was wrong, and whether the request may have arrived."""
    assert isinstance(outcome, NoAnswer), outcome
    return outcome.trouble, outcome.sent


def status(outcome: Outcome) -> int:
    """The status of an answer."""
    assert isinstance(outcome, Answer), outcome
    return outcome.status
