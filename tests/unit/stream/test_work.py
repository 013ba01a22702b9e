import asyncio
import logging
import time

import pytest

from pop_stream.pop.outcome import Answer, NoAnswer, Trouble
from tests.unit.stream.all_work import All
from tests.unit.stream.fakes import EVENTS, FAILURE, RETRY, turns, until
from tests.unit.stream.scene import EVENT, NO_EVENT


def test_each_stage_does_its_part() -> None:
    """An event goes from the players' topic over a retry to its notification."""

    async def scenario() -> None:
        all_ = All()
        all_.work.deliver(all_.arrivals.run(EVENTS, EVENT))
        all_.gstv.answer(Answer(500))
        await until(lambda: all_.kafka.on(RETRY))
        headers = [h for h in all_.kafka.on(RETRY)[0].headers if h[0] != "pop-not-before"]
        headers.append(("pop-attempt", b"3"))
        all_.work.deliver_when_due(all_.arrivals.run(RETRY, EVENT, headers=headers))
        assert all_.gstv.answer(Answer(500)).attempt == 4
        await until(lambda: all_.kafka.on(FAILURE))
        all_.work.notify(
            all_.arrivals.run(FAILURE, EVENT, headers=all_.kafka.on(FAILURE)[0].headers)
        )
        await until(lambda: all_.url.open)
        all_.url.answer(Answer(200))

        assert len({post.pop_id for post in all_.gstv.posts} | {
            post.pop_id for post in all_.url.posts}) == 1  # fmt: skip
        assert all_.tally.events_received == {("forward",): 1, ("retry",): 1, ("failure",): 1}
        assert [all_.arrivals.commit(topic) for topic in (EVENTS, RETRY, FAILURE)] == [1, 1, 1]

    asyncio.run(scenario())


def test_a_drain_waits_for_all_that_is_under_way() -> None:
    """An attempt, a hand-off and a call: only when all have ended, the drain has."""

    async def scenario() -> None:
        all_ = All()
        all_.work.notify(all_.arrivals.run(FAILURE, EVENT))
        await until(lambda: all_.url.open)
        all_.kafka.answers.clear()
        all_.work.deliver(all_.arrivals.run(EVENTS, NO_EVENT, EVENT))

        assert all_.work.under_way == 3

        drain = asyncio.create_task(all_.work.drain())
        await until(lambda: all_.kafka.tries == 2)
        for end in (
            lambda: all_.gstv.answer(Answer(200)),
            lambda: all_.url.answer(Answer(200)),
            all_.kafka.answers.set,
        ):
            await turns()
            assert not drain.done()
            end()
        await until(drain.done)

        assert all_.arrivals.commit(EVENTS) == 2
        assert all_.arrivals.commit(FAILURE) == 1

    asyncio.run(scenario())


def test_a_drain_starts_nothing() -> None:
    """What waits for an attempt is let go, and what an outcome makes room for too."""

    async def scenario() -> None:
        all_ = All(max_in_flight=1)
        all_.work.deliver(all_.arrivals.run(EVENTS, EVENT, EVENT))
        drain = asyncio.create_task(all_.work.drain())
        await turns()
        all_.work.deliver(all_.arrivals.run(EVENTS, EVENT))
        all_.gstv.answer(Answer(200))
        await until(drain.done)

        assert len(all_.gstv.posts) == 1

    asyncio.run(scenario())


def test_a_drain_is_bounded(caplog: pytest.LogCaptureFixture) -> None:
    """What does not end in time is left, told of, and stays unfinished."""

    async def scenario() -> None:
        all_ = All(drain_seconds=0.05)
        all_.work.deliver(all_.arrivals.run(EVENTS, EVENT, EVENT))
        await all_.work.drain()

        assert all_.work.under_way == 2
        assert all_.arrivals.commit(EVENTS) is None

    asyncio.run(scenario())
    (told,) = caplog.records

    assert (told.message, told.__dict__["under_way"]) == ("drain.unfinished", 2)


def test_with_nothing_under_way_a_drain_is_over_at_once() -> None:
    """Nobody waits for nothing."""

    async def scenario() -> None:
        all_ = All(drain_seconds=1_000)
        drain = asyncio.create_task(all_.work.drain())
        await turns()

        assert drain.done()

    asyncio.run(scenario())


def test_after_a_drain_work_can_be_taken_up_again() -> None:
    """A rebalance drains and assigns: new runs are attempted then."""

    async def scenario() -> None:
        all_ = All()
        await all_.work.drain()
        all_.arrivals.assign()
        all_.work.resume(1.0)
        all_.work.deliver(all_.arrivals.run(EVENTS, EVENT))

        assert len(all_.gstv.open) == 1

    asyncio.run(scenario())


def test_at_the_end_all_drains_share_the_time_of_one() -> None:
    """Faust drains more than once on its way out: the second finds the time used up."""

    async def scenario() -> None:
        all_ = All(drain_seconds=0.3)
        all_.work.deliver(all_.arrivals.run(EVENTS, EVENT))
        all_.work.begin_to_end()
        await all_.work.drain()
        all_.work.begin_to_end()
        second = asyncio.create_task(all_.work.drain())
        await turns()

        assert second.done()

    asyncio.run(scenario())


