import asyncio
import socket

import pytest

from pop_stream.gstv import resolver as module
from pop_stream.gstv.resolver import Resolver


class NameServer:
    """Answers lookups when the test lets it."""

    def __init__(self, *answers: list[str] | Exception) -> None:
        self.answers = list(answers)
        self.asked = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def look_up(self, host: str, port: int) -> list[str]:
        assert (host, port) == ("gstv.example", 443)
        self.asked += 1
        await self.gate.wait()
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_many_ask_once() -> None:
    """Lookups at the same time and shortly after share one question."""

    async def scenario() -> None:
        names = NameServer(["192.0.2.1", "192.0.2.2"])
        resolver = Resolver("gstv.example", 443, lookup=names.look_up)
        found = await asyncio.gather(*[resolver.addresses() for _ in range(50)])
        found.append(await resolver.addresses())
        assert found == [["192.0.2.1", "192.0.2.2"]] * 51
        assert names.asked == 1

    asyncio.run(scenario())


def test_an_answer_grows_old(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a few seconds the question is asked anew, so that a change of DNS arrives."""
    monkeypatch.setattr(module, "_REMEMBERED_SECONDS", 0.0)

    async def scenario() -> None:
        names = NameServer(["192.0.2.1"], ["192.0.2.2"])
        resolver = Resolver("gstv.example", 443, lookup=names.look_up)
        assert await resolver.addresses() == ["192.0.2.1"]
        assert await resolver.addresses() == ["192.0.2.2"]

    asyncio.run(scenario())


def test_a_failure_is_not_remembered() -> None:
    """All who asked together learn of it; the next one asks again."""

    async def scenario() -> None:
        names = NameServer(socket.gaierror("no such host"), ["192.0.2.1"])
        resolver = Resolver("gstv.example", 443, lookup=names.look_up)
        failed = await asyncio.gather(
            *[resolver.addresses() for _ in range(3)], return_exceptions=True
        )
        assert [type(error) for error in failed] == [socket.gaierror] * 3
        assert await resolver.addresses() == ["192.0.2.1"]
        assert names.asked == 2

    asyncio.run(scenario())


def test_one_that_gives_up_does_not_end_the_lookup() -> None:
    """A connection attempt that times out leaves the others their answer."""

    async def scenario() -> None:
        names = NameServer(["192.0.2.1"])
        names.gate.clear()
        resolver = Resolver("gstv.example", 443, lookup=names.look_up)
        impatient = asyncio.create_task(resolver.addresses())
        patient = asyncio.create_task(resolver.addresses())
        await asyncio.sleep(0)
        impatient.cancel()
        await asyncio.sleep(0)
        names.gate.set()
        assert await patient == ["192.0.2.1"]
        assert impatient.cancelled()

    asyncio.run(scenario())


def test_an_address_that_failed_is_left_out_unless_it_is_the_last() -> None:
    """A dead address costs its time once, and a single one is never forgotten."""

    async def scenario() -> None:
        names = NameServer(["192.0.2.1", "192.0.2.2"])
        resolver = Resolver("gstv.example", 443, lookup=names.look_up)
        await resolver.addresses()
        resolver.failed("192.0.2.1")
        assert await resolver.addresses() == ["192.0.2.2"]
        resolver.failed("192.0.2.2")
        resolver.failed("192.0.2.9")
        assert await resolver.addresses() == ["192.0.2.2"]

    asyncio.run(scenario())
