import asyncio
import json
import logging
from typing import Any

import pytest

from pop_stream.pop.identity import notification_id
from pop_stream.pop.notification import NotificationStyle
from pop_stream.pop.outcome import Answer, NoAnswer, Outcome, Trouble
from pop_stream.stream.handoff import Handoff
from pop_stream.stream.notifier import Notifier
from pop_stream.watch.tally import Tally
from tests.unit.stream.fakes import (
    FAILURE,
    NOTIFICATIONS,
    Aborted,
    Arrivals,
    FakeGstv,
    FakeKafka,
    NotedAbort,
    turns,
    until,
)
from tests.unit.stream.scene import EVENT, NO_EVENT, POP_ID


class Scene:
    """A notifier among its neighbours. Make it in a running loop."""

    def __init__(self, *, url: bool = False, max_in_flight: int = 64, **style: Any) -> None:
        self.arrivals = Arrivals()
        self.kafka = FakeKafka()
        self.gstv = FakeGstv(max_in_flight)
        self.abort = NotedAbort()
        self.tally = Tally()
        self.handoff = Handoff(self.kafka.confirm, self.kafka.confirm_together, self.abort)
        self.notifier = Notifier(
            NotificationStyle(**style),
            topic=NOTIFICATIONS,
            handoff=self.handoff,
            tally=self.tally,
            abort=self.abort,
            make_poster=self.gstv.make if url else None,
        )

    def park(
        self,
        *values: bytes | None,
        key: bytes | None = b"k",
        pop_id: str = POP_ID,
        redrives: bytes | None = None,
    ) -> None:
        """Let events arrive from the failure topic."""
        headers = [("pop-id", pop_id.encode()), ("foreign", b"x"), ("pop-error", b"why")]
        if redrives is not None:
            headers.append(("pop-redrives", redrives))
        self.notifier.take(self.arrivals.run(FAILURE, *values, headers=headers, key=key))


@pytest.mark.parametrize(("redrives", "told"), [(None, 1), (b"0", 1), (b"1", 0), (b"12", 0)])
def test_an_event_that_fails_again_after_a_redrive_is_not_told_of_again(
    redrives: bytes | None, told: int
) -> None:
    """GSTV knows of it since it was parked for the first time."""

    async def scenario() -> None:
        scene = Scene()
        scene.park(EVENT, redrives=redrives)
        await until(lambda: scene.arrivals.ledger.finished == 1)
        assert len(scene.kafka.confirmed) == told

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("value", "key"), [(EVENT, b"s-1/2"), (NO_EVENT, b"k"), (None, b"k"), (b"", b"k")]
)
def test_each_parked_event_is_told_of(value: bytes | None, key: bytes) -> None:
    """One notification, in the owner's form, under the screen's key or the event's own."""

    async def scenario() -> None:
        scene = Scene()
        scene.park(value)
        await until(lambda: scene.arrivals.commit(FAILURE) == 1)

        (told,) = scene.kafka.confirmed
        assert (told.topic, told.key) == (NOTIFICATIONS, key)
        assert told.headers == [("pop-id", POP_ID.encode())]
        assert json.loads(told.value or b"") == {
            "id": notification_id(POP_ID),
            "notificationType": "MEDIA_POP_FAILED",
            "status": "failure",
            "additionalInformation": "Failed to post POP",
        }
        assert scene.tally.failure_notifications == {("topic", "sent"): 1}
        assert scene.tally.events_received == {("failure",): 1}
        assert scene.notifier.in_flight == 0

    asyncio.run(scenario())


def test_the_style_is_the_operators() -> None:
    """Type and profile are those of the settings."""

    async def scenario() -> None:
        scene = Scene(type="POP", profile="extended")
        scene.park(EVENT)
        await until(lambda: scene.kafka.confirmed)

        told = json.loads(scene.kafka.confirmed[0].value or b"")
        assert (told["notificationType"], told["siteId"]) == ("POP", "s-1")

    asyncio.run(scenario())


def test_the_offset_waits_for_the_brokers_answer() -> None:
    """A notification that is not confirmed is none: the parked event stays uncommitted."""

    async def scenario() -> None:
        scene = Scene()
        scene.kafka.refuse(1)
        scene.kafka.answers.clear()
        scene.park(EVENT)
        await until(lambda: scene.kafka.tries == 2)

        assert scene.arrivals.commit(FAILURE) is None
        assert scene.tally.failure_notifications == {}

        scene.kafka.answers.set()
        await until(lambda: scene.arrivals.commit(FAILURE) == 1)

    asyncio.run(scenario())


