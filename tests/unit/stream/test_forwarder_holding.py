"""When nothing can be delivered: events keep their place, and are attempted again."""

import asyncio
import logging
import time

import pytest

from pop_stream.pop.outcome import Answer, NoAnswer, Outcome, Trouble
from pop_stream.stream import gate
from tests.unit.stream.fakes import EVENTS, RETRY, CountingLoop, SteppingClock, turns, until
from tests.unit.stream.scene import EVENT, Scene

REFUSED = NoAnswer(Trouble.CONNECT, sent=False, detail="refused")
HOLDS: list[Outcome] = [
    REFUSED,
    NoAnswer(Trouble.DNS, sent=False),
    NoAnswer(Trouble.TLS, sent=False),
    NoAnswer(Trouble.EXHAUSTED, sent=False),
    Answer(401),
    Answer(403),
    Answer(407),
    Answer(302),
    Answer(429),
    Answer(503, "0"),
]


@pytest.mark.parametrize("outcome", HOLDS, ids=str)
def test_an_attempt_that_does_not_count_is_made_again(
    outcome: Outcome, caplog: pytest.LogCaptureFixture
) -> None:
    """No retry is spent: the event keeps its place, and the next attempt has the same number."""

    async def scenario() -> None:
        scene = Scene(retries=0)
        scene.arrive(EVENT)
        first = scene.gstv.answer(outcome)

        assert scene.tally.circuit_open
        assert sum(scene.tally.held.values()) == 1

        await until(lambda: scene.gstv.open)
        second = scene.gstv.answer(Answer(200))

        assert first == second
        assert second.attempt == 1
        assert scene.kafka.tries == 0
        assert scene.arrivals.commit(EVENTS) == 1
        assert not scene.tally.circuit_open

    caplog.set_level(logging.INFO)
    asyncio.run(scenario())

    assert [line.message for line in caplog.records] == ["delivery.held", "delivery.resumed"]


def test_a_held_event_goes_before_those_that_wait_behind_it() -> None:
    """Holding changes nothing in the order of events."""

    async def scenario() -> None:
        scene = Scene(max_in_flight=1)
        scene.arrive(EVENT, EVENT, EVENT)
        scene.gstv.answer(REFUSED)
        for _ in range(3):
            await until(lambda: scene.gstv.open)
            scene.gstv.answer(Answer(200))

        assert [post.token.index for post in scene.gstv.posts] == [0, 0, 1, 2]

    asyncio.run(scenario())


def test_while_nothing_can_be_delivered_one_event_probes() -> None:
    """All that failed together wait; one goes at a time until one gets an answer, then all go."""

    async def scenario() -> None:
        scene = Scene(max_in_flight=8)
        scene.arrive(*[EVENT] * 20)
        scene.gstv.answer_all(REFUSED)
        await turns(1)
        scene.arrive(EVENT)

        assert scene.gstv.open == []
        await until(lambda: scene.gstv.open)
        assert len(scene.gstv.open) == 1
        scene.arrive(EVENT)
        assert len(scene.gstv.open) == 1

        scene.gstv.answer(REFUSED)
        await turns(1)
        assert scene.gstv.open == []
        await until(lambda: scene.gstv.open)
        assert len(scene.gstv.open) == 1

        scene.gstv.answer(Answer(200))
        await turns(1)
        assert len(scene.gstv.open) == 8
        while scene.gstv.open:
            scene.gstv.answer(Answer(200))
            await turns(1)
        assert scene.arrivals.commit(EVENTS) == 22
        assert {post.attempt for post in scene.gstv.posts} == {1}

    asyncio.run(scenario())


def test_gstv_is_asked_again_when_it_said_and_not_before() -> None:
    """A Retry-After holds everything for so long, whatever arrives meanwhile."""

    async def scenario() -> None:
        scene = Scene()
        scene.arrive(EVENT)
        told_at = time.monotonic()
        scene.gstv.answer(Answer(429, "1.2"))
        scene.arrive(EVENT)
        await until(lambda: scene.gstv.open)

        assert time.monotonic() - told_at >= 1.2
        assert len(scene.gstv.posts) == 2

    asyncio.run(scenario())


@pytest.mark.parametrize("outcome", [Answer(500), Answer(404)])
def test_a_probe_that_is_judged_counts_and_opens_the_way(outcome: Outcome) -> None:
    """An answer shows that GSTV is there again, though it does not want this event."""

    async def scenario() -> None:
        scene = Scene(max_in_flight=4)
        scene.arrive(EVENT, EVENT, EVENT)
        scene.gstv.answer_all(REFUSED)
        await turns(1)
        await until(lambda: scene.gstv.open)
        scene.gstv.answer(outcome)
        await turns(1)

        assert len(scene.gstv.open) == 2
        await until(lambda: scene.kafka.on(RETRY))

    asyncio.run(scenario())


def test_a_probe_without_an_answer_is_a_retry_and_the_way_stays_closed() -> None:
    """GSTV may have taken that event, so it counts; the others are not sent after it."""

    async def scenario() -> None:
        scene = Scene(max_in_flight=4)
        scene.arrive(EVENT, EVENT, EVENT)
        scene.gstv.answer_all(REFUSED)
        await until(lambda: scene.gstv.open)
        scene.gstv.answer(NoAnswer(Trouble.TIMEOUT, sent=True))

        assert scene.gstv.open == []
        assert scene.tally.circuit_open
        await until(lambda: scene.kafka.on(RETRY))
        await until(lambda: scene.gstv.open)
        assert len(scene.gstv.open) == 1

    asyncio.run(scenario())


