"""One token for all: fetched by one at a time, renewed in time, refused once."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop

from pop_stream.access import oauth
from pop_stream.access.oauth import Refusal, Token, TokenKeeper, TokenRefused

Run = Callable[[Coroutine[Any, Any, None]], None]
DOWN = TokenRefused(Refusal.DOWN, "the token endpoint answered 503")


@pytest.fixture(params=[asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Run:
    """Run a coroutine on each kind of event loop."""
    runner: Run = request.param
    return runner


def good(value: str) -> Token:
    """A token that lives long."""
    now = time.monotonic()
    return Token(value=value, renew_at=now + 1000, expires_at=now + 2000)


def old(value: str) -> Token:
    """A token that should be renewed."""
    return Token(value=value, renew_at=0, expires_at=time.monotonic() + 1000)


def expired(value: str) -> Token:
    """A token that is good for nothing."""
    return Token(value=value, renew_at=0, expires_at=0)


class Endpoint:
    """Gives answers in turn, the last for ever; it may be made to wait."""

    def __init__(self, *answers: Token | TokenRefused) -> None:
        self._answers = list(answers)
        self.asked = 0
        self.open = threading.Event()
        self.open.set()

    def __call__(self) -> Token | TokenRefused:
        self.asked += 1
        answer = self._answers[0] if len(self._answers) == 1 else self._answers.pop(0)
        assert self.open.wait(20)
        return answer


def value(found: Token | TokenRefused | None) -> str:
    """The text of a token."""
    assert isinstance(found, Token), found
    return found.value


async def until(condition: Callable[[], object]) -> None:
    """Let the loop turn until it is so."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - a thread sets no event
            await asyncio.sleep(0.002)


def test_however_many_wait_it_is_fetched_once(run: Run) -> None:
    """And one that gives up does not end it for the others."""

    async def scenario() -> None:
        endpoint = Endpoint(good("tulip"))
        endpoint.open.clear()
        keeper = TokenKeeper(endpoint)
        assert keeper.current() is None
        waiting = [asyncio.create_task(keeper.get()) for _ in range(10)]
        await asyncio.sleep(0)
        waiting.pop(0).cancel()
        await asyncio.sleep(0)
        endpoint.open.set()
        assert {value(await each) for each in waiting} == {"tulip"}
        assert value(keeper.current()) == "tulip"
        assert value(await keeper.get()) == "tulip"
        assert endpoint.asked == 1

    run(scenario())


def test_a_token_is_renewed_before_it_ends_and_nobody_waits(run: Run) -> None:
    """The old one is given out meanwhile."""

    async def scenario() -> None:
        endpoint = Endpoint(old("rose"), good("tulip"))
        keeper = TokenKeeper(endpoint)
        assert value(await keeper.get()) == "rose"
        endpoint.open.clear()
        for _ in range(5):
            assert value(keeper.current()) == "rose"
        endpoint.open.set()
        await until(lambda: value(keeper.current()) == "tulip")
        assert endpoint.asked == 2

    run(scenario())


def test_a_token_that_cannot_be_renewed_is_used_until_it_ends(
    run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    """The endpoint is not asked all the time, and that it fails is told once."""

    async def scenario() -> None:
        endpoint = Endpoint(old("rose"), DOWN)
        keeper = TokenKeeper(endpoint)
        await keeper.get()
        keeper.current()
        await until(lambda: caplog.records)
        for _ in range(100):
            assert value(keeper.current()) == "rose"
            await asyncio.sleep(0)
        assert endpoint.asked == 2

    with caplog.at_level(logging.INFO):
        run(scenario())
    assert [record.getMessage() for record in caplog.records] == ["access.token.failed"]
    assert "rose" not in str([record.__dict__ for record in caplog.records])


def test_a_token_that_has_ended_is_not_given_out(run: Run) -> None:
    """Whoever needs one waits, and hears why there is none."""

    async def scenario() -> None:
        endpoint = Endpoint(expired("rose"), DOWN, good("tulip"))
        keeper = TokenKeeper(endpoint)
        await keeper.get()
        assert keeper.current() is None
        assert await keeper.get() == DOWN
        assert keeper.current() is None
        assert value(await keeper.get()) == "tulip"

    run(scenario())


def test_a_refused_token_is_fetched_anew_once(run: Run) -> None:
    """However many posts it was refused with; it is not shown again."""

    async def scenario() -> None:
        endpoint = Endpoint(good("rose"), good("tulip"))
        keeper = TokenKeeper(endpoint)
        await keeper.get()
        rose = keeper.current()
        assert rose is not None
        for _ in range(64):
            keeper.refuse(rose)
        assert keeper.current() is None
        assert value(await keeper.get()) == "tulip"
        keeper.refuse(rose)  # the answer to a post of long ago
        assert value(keeper.current()) == "tulip"
        assert endpoint.asked == 2

    run(scenario())


def test_an_endpoint_that_gives_the_refused_token_again_is_not_asked_for_ever(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked once more after a while: some day it has another."""

    async def scenario() -> None:
        endpoint = Endpoint(good("rose"), good("rose"), good("tulip"))
        keeper = TokenKeeper(endpoint)
        for asked in (1, 2, 2):
            await keeper.get()
            assert endpoint.asked == asked
            rose = keeper.current()
            assert rose is not None
            keeper.refuse(rose)
        assert value(keeper.current()) == "rose"
        keeper._refused_until = 0.0
        rose = keeper.current()
        assert rose is not None
        keeper.refuse(rose)
        assert value(await keeper.get()) == "tulip"

    monkeypatch.setattr(oauth, "_REFUSED_SECONDS", 1000.0)
    run(scenario())


def test_a_defect_while_fetching_is_told_to_whoever_waits(run: Run) -> None:
    """Nobody waits for ever, and no secret is in what is told."""

    def defect() -> Token:
        raise KeyError("canary-4f1d")

    async def scenario() -> None:
        found = await TokenKeeper(defect).get()
        assert found == TokenRefused(Refusal.CLIENT, "no token: KeyError")

    run(scenario())


def test_a_fetch_under_way_keeps_nothing_from_ending(run: Run) -> None:
    """The loop ends, and the thread's answer is for nobody."""
    endpoint = Endpoint(good("tulip"))
    endpoint.open.clear()

    async def scenario() -> None:
        waiting = asyncio.create_task(TokenKeeper(endpoint).get())
        await until(lambda: endpoint.asked)
        waiting.cancel()

    run(scenario())
    endpoint.open.set()