def test_an_event_that_fails_again_is_told_of_under_the_same_id(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The id is the event's, whatever has become of its place and its value meanwhile."""

    async def scenario() -> list[str]:
        scene = Scene()
        scene.park(EVENT)
        scene.park(NO_EVENT, key=None, pop_id=POP_ID.upper())
        await until(lambda: scene.arrivals.commit(FAILURE) == 2)
        return [json.loads(told.value or b"")["id"] for told in scene.kafka.confirmed]

    caplog.set_level(logging.INFO)

    assert set(asyncio.run(scenario())) == {notification_id(POP_ID)}
    assert [line.message for line in caplog.records] == ["failure.notified"]
    assert "GSTV.a.webm" not in str([line.__dict__ for line in caplog.records])


def test_with_a_url_the_offset_waits_for_its_answer_too() -> None:
    """The topic first, then the URL with the same bytes; only then may the offset go."""

    async def scenario() -> None:
        scene = Scene(url=True)
        scene.park(EVENT)
        await until(lambda: scene.gstv.open)

        assert scene.arrivals.commit(FAILURE) is None
        assert scene.notifier.in_flight == 1

        post = scene.gstv.answer(Answer(204))

        assert post.body == scene.kafka.confirmed[0].value
        assert (post.pop_id, post.attempt) == (POP_ID, 1)
        assert scene.arrivals.commit(FAILURE) == 1
        assert scene.tally.failure_notifications == {("topic", "sent"): 1, ("url", "sent"): 1}

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "outcome", [Answer(500), Answer(409), Answer(301), NoAnswer(Trouble.CONNECT, sent=False)],
    ids=str,
)  # fmt: skip
def test_a_call_that_fails_is_made_again(outcome: Outcome) -> None:
    """Nothing but a 2xx confirms a call; the record on the topic is not written again."""

    async def scenario() -> None:
        scene = Scene(url=True)
        scene.park(EVENT)
        await until(lambda: scene.gstv.open)
        scene.gstv.answer(outcome)

        assert scene.arrivals.commit(FAILURE) is None
        await until(lambda: scene.gstv.open)
        assert scene.gstv.answer(Answer(200)).attempt == 2
        assert scene.arrivals.commit(FAILURE) == 1
        assert len(scene.kafka.confirmed) == 1
        assert scene.tally.failure_notifications["url", "error"] == 1

    asyncio.run(scenario())


def test_no_more_calls_are_made_at_once_than_the_client_takes() -> None:
    """The others wait for an answer, in the order in which they were written."""

    async def scenario() -> None:
        scene = Scene(url=True, max_in_flight=2)
        scene.park(*[EVENT] * 7)
        await until(lambda: len(scene.kafka.confirmed) == 7)
        await turns()
        for left in range(7, 0, -1):
            assert len(scene.gstv.open) == min(2, left)
            scene.gstv.answer(Answer(200))

        assert scene.gstv.most_in_flight == 2
        assert scene.arrivals.commit(FAILURE) == 7

    asyncio.run(scenario())


def test_after_a_revocation_nothing_is_called_again() -> None:
    """A failed call of a partition that is gone is left to its next owner."""

    async def scenario() -> None:
        scene = Scene(url=True, max_in_flight=1)
        scene.park(EVENT, EVENT)
        await until(lambda: scene.gstv.open)
        scene.arrivals.assign()
        scene.gstv.answer(Answer(500))
        await asyncio.sleep(1.3)

        assert len(scene.gstv.posts) == 1
        assert scene.arrivals.ledger.unfinished == 0
        assert scene.abort.reasons == []

    asyncio.run(scenario())


def test_closing_leaves_what_is_not_confirmed_unfinished() -> None:
    """Calls that we end ourselves confirm nothing."""

    async def scenario() -> None:
        scene = Scene(url=True, max_in_flight=1)
        scene.park(EVENT, EVENT)
        await until(lambda: len(scene.kafka.confirmed) == 2)
        scene.notifier.pause()
        await scene.notifier.aclose()
        await turns()

        assert scene.arrivals.commit(FAILURE) is None
        assert scene.arrivals.ledger.unfinished == 2
        assert scene.abort.reasons == []

    asyncio.run(scenario())


def test_an_unexpected_error_ends_the_process() -> None:
    """An exception at an answer is not swallowed by the loop."""

    async def scenario() -> None:
        scene = Scene(url=True)
        scene.park(EVENT)
        await until(lambda: scene.gstv.open)
        scene.notifier._tally = None
        with pytest.raises(Aborted, match="notification's answer"):
            scene.gstv.answer(Answer(200))

        assert scene.abort.reasons == ["unexpected AttributeError in a notification's answer"]

    asyncio.run(scenario())