def test_progress_is_what_ends() -> None:
    """Seconds are counted from the last time that anything was finished, answered or committed."""

    async def scenario() -> None:
        all_ = All(max_in_flight=2)
        look = all_.work.look
        assert look(100.0) == 0.0
        all_.work.deliver(all_.arrivals.run(EVENTS, EVENT, EVENT, EVENT, EVENT))
        assert look(101.0) == 1.0
        assert look(111.0) == 11.0
        all_.gstv.answer(Answer(200))
        await turns(1)
        assert look(112.0) == 0.0
        all_.gstv.answer(NoAnswer(Trouble.TLS, sent=False))
        await turns(1)
        assert look(113.0) == 0.0
        assert look(114.0) == 1.0
        all_.committed()
        assert look(115.0) == 0.0
        assert look(120.0) == 5.0

    asyncio.run(scenario())


def test_waiting_is_no_lack_of_progress() -> None:
    """With nothing begun, and nothing to commit, an hour may pass."""

    async def scenario() -> None:
        all_ = All()
        later = time.time_ns() // 1_000_000 + 3_600_000
        headers = [("pop-not-before", str(later).encode())]
        all_.work.deliver_when_due(all_.arrivals.run(RETRY, EVENT, headers=headers))

        assert all_.work.under_way == 0
        assert all_.work.look(100.0) == 0.0
        assert all_.work.look(3_700.0) == 0.0
        await all_.forwarder.aclose()

    asyncio.run(scenario())


def test_what_cannot_be_committed_is_a_lack_of_progress() -> None:
    """Everything is finished and nothing is under way: the commit is what does not move."""

    async def scenario() -> None:
        all_ = All()
        all_.work.deliver(all_.arrivals.run(EVENTS, EVENT))
        all_.gstv.answer(Answer(200))
        await turns(1)

        assert all_.work.look(100.0) == 0.0
        assert all_.work.look(160.0) == 60.0

        all_.committed()

        assert all_.work.look(161.0) == 0.0
        assert all_.work.look(999.0) == 0.0

    asyncio.run(scenario())


def test_a_look_brings_the_gauges_up_to_date() -> None:
    """What is in flight and what is unfinished is seen from outside."""

    async def scenario() -> None:
        all_ = All(max_in_flight=3)
        all_.work.deliver(all_.arrivals.run(EVENTS, *[EVENT] * 5))
        all_.gstv.answer(Answer(200))
        await turns(1)
        now = time.monotonic()
        all_.gstv.oldest_started_at = now - 7
        all_.work.look(now)

        tally = all_.tally
        assert (tally.in_flight_deliveries, tally.unfinished_events) == (3, 4)
        assert tally.in_flight_limit == 3
        assert time.time() - tally.oldest_in_flight_timestamp_seconds == pytest.approx(7, abs=1)
        assert tally.partition_last_progress_timestamp_seconds.keys() >= {(EVENTS, "0")}
        assert all_.work.looked_at == pytest.approx(time.time(), abs=1)

    asyncio.run(scenario())


def test_closing_ends_everything_and_finishes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """Attempts, hand-offs and calls that are cut off are left to the next worker."""

    async def scenario() -> None:
        all_ = All(max_in_flight=2)
        all_.work.notify(all_.arrivals.run(FAILURE, EVENT))
        await until(lambda: all_.url.open)
        all_.kafka.answers.clear()
        all_.work.deliver(all_.arrivals.run(EVENTS, NO_EVENT, EVENT, EVENT, EVENT))
        await until(lambda: all_.kafka.tries == 2)
        await all_.work.aclose()
        all_.kafka.answers.set()
        await turns()

        assert all_.work.under_way == 0
        assert all_.arrivals.ledger.unfinished == 5
        assert all_.kafka.tries == 2
        assert all_.abort.reasons == []

    caplog.set_level(logging.ERROR)
    asyncio.run(scenario())

    assert caplog.records == []


def test_a_write_that_is_never_answered_is_no_progress() -> None:
    """Other events go on meanwhile, until its partition is full; one that is refused is another."""

    async def scenario() -> None:
        all_ = All()
        all_.kafka.refuse(1)
        all_.kafka.answers.clear()
        all_.work.deliver(all_.arrivals.run(EVENTS, EVENT, EVENT))
        all_.gstv.answer(Answer(500))
        await until(lambda: all_.kafka.tries == 2)
        now = time.monotonic()
        all_.gstv.answer(Answer(200))
        assert all_.work.look(now) < 1
        assert all_.work.look(now + 45) > 40
        all_.kafka.answers.set()
        await until(lambda: all_.kafka.on(RETRY))
        all_.committed()
        assert all_.work.look(time.monotonic() + 45) == 0
        assert all_.work.look(time.monotonic() + 90) == 0

    asyncio.run(scenario())
