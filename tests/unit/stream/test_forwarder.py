"""Each event's way to a durable outcome, and when its offset may be committed."""

import asyncio
import logging
import time

import pytest

from pop_stream.pop.outcome import Answer, NoAnswer, Trouble
from tests.unit.stream.fakes import EVENTS, FAILURE, RETRY, header, turns, until
from tests.unit.stream.scene import EVENT, NO_EVENT, POP_ID, Scene


def test_a_delivered_event_is_finished_and_nothing_is_written() -> None:
    """With GSTV's success the offset may be committed, and the event has no other trace."""

    async def scenario() -> None:
        scene = Scene()
        scene.arrive(EVENT, headers=[("pop-id", POP_ID.encode())])

        assert scene.arrivals.commit(EVENTS) is None

        post = scene.gstv.answer(Answer(200))
        await turns()

        assert (post.body, post.pop_id, post.attempt) == (EVENT, POP_ID, 1)
        assert scene.arrivals.commit(EVENTS) == 1
        assert scene.kafka.tries == 0
        assert scene.tally.events_completed == {("delivered",): 1}
        assert scene.tally.delivery_attempts == {("1", "delivered"): 1}
        assert sum(scene.tally.delivery_delay_seconds.counts) == 1

    asyncio.run(scenario())


def test_events_in_flight_hold_the_commit_back() -> None:
    """Whatever finishes first, the commit ends at the first event without an outcome."""

    async def scenario() -> None:
        scene = Scene()
        scene.arrive(EVENT, EVENT, EVENT)
        scene.gstv.answer(Answer(200), 2)
        scene.gstv.answer(Answer(200), 1)
        await turns(1)

        assert scene.arrivals.commit(EVENTS) is None

        scene.gstv.answer(Answer(200))
        await turns(1)

        assert scene.arrivals.commit(EVENTS) == 3

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("outcome", "reason", "status", "error"),
    [
        (Answer(500), "transient", "500", None),
        (Answer(422), "rejected", "422", None),
        (NoAnswer(Trouble.TIMEOUT, sent=True, detail="in 10 s"), "transient", None,
         "timeout: in 10 s"),
        (NoAnswer(Trouble.RESET, sent=True), "transient", None, "reset"),
    ],
)  # fmt: skip
def test_a_failed_attempt_goes_over_the_retry_topic(
    outcome: Answer | NoAnswer, reason: str, status: str | None, error: str | None
) -> None:
    """The record there is the event, byte for byte, and tells what it has been through."""

    async def scenario() -> None:
        scene = Scene()
        before = time.time_ns() // 1_000_000
        alias = EVENT.replace(b'"siteId"', b'"tiNumber":"124","siteId"')
        scene.arrive(alias, key=b"\x00k", headers=[("a", b"\xff"), ("pop-attempt", b"999")])
        post = scene.gstv.answer(outcome)
        await until(lambda: scene.kafka.confirmed)
        after = time.time_ns() // 1_000_000

        (written,) = scene.kafka.on(RETRY)
        assert post.body == alias.replace(b"tiNumber", b"ioNumber")
        assert (written.key, written.value) == (b"\x00k", alias)
        assert written.headers[-1] == ("a", b"\xff")
        assert header(written, "pop-id") == post.pop_id
        assert header(written, "pop-attempt") == "1"
        assert header(written, "pop-reason") == reason
        assert header(written, "pop-status") == status
        assert header(written, "pop-error") == error
        assert header(written, "pop-flags") == "other-key"
        assert header(written, "pop-origin") == "events/0/0/1795168800000"
        first = int(header(written, "pop-first-failed-at") or 0)
        assert before <= first <= after
        assert 799 <= int(header(written, "pop-not-before") or 0) - first <= 1_201
        assert scene.tally.retries_scheduled == {(reason,): 1}
        assert scene.tally.events_completed == {}

    asyncio.run(scenario())


def test_a_retry_counts_only_once_the_broker_has_it() -> None:
    """Until the retry topic's record is confirmed the event's own offset stays uncommitted."""

    async def scenario() -> None:
        scene = Scene()
        scene.kafka.answers.clear()
        scene.arrive(EVENT)
        scene.gstv.answer(Answer(500))
        await until(lambda: scene.kafka.tries)
        await turns()

        assert scene.arrivals.commit(EVENTS) is None
        assert scene.tally.retries_scheduled == {}

        scene.kafka.answers.set()
        await until(lambda: scene.arrivals.commit(EVENTS) == 1)

        assert scene.tally.retries_scheduled == {("transient",): 1}

    asyncio.run(scenario())


