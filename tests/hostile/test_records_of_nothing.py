"""A million records without key and value take half a megabyte, packed, and each is parked."""

import asyncio

import pytest

from tests.unit.stream.fakes import FAILURE, until
from tests.unit.stream.scene import Scene


@pytest.mark.parametrize("refusals", [0, 1])
def test_records_of_nothing_are_parked_together(refusals: int) -> None:
    """One by one their partition moved by twenty a second; refused, they are written singly."""

    async def scenario() -> None:
        scene = Scene()
        scene.kafka.refuse(refusals)
        scene.arrive(*[None] * 500, key=None)
        await until(lambda: len(scene.kafka.on(FAILURE)) == 500)
        await until(lambda: scene.arrivals.ledger.unfinished == 0)
        assert scene.kafka.tries == (1 if not refusals else 501)
        assert {(one.key, one.value) for one in scene.kafka.on(FAILURE)} == {(None, None)}
        await scene.handoff.aclose()

    asyncio.run(scenario())
