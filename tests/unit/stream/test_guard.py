"""What others do is told of, and a worker that is of no use ends."""

import asyncio
import logging

import pytest

from pop_stream.errors import KafkaUnreachableError, PopStreamError
from pop_stream.kafka.group import Member
from pop_stream.stream.guard import Guard, Surroundings
from pop_stream.stream.starting_point import CLIENT_ID
from pop_stream.watch.tally import Tally
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
        guard = Guard(look, tally, abort, trouble=lambda _: None, seconds=0.001)
        guard.start()
        await until(lambda: seen > len(found))
        guard.stop()
        assert abort.reasons == []

    asyncio.run(scenario())
    return [line.message for line in caplog.records], tally


def test_a_topic_that_is_gone_and_a_stranger_are_told_of(caplog: pytest.LogCaptureFixture) -> None:
    """In the log and in the metrics."""
    said, tally = guarded(caplog, Surroundings({"t"}, [WORKER, STRANGER]))

    assert {"topic.missing", "group.stranger"} == set(said)
    assert (tally.missing_topics, tally.group_strangers) == (1, 1)


def test_when_all_is_well_again_nothing_is_said(caplog: pytest.LogCaptureFixture) -> None:
    """The gauges go back, too; and a Kafka that does not answer is no news of the guard's."""
    said, tally = guarded(
        caplog,
        Surroundings({"t"}, [STRANGER]),
        KafkaUnreachableError("away"),
        Surroundings(set(), [WORKER, WORKER]),
    )

    assert said == ["topic.missing", "group.stranger"]
    assert (tally.missing_topics, tally.group_strangers) == (0, 0)


class Scene:
    """A worker in trouble, or not, while Kafka is there, or not. Make it in a running loop."""

    def __init__(self, *, patience_seconds: float = 0.0) -> None:
        self.trouble: str | None = None
        self.error: PopStreamError | None = None
        self.looks = 0
        self.abort = NotedAbort()
        self.guard = Guard(
            self._look,
            Tally(),
            self.abort,
            trouble=lambda _: self.trouble,
            seconds=0.001,
            patience_seconds=patience_seconds,
        )
        self.guard.start()

    async def _look(self) -> Surroundings:
        self.looks += 1
        if self.error is not None:
            raise self.error
        return Surroundings(set(), [])

    async def look(self, times: int) -> None:
        """Let it look so many times more."""
        wanted = self.looks + times
        await until(lambda: self.looks > wanted or self.abort.reasons)


def test_a_worker_that_is_of_no_use_ends() -> None:
    """Its supervisor starts another."""

    async def scenario() -> None:
        scene = Scene()
        scene.trouble = "nothing comes"
        await until(lambda: scene.abort.reasons)
        assert scene.abort.reasons[0].startswith("nothing comes, for ")

    asyncio.run(scenario())


def test_what_passes_in_time_ends_nothing() -> None:
    """A rebalance takes a while, and so does a broker that is coming back."""

    async def scenario() -> None:
        scene = Scene(patience_seconds=0.2)
        for _ in range(5):
            scene.trouble = "not in the group"
            await scene.look(10)
            scene.trouble = None
            await scene.look(2)
        assert scene.abort.reasons == []
        scene.guard.stop()

    asyncio.run(scenario())


def test_while_kafka_is_away_no_worker_is_blamed() -> None:
    """Another one would be of no more use; patience begins anew when Kafka is back."""

    async def scenario() -> None:
        scene = Scene(patience_seconds=60)
        scene.trouble = "nothing comes"
        await scene.look(2)
        scene.error = KafkaUnreachableError("away")
        await scene.look(5)
        assert scene.guard._useless_since is None
        assert scene.abort.reasons == []
        scene.guard.stop()

    asyncio.run(scenario())