@pytest.mark.parametrize("retries", [0, 3])
def test_after_the_last_retry_the_event_is_parked(
    retries: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Exactly the first attempt and the retries are made: then the failure topic has it, once."""

    async def scenario() -> None:
        scene = Scene(retries=retries)
        for attempts in range(retries):
            scene.come_back(attempts=attempts)
            scene.gstv.answer(Answer(503))
            await until(lambda n=attempts: len(scene.kafka.on(RETRY)) == n + 1)
        scene.come_back(attempts=retries, x=b"y")
        post = scene.gstv.answer(Answer(503))
        await until(lambda: scene.kafka.on(FAILURE))

        (parked,) = scene.kafka.on(FAILURE)
        assert post.attempt == retries + 1
        assert parked.value == EVENT
        assert header(parked, "pop-attempt") == str(retries + 1)
        assert header(parked, "pop-not-before") is None
        assert header(parked, "pop-reason") == "transient"
        assert header(parked, "pop-origin") == "events/0/7/1795168800000"
        assert header(parked, "x") == "y"
        assert scene.tally.events_completed == {("failed",): 1}
        assert scene.tally.failed_events == {("transient",): 1}
        assert scene.arrivals.commit(RETRY) == retries + 1

    caplog.set_level(logging.WARNING)
    asyncio.run(scenario())
    (told,) = caplog.records

    assert told.message == "delivery.gave_up"
    assert told.__dict__["attempts"] == retries + 1


@pytest.mark.parametrize("attempts", [0, 2])
def test_what_cannot_be_posted_is_quarantined_at_once(
    attempts: int, caplog: pytest.LogCaptureFixture
) -> None:
    """No attempt is made and none is counted; the failure topic has the original bytes."""

    async def scenario() -> None:
        scene = Scene()
        scene.come_back(NO_EVENT, attempts=attempts)
        await until(lambda: scene.kafka.on(FAILURE))

        (parked,) = scene.kafka.on(FAILURE)
        assert scene.gstv.posts == []
        assert parked.value == NO_EVENT
        assert header(parked, "pop-reason") == "quarantined:not-json"
        assert header(parked, "pop-attempt") == str(attempts)
        assert scene.tally.events_completed == {("quarantined",): 1}
        assert scene.tally.failed_events == {("quarantined",): 1}
        assert scene.arrivals.commit(RETRY) == 1

    asyncio.run(scenario())

    assert NO_EVENT.decode() not in caplog.text


def test_a_quarantined_event_keeps_no_other_back() -> None:
    """With room for one attempt, the good ones among many bad ones are attempted all the same."""

    async def scenario() -> None:
        scene = Scene(max_in_flight=1)
        scene.arrive(NO_EVENT, None, EVENT, b"", EVENT, b"[]")

        assert len(scene.gstv.open) == 1
        scene.gstv.answer(Answer(200))
        await turns(1)
        scene.gstv.answer(Answer(200))
        await turns(1)
        await until(lambda: scene.arrivals.commit(EVENTS) == 6)

        assert len(scene.kafka.on(FAILURE)) == 4

    asyncio.run(scenario())


def test_flags_are_counted_once_with_the_delivery() -> None:
    """An event that was retried is flagged when it is delivered, not each time it is read."""

    async def scenario() -> None:
        scene = Scene()
        odd = EVENT[:-1] + b',"extra":1}'
        scene.arrive(odd, key=None)
        scene.gstv.answer(Answer(500))
        await until(lambda: scene.kafka.on(RETRY))
        (written,) = scene.kafka.on(RETRY)

        assert header(written, "pop-flags") == "extra-fields,no-key"
        assert scene.tally.events_flagged == {}

        scene.come_back(odd)
        scene.gstv.answer(Answer(200))
        await turns(1)

        assert scene.tally.events_flagged == {("extra-fields",): 1}

    asyncio.run(scenario())


def test_no_more_is_attempted_at_once_than_the_client_takes() -> None:
    """Each outcome makes room for one more; events go in the order of their arrival."""

    async def scenario() -> None:
        scene = Scene(max_in_flight=3)
        scene.arrive(*[EVENT] * 10)
        for left in range(10, 0, -1):
            assert len(scene.gstv.open) == min(3, left)
            scene.gstv.answer(Answer(200))
            await turns(1)

        assert scene.gstv.most_in_flight == 3
        assert [post.token.index for post in scene.gstv.posts] == list(range(10))
        assert scene.arrivals.commit(EVENTS) == 10

    asyncio.run(scenario())


def test_an_event_waits_for_its_time_and_others_do_not_wait_for_it() -> None:
    """A retry is attempted when it is due; an event that may go at once goes before it."""

    async def scenario() -> None:
        scene = Scene()
        due = time.time_ns() // 1_000_000 + 150
        scene.come_back(attempts=2, not_before=due + 50)
        scene.come_back(attempts=1, not_before=due)
        scene.arrive(EVENT)

        assert [post.attempt for post in scene.gstv.posts] == [1]
        await until(lambda: len(scene.gstv.posts) == 3)

        assert [post.attempt for post in scene.gstv.posts] == [1, 2, 3]
        assert time.time_ns() // 1_000_000 >= due + 50

    asyncio.run(scenario())


def test_an_unexpected_error_ends_the_process() -> None:
    """An exception while an event is settled is not swallowed by the loop."""

    async def scenario() -> None:
        scene = Scene()
        scene.arrive(EVENT)
        scene.forwarder._deliveries = None  # type: ignore[assignment] # a fault of ours, any one
        scene.gstv.answer(Answer(200))
        await turns(1)

        assert scene.abort.reasons == ["unexpected AttributeError in settling events"]

    asyncio.run(scenario())
