import asyncio
import logging

import pytest

from pop_stream.kafka.complaints import heard_from_aiokafka

log = logging.getLogger("aiokafka.conn")


def test_complaints_are_kept_and_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Warnings and errors are there for the message; the log has none of them."""
    with heard_from_aiokafka() as complaints:
        log.info("trying")
        log.error("refused by %s", "1.2.3.4")

    assert complaints == ["refused by 1.2.3.4"]
    assert caplog.records == []


def test_afterwards_all_is_logged_again(caplog: pytest.LogCaptureFixture) -> None:
    """Listening ends with the block."""
    with heard_from_aiokafka() as complaints:
        pass
    log.error("later")

    assert complaints == []
    assert caplog.messages == ["later"]


def test_listeners_that_overlap_do_not_mix(caplog: pytest.LogCaptureFixture) -> None:
    """Each task hears its own, others are logged, and in the end nobody listens."""
    heard: dict[str, list[str]] = {}

    async def listen(name: str, mine: asyncio.Event, other: asyncio.Event) -> None:
        with heard_from_aiokafka() as heard[name]:
            mine.set()
            await other.wait()
            log.error(name)

    async def bystander(first: asyncio.Event, second: asyncio.Event) -> None:
        await first.wait()
        await second.wait()
        log.error("bystander")

    async def scenario() -> None:
        first, second = asyncio.Event(), asyncio.Event()
        await asyncio.gather(
            listen("first", first, second),
            bystander(first, second),
            listen("second", second, first),
        )

    asyncio.run(scenario())
    log.error("after")

    assert heard == {"first": ["first"], "second": ["second"]}
    assert caplog.messages == ["bystander", "after"]
    assert log.filters == []
