"""When nothing can be delivered: events keep their place, and are attempted again."""

import asyncio
import logging
import time

import pytest

from pop_stream.pop.outcome import Answer, NoAnswer, Outcome, Trouble
from pop_stream.stream import gate, pacer
from tests.unit.stream.fakes import (
    EVENTS,
    FAILURE,
    RETRY,
    CountingLoop,
    SteppingClock,
    turns,
    until,
)
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
    Answer(429, "0"),
    Answer(503, "0"),
]


#: Counted, when GSTV merely fails some events.
FAILURES: list[Outcome] = [
    Answer(503),
    Answer(404),
    Answer(422),
    NoAnswer(Trouble.TIMEOUT, sent=True),
    NoAnswer(Trouble.RESET, sent=True),
]


def arrive_from_screens(scene: Scene, number: int) -> None:
    """Let an event of each of so many screens arrive."""
    for screen in range(number):
        scene.arrive(EVENT, key=b"s-1/%d" % screen)


@pytest.mark.parametrize("outcome", HOLDS, ids=str)
def test_an_attempt_that_does_not_count_is_made_again(
    outcome: Outcome, caplog: pytest.LogCaptureFixture
) -> None:
    """No retry is spent: the event keeps its place, and the next attempt has the same number."""

    async def scenario() -> None:
        scene = Scene(retries=0)
        scene.arrive(EVENT)
        first = scene.gstv.answer(outcome)
        await turns(1)

        assert scene.tally.circuit_open
        assert sum(scene.tally.attempts_held.values()) == 1

        await until(lambda: scene.gstv.open)
        second = scene.gstv.answer(Answer(200))
        await turns(1)

        assert first == second
        assert second.attempt == 1
        assert scene.kafka.tries == 0
        assert scene.arrivals.commit(EVENTS) == 1
        assert not scene.tally.circuit_open

    caplog.set_level(logging.INFO)
    asyncio.run(scenario())

    assert [line.message for line in caplog.records] == ["delivery.held", "delivery.resumed"]


def test_while_nothing_can_be_delivered_one_event_probes() -> None:
    """All that failed together wait; one goes at a time until one succeeds, then more and more."""

    async def scenario() -> None:
        scene = Scene(max_in_flight=8)
        scene.arrive(*[EVENT] * 60)
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

        most = []
        while scene.gstv.open:
            scene.gstv.answer(Answer(200))
            await turns(1)
            most.append(len(scene.gstv.open))
        assert most[:9] == [1] * 9
        assert max(most) == 8
        assert scene.arrivals.commit(EVENTS) == 62
        assert {post.attempt for post in scene.gstv.posts} == {1}

    asyncio.run(scenario())


@pytest.mark.parametrize("outcome", FAILURES, ids=str)
def test_an_outage_spends_no_attempts(outcome: Outcome) -> None:
    """GSTV fails everything: the first few show it, and none of the others is spent on it."""

    async def scenario() -> None:
        scene = Scene()
        arrive_from_screens(scene, 64)
        for _ in range(10):
            scene.gstv.answer_all(outcome)
            await turns(1)
            await asyncio.sleep(0.01)
        assert scene.tally.circuit_open
        assert scene.gstv.open == []

        counted = sum(scene.tally.retries_scheduled.values()) + sum(
            scene.tally.failed_events.values()
        )
        await until(lambda: len(scene.kafka.on(RETRY)) == 15)
        assert counted <= 15
        assert scene.kafka.on(FAILURE) == []

    asyncio.run(scenario())


def test_what_was_under_way_when_an_outage_showed_is_put_back() -> None:
    """Its failure came of the outage, so its attempt does not count."""

    async def scenario() -> None:
        scene = Scene(max_in_flight=64, retries=0)
        arrive_from_screens(scene, 16)
        for _ in range(15):
            scene.gstv.answer(Answer(503))
        scene.gstv.answer(Answer(503))
        await turns(1)
        await until(lambda: scene.gstv.open)

        assert scene.gstv.open[0].attempt == 1
        await until(lambda: len(scene.kafka.on(FAILURE)) == 15)
        assert scene.tally.attempts_held == {("transient",): 1}

    asyncio.run(scenario())


def test_bad_events_among_good_ones_hold_nothing() -> None:
    """Half of the events fail, in turn with the others: they go to the retry topic."""

    async def scenario() -> None:
        scene = Scene(max_in_flight=1)
        arrive_from_screens(scene, 100)
        for number in range(100):
            scene.gstv.answer(Answer(500 if number % 2 else 200))
            await turns(1)

        assert not scene.tally.circuit_open
        await until(lambda: len(scene.kafka.on(RETRY)) == 50)

    asyncio.run(scenario())


def test_one_screens_events_may_all_be_bad() -> None:
    """With no other in sight they are its events, not GSTV: they go to the retry topic."""

    async def scenario() -> None:
        scene = Scene(max_in_flight=1)
        scene.arrive(*[EVENT] * 40)
        for _ in range(40):
            scene.gstv.answer(Answer(500))
            await turns(1)

        assert not scene.tally.circuit_open
        await until(lambda: len(scene.kafka.on(RETRY)) == 40)

    asyncio.run(scenario())


def test_a_429_that_names_no_time_is_answered_with_a_slower_pace() -> None:
    """The event is the next again, its attempt does not count, and nothing else is held."""

    async def scenario() -> None:
        scene = Scene(retries=0)
        scene.arrive(EVENT)
        scene.gstv.answer(Answer(429))
        await turns(1)

        assert not scene.tally.circuit_open
        assert scene.tally.attempts_held == {("slow-down",): 1}
        assert scene.forwarder.events_per_second_limit == pytest.approx(1.0)
        await until(lambda: scene.gstv.open)
        assert scene.gstv.open[0].attempt == 1

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


@pytest.mark.parametrize(
    ("outcome", "is_back"),
    [(Answer(422), True), (Answer(500), False), (Answer(404), False)],
    ids=str,
)
def test_a_probe_that_is_judged_counts(outcome: Outcome, *, is_back: bool) -> None:
    """It goes to the retry topic. A refusal shows besides that GSTV reads events again."""

    async def scenario() -> None:
        scene = Scene(max_in_flight=4)
        scene.arrive(EVENT, EVENT, EVENT)
        scene.gstv.answer_all(REFUSED)
        await turns(1)
        await until(lambda: scene.gstv.open)
        scene.gstv.answer(outcome)
        await turns(1)

        assert len(scene.gstv.open) == (1 if is_back else 0)
        assert scene.tally.circuit_open is not is_back
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

        scene.gstv.answer(Answer(200))
        await turns(1)
        scene.gstv.answer(Answer(200))
        assert sorted(post.attempt for post in scene.gstv.posts) == [1, 1, 2]

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
        await turns(1)
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


def test_a_pace_whose_time_comes_between_two_looks_at_the_clock_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No room at the first look, room at the second: the event still wakes us."""
    clock = SteppingClock(100.0)
    monkeypatch.setattr(pacer, "time", clock)

    async def scenario() -> None:
        scene = Scene()
        scene.arrive(EVENT)
        scene.gstv.answer(Answer(429))
        await turns(1)
        scene.gstv.answer(Answer(200))
        scene.arrive(EVENT)
        await turns(1)
        assert scene.gstv.open == []
        clock.then(100.0, 200.0)
        scene.arrive(EVENT)

        await until(lambda: scene.gstv.open)

    asyncio.run(scenario())
