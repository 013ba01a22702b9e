"""ORDER=screen: of each screen one event at a time, in order."""

import asyncio
from collections import defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st

from pop_stream.pop.backoff import Backoff
from pop_stream.pop.outcome import Answer, NoAnswer, Outcome, Trouble
from pop_stream.stream.claim import Stage
from tests.unit.stream.fakes import EVENTS, FAILURE, RETRY, header, turns, until
from tests.unit.stream.scene import EVENT, NO_EVENT, Scene

ONE, TWO = b"s-1/1", b"s-1/2"
AT_ONCE = Backoff((0.0,))


def test_a_screens_next_event_waits_for_the_one_before() -> None:
    """Others do not wait for it: each screen has one event under way."""

    async def scenario() -> None:
        scene = Scene(order="screen")
        scene.arrive(EVENT, EVENT, key=ONE)
        scene.arrive(EVENT, key=TWO)

        assert [post.token.record.key for post in scene.gstv.open] == [ONE, TWO]
        scene.gstv.answer(Answer(200))
        await turns(2)
        assert [post.token.record.key for post in scene.gstv.open] == [TWO, ONE]
        scene.gstv.answer_all(Answer(200))
        await turns(2)
        assert scene.arrivals.commit(EVENTS) == 3

    asyncio.run(scenario())


def test_while_an_event_waits_for_its_retry_so_do_those_behind_it() -> None:
    """It waits where it is, for on the retry topic they would overtake it."""

    async def scenario() -> None:
        scene = Scene(order="screen", backoff=Backoff((0.1,)))
        scene.arrive(EVENT, EVENT, key=ONE)
        scene.arrive(EVENT, EVENT, key=TWO)
        scene.gstv.answer(Answer(500))
        await turns(2)
        scene.gstv.answer(Answer(200))
        await turns(2)

        assert [post.token.record.key for post in scene.gstv.open] == [TWO]
        await until(lambda: len(scene.gstv.open) == 2)
        again = scene.gstv.open[1]
        assert (again.token.record.key, again.token.index, again.attempt) == (ONE, 0, 2)
        assert scene.kafka.on(RETRY) == []
        assert scene.tally.retries_scheduled == {("transient",): 1}

    asyncio.run(scenario())


def test_out_of_retries_an_event_is_parked_and_the_next_goes() -> None:
    """With all that it has been through in its headers; not before Kafka has confirmed it."""

    async def scenario() -> None:
        scene = Scene(order="screen", retries=2, backoff=AT_ONCE)
        scene.arrive(EVENT, EVENT, key=ONE)
        scene.kafka.answers.clear()
        for attempt in (1, 2, 3):
            await until(lambda: scene.gstv.open)
            assert scene.gstv.answer(Answer(422)).attempt == attempt
        await turns()
        assert scene.gstv.open == []
        scene.kafka.answers.set()
        await until(lambda: scene.gstv.open)

        (parked,) = scene.kafka.on(FAILURE)
        assert header(parked, "pop-attempt") == "3"
        assert header(parked, "pop-first-failed-at") is not None
        assert scene.gstv.open[0].token.index == 1

    asyncio.run(scenario())


def test_a_quarantined_event_lets_the_next_one_go() -> None:
    """What cannot be posted is handed on, and holds up nobody."""

    async def scenario() -> None:
        scene = Scene(order="screen")
        scene.arrive(NO_EVENT, EVENT, key=ONE)
        await until(lambda: scene.gstv.open)

        assert scene.gstv.open[0].token.index == 1

    asyncio.run(scenario())


def test_events_without_a_key_wait_for_none() -> None:
    """They belong to no screen."""

    async def scenario() -> None:
        scene = Scene(order="screen")
        scene.arrive(EVENT, EVENT, EVENT, key=None)

        assert len(scene.gstv.open) == 3

    asyncio.run(scenario())


def test_a_new_assignment_begins_anew() -> None:
    """What waited behind an event of an earlier assignment waits for it no more."""

    async def scenario() -> None:
        scene = Scene(order="screen")
        scene.arrive(EVENT, EVENT, key=ONE)
        scene.forwarder.pause()
        scene.revoke()
        scene.arrivals.assign()
        scene.forwarder.resume()
        scene.arrive(EVENT, EVENT, key=ONE)
        assert len(scene.gstv.open) == 2
        scene.gstv.answer(Answer(200))
        await turns(2)

        assert [post.token.index for post in scene.gstv.open] == [0]
        scene.gstv.answer(Answer(200))
        await turns(2)
        assert [post.token.index for post in scene.gstv.open] == [1]

    asyncio.run(scenario())


def test_an_event_that_arrives_during_a_drain_holds_up_no_screen() -> None:
    """It is let go with its partition; the screen's next event may go in the next assignment."""

    async def scenario() -> None:
        scene = Scene(order="screen")
        scene.forwarder.pause()
        scene.arrive(EVENT, key=ONE)
        scene.revoke()
        scene.arrivals.assign()
        scene.forwarder.resume()
        scene.arrive(EVENT, key=ONE)

        assert len(scene.gstv.open) == 1

    asyncio.run(scenario())


def test_an_event_that_arrives_after_its_partition_went_holds_up_no_screen() -> None:
    """A run may be on its way to the agent when its partition goes."""

    async def scenario() -> None:
        scene = Scene(order="screen")
        late = scene.arrivals.run(EVENTS, EVENT, key=ONE)
        scene.revoke()
        scene.arrivals.assign()
        scene.forwarder.resume()
        scene.forwarder.take(late, Stage.FORWARD)
        scene.arrive(EVENT, key=ONE)

        assert len(scene.gstv.open) == 1

    asyncio.run(scenario())


OUTCOMES: list[Outcome] = [
    Answer(200), Answer(200), Answer(200), Answer(500), Answer(422),
    NoAnswer(Trouble.RESET, sent=True),
]  # fmt: skip


@settings(deadline=None, max_examples=40)
@given(st.lists(st.sampled_from([b"1", b"2", b"3"]), min_size=1, max_size=20), st.data())
def test_whatever_happens_a_screens_events_go_in_order(
    keys: list[bytes], data: st.DataObject
) -> None:
    """One at a time; each is delivered or parked before the next is attempted, and none is left."""

    async def scenario() -> None:
        scene = Scene(order="screen", max_in_flight=4, retries=1, backoff=AT_ONCE)
        for key in keys:
            scene.arrive(EVENT, key=key)
        for _ in range(40 * len(keys)):
            if scene.arrivals.commit(EVENTS) == len(keys):
                break
            await turns(4)
            open_keys = [post.token.record.key for post in scene.gstv.open]
            assert len(open_keys) == len(set(open_keys))
            if scene.gstv.open:
                index = data.draw(st.integers(0, len(open_keys) - 1))
                scene.gstv.answer(data.draw(st.sampled_from(OUTCOMES)), index)
            else:
                await asyncio.sleep(0.002)
        assert scene.arrivals.commit(EVENTS) == len(keys)
        seen = defaultdict(list)
        for post in scene.gstv.posts:
            seen[post.token.record.key].append(post.token.record.offset)
        assert all(offsets == sorted(offsets) for offsets in seen.values())
        assert scene.kafka.on(RETRY) == []

    asyncio.run(scenario())