def test_an_event_that_becomes_due_after_the_hold_is_attempted() -> None:
    """With nothing else to probe with, the hold's end comes and goes: the event wakes us later."""

    async def scenario() -> None:
        scene = Scene()
        scene.arrive(EVENT)
        scene.gstv.answer(REFUSED)
        await until(lambda: scene.gstv.open)
        scene.gstv.answer(NoAnswer(Trouble.TIMEOUT, sent=True))
        scene.come_back(not_before=time.time_ns() // 1_000_000 + 2_500)
        await until(lambda: scene.gstv.open)

        assert scene.gstv.open[0].attempt == 2

    asyncio.run(scenario())


def test_an_event_that_is_due_during_the_hold_is_attempted_after_it() -> None:
    """Its time comes while nothing may be attempted: it goes as soon as something may."""

    async def scenario() -> None:
        scene = Scene()
        scene.arrive(EVENT)
        scene.gstv.answer(REFUSED)
        await turns(1)
        scene.come_back(not_before=time.time_ns() // 1_000_000 + 50)
        await until(lambda: scene.gstv.open)

        assert scene.gstv.open[0].attempt == 2
        scene.gstv.answer(Answer(200))
        await turns(1)
        assert scene.gstv.open[0].attempt == 1

    asyncio.run(scenario())


def test_a_hold_ends_though_its_event_is_gone() -> None:
    """The event that was held is revoked: what arrives later is attempted all the same."""

    async def scenario() -> None:
        scene = Scene()
        scene.arrive(EVENT)
        scene.gstv.answer(REFUSED)
        scene.forwarder.pause()
        scene.revoke()
        scene.arrivals.assign()
        scene.forwarder.resume()
        scene.arrive(EVENT)
        await until(lambda: scene.gstv.open)
        scene.gstv.answer(Answer(200))

        assert not scene.tally.circuit_open

    asyncio.run(scenario())


def test_a_probe_whose_event_is_revoked_leaves_the_next_one_to_probe() -> None:
    """Its outcome is nobody's, so another attempt finds out."""

    async def scenario() -> None:
        scene = Scene()
        scene.arrive(EVENT)
        scene.gstv.answer(REFUSED)
        await turns(1)
        await until(lambda: scene.gstv.open)
        scene.forwarder.pause()
        scene.revoke()
        scene.arrivals.assign()
        scene.forwarder.resume()
        scene.arrive(EVENT, EVENT)

        assert len(scene.gstv.open) == 1
        scene.gstv.answer(Answer(200))
        await turns(1)
        assert len(scene.gstv.open) == 1
        scene.gstv.answer(Answer(200))
        await turns(1)
        assert len(scene.gstv.open) == 1
        scene.gstv.answer(Answer(200))
        await turns(1)
        assert scene.arrivals.commit(EVENTS) == 3

    asyncio.run(scenario())


def test_a_hold_that_ends_between_two_looks_at_the_clock_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Closed at the first look and over at the second: the event still wakes us."""
    clock = SteppingClock(100.0)
    monkeypatch.setattr(gate, "time", clock)

    async def scenario() -> None:
        scene = Scene()
        scene.arrive(EVENT)
        scene.gstv.answer(REFUSED)
        clock.then(100.0, 200.0)
        scene.arrive(EVENT)

        assert scene.gstv.open == []
        await until(lambda: scene.gstv.open)

    asyncio.run(scenario())


@pytest.mark.parametrize("outcome", [REFUSED, None], ids=["during-a-probe", "while-all-is-full"])
def test_no_timer_runs_while_only_an_outcome_can_make_room(outcome: Outcome | None) -> None:
    """An event whose time has come waits for the outcome, and the loop has nothing to do."""

    async def scenario() -> None:
        scene = Scene(max_in_flight=1 if outcome is None else 4)
        scene.arrive(EVENT)
        if outcome is not None:
            scene.gstv.answer(outcome)
            await until(lambda: scene.gstv.open)
        loop = CountingLoop(asyncio.get_running_loop())
        scene.forwarder._loop = loop  # type: ignore[assignment]
        for wait in (10, 20, 30):
            scene.come_back(not_before=time.time_ns() // 1_000_000 + wait)
        await asyncio.sleep(0.2)

        assert len(scene.gstv.posts) == (1 if outcome is None else 2)
        assert loop.timers <= 3
        scene.gstv.answer(Answer(200))
        await turns()
        assert scene.gstv.open[0].attempt == 2

    asyncio.run(scenario())


def test_paused_the_hold_wakes_nothing() -> None:
    """Once paused, the end of a hold starts no attempt."""

    async def scenario() -> None:
        scene = Scene()
        scene.arrive(EVENT)
        scene.gstv.answer(REFUSED)
        scene.forwarder.pause()
        await asyncio.sleep(0.8)

        assert len(scene.gstv.posts) == 1
        await scene.forwarder.aclose()

    asyncio.run(scenario())
