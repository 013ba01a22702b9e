"""What others do to the worker's topics and group is told of."""

import asyncio
import logging

import pytest

from pop_stream.errors import KafkaUnreachableError, PopStreamError
from pop_stream.kafka.group import Member
from pop_stream.stream.guard import Guard, Surroundings
from pop_stream.stream.starting_point import CLIENT_ID
from pop_stream.watch.metrics import Tally
from tests.unit.stream.fakes import NotedAbort, until

WORKER, STRANGER = Member(client_id=CLIENT_ID, host="a"), Member(client_id="x", host="b")


def guarded(
    caplog: pytest.LogCaptureFixture, *found: Surroundings | PopStreamError
) -> tuple[list[str], Tally]:
    """Look once at each, then at the last for ever; what was said above INFO, and the gauges."""
    caplog.set_level(logging.WARNING)
    looks = iter(found)
    last = found[-1]
    seen = 0
    tally = Tally()

    async def look() -> Surroundings:
        nonlocal seen
        seen += 1
        now = next(looks, last)
        if isinstance(now, PopStreamError):
            raise now
        return now

    async def scenario() -> None:
        abort = NotedAbort()
        guard = Guard(look, tally, abort, seconds=0.001)
        guard.start()
        await until(lambda: seen > len(found))
        guard.stop()
        assert abort.reasons == []

    asyncio.run(scenario())
    return [line.message for line in caplog.records], tally


def test_a_topic_that_is_gone_and_a_stranger_are_told_of(caplog: pytest.LogCaptureFixture) -> None:
    """Each time, and in the metrics."""
    said, tally = guarded(caplog, Surroundings({"t"}, [WORKER, STRANGER]))

    assert {"topic.missing", "group.stranger"} == set(said)
    assert (tally.missing_topics, tally.strangers) == (1, 1)


def test_when_all_is_well_again_nothing_is_said(caplog: pytest.LogCaptureFixture) -> None:
    """The gauges go back, too; and a Kafka that does not answer is no news of the guard's."""
    said, tally = guarded(
        caplog,
        Surroundings({"t"}, [STRANGER]),
        KafkaUnreachableError("away"),
        Surroundings(set(), [WORKER, WORKER]),
    )

    assert said == ["topic.missing", "group.stranger"]
    assert (tally.missing_topics, tally.strangers) == (0, 0)
