"""What becomes of events when partitions go, when work pauses, and when it ends."""

import asyncio

from pop_stream.pop.outcome import Answer
from tests.unit.stream.fakes import EVENTS, FAILURE, turns, until
from tests.unit.stream.scene import EVENT, NO_EVENT, Scene


def test_an_outcome_after_the_revocation_changes_nothing() -> None:
    """Another worker has the event by then: it is neither finished nor written by this one."""

    async def scenario() -> None:
        scene = Scene()
        scene.arrive(EVENT, EVENT, EVENT, EVENT)
        scene.revoke()
        for outcome in (Answer(200), Answer(500), Answer(401), Answer(400)):
            scene.gstv.answer(outcome)
        await turns()

        assert scene.kafka.tries == 0
        assert scene.tally.events_completed == scene.tally.attempts_held == {}
        assert not scene.tally.circuit_open
        assert scene.abort.reasons == []

    asyncio.run(scenario())


def test_a_confirmation_after_the_revocation_counts_nothing() -> None:
    """The record is a duplicate then, and the event is counted where it is finished."""

    async def scenario() -> None:
        scene = Scene()
        scene.kafka.answers.clear()
        scene.arrive(EVENT, NO_EVENT)
        scene.gstv.answer(Answer(500))
        await until(lambda: scene.kafka.tries == 2)
        scene.revoke()
        scene.kafka.answers.set()
        await until(lambda: scene.handoff.in_progress == 0)

        assert (
            scene.tally.retries_scheduled
            == scene.tally.failed_events
            == scene.tally.events_completed
            == {}
        )

    asyncio.run(scenario())


def test_events_that_wait_are_let_go_with_their_partition() -> None:
    """What was not attempted before the revocation is not attempted after it."""

    async def scenario() -> None:
        scene = Scene(max_in_flight=1)
        scene.arrive(*[EVENT] * 5)
        scene.forwarder.pause()
        scene.gstv.answer(Answer(200))
        await turns(1)

        assert scene.arrivals.commit(EVENTS) == 1

        scene.arrivals.assign()
        scene.forwarder.resume()

        assert len(scene.gstv.posts) == 1

    asyncio.run(scenario())


def test_a_run_that_arrives_too_late_is_left_alone() -> None:
    """A run of before the revocation, handed over after it, is neither posted nor written."""

    async def scenario() -> None:
        scene = Scene()
        scene.forwarder.pause()
        scene.arrive(EVENT, NO_EVENT)
        scene.revoke()
        scene.arrivals.assign()
        scene.forwarder.resume()
        await turns()

        assert scene.gstv.posts == []
        assert scene.kafka.tries == 0

    asyncio.run(scenario())


def test_paused_nothing_starts_and_what_is_under_way_ends() -> None:
    """A drain lets attempts and hand-offs end, and begins none."""

    async def scenario() -> None:
        scene = Scene(max_in_flight=2)
        scene.arrive(EVENT, EVENT, EVENT)
        scene.forwarder.pause()
        scene.arrive(EVENT, NO_EVENT)
        scene.gstv.answer(Answer(500))
        scene.gstv.answer(Answer(200))
        await until(lambda: scene.arrivals.commit(EVENTS) == 2)

        assert len(scene.gstv.posts) == 2
        assert scene.kafka.on(FAILURE) == []

    asyncio.run(scenario())


def test_closing_leaves_what_was_in_flight_unfinished() -> None:
    """Attempts that we end ourselves are no outcome: the next worker makes them."""

    async def scenario() -> None:
        scene = Scene(max_in_flight=2)
        scene.arrive(EVENT, EVENT, EVENT)
        await scene.forwarder.aclose()
        await turns()

        assert scene.arrivals.ledger.unfinished == 3
        assert scene.kafka.tries == 0
        assert scene.abort.reasons == []

    asyncio.run(scenario())
