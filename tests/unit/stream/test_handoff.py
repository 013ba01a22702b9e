import asyncio
import hashlib
import logging
import time

import pytest
from aiokafka.errors import (
    KafkaError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    NotEnoughReplicasError,
)

from pop_stream.pop.trail import Headers
from pop_stream.stream.claim import Claim, Stage, claims_of
from pop_stream.stream.handoff import Handoff, Outgoing
from tests.unit.stream.fakes import EVENTS, RETRY, Arrivals, FakeKafka, NotedAbort, turns, until

OUTGOING = Outgoing(topic=RETRY, key=b"k", value=b"canary-5e1d", headers=[("a", b"\x00")])


class Scene:
    """A hand-off between a ledger and a Kafka, and what it has told."""

    def __init__(self) -> None:
        self.kafka = FakeKafka()
        self.abort = NotedAbort()
        self.handoff = Handoff(self.kafka.confirm, self.kafka.confirm_together, self.abort)
        self.arrivals = Arrivals()
        self.done: list[Claim] = []

    def start(self, count: int = 1) -> list[Claim]:
        claims = claims_of(self.arrivals.run(EVENTS, *[b"x"] * count), Stage.FORWARD)
        for claim in claims:
            self.handoff.start(claim, OUTGOING, self.done.append)
        return claims


class Together(Scene):
    """The same for hand-offs that are gathered."""

    def start(self, count: int = 1) -> list[Claim]:
        claims = claims_of(self.arrivals.run(EVENTS, *[b"x"] * count), Stage.FORWARD)
        for claim in claims:
            self.handoff.gather(claim, RETRY, lambda: OUTGOING, self.done.append)
        return claims


def test_what_is_gathered_is_written_together() -> None:
    """One write for all, and nothing is done before its answer."""

    async def scenario() -> None:
        scene = Together()
        scene.kafka.answers.clear()
        claims = scene.start(3)
        claims += scene.start(2)

        assert scene.handoff.in_progress == 5
        await until(lambda: scene.kafka.tries)
        await turns()
        assert scene.done == []
        assert scene.handoff.in_progress == 5
        assert scene.handoff.unanswered_for(time.monotonic() + 5) > 4

        scene.kafka.answers.set()
        await until(lambda: scene.handoff.in_progress == 0)

        assert scene.kafka.tries == 1
        assert scene.done == claims
        assert len(scene.kafka.confirmed) == 5

    asyncio.run(scenario())


@pytest.mark.parametrize("error", [KafkaError, MessageSizeTooLargeError])
def test_what_cannot_be_written_together_is_written_one_by_one(
    error: type[KafkaError], caplog: pytest.LogCaptureFixture
) -> None:
    """So one that no topic takes keeps no other back."""

    async def scenario() -> None:
        scene = Together()
        scene.kafka.errors = [error()]
        claims = scene.start(3)
        await until(lambda: scene.handoff.in_progress == 0)

        assert scene.kafka.tries == 4
        assert sorted(scene.done, key=id) == sorted(claims, key=id)
        assert scene.abort.reasons == []

    asyncio.run(scenario())

    (told,) = caplog.records
    assert told.message == "handoff.unconfirmed"
    assert told.__dict__["events"] == 3


def test_of_what_is_gathered_only_what_is_still_ours_is_written() -> None:
    """The next owner writes the rest."""

    async def scenario() -> None:
        scene = Together()
        scene.start(3)
        scene.arrivals.ledger.close()
        await until(lambda: scene.handoff.in_progress == 0)

        assert scene.kafka.tries == 0
        assert scene.done == []

    asyncio.run(scenario())


def test_an_unexpected_error_of_what_is_gathered_ends_the_process() -> None:
    """As with a single one."""

    async def scenario() -> None:
        scene = Together()
        scene.kafka.errors = [TypeError("no header may be an int")]
        scene.start(2)
        await until(lambda: scene.abort.reasons)

        assert scene.abort.reasons == ["unexpected TypeError in hand-off"]
        assert scene.done == []

    asyncio.run(scenario())


def test_closing_drops_what_is_gathered() -> None:
    """It stays unfinished."""

    async def scenario() -> None:
        scene = Together()
        scene.start(2)
        await scene.handoff.aclose()

        assert scene.handoff.in_progress == 0
        await asyncio.sleep(0.05)
        assert scene.kafka.tries == 0
        assert scene.arrivals.ledger.unfinished == 2

    asyncio.run(scenario())


def test_a_hand_off_counts_only_once_the_broker_has_the_record() -> None:
    """While the broker is silent nothing is done; with its answer the claim is."""

    async def scenario() -> None:
        scene = Scene()
        scene.kafka.answers.clear()
        (claim,) = scene.start()
        await until(lambda: scene.kafka.tries)
        await turns()

        assert scene.done == []
        assert scene.handoff.in_progress == 1

        scene.kafka.answers.set()
        await until(lambda: scene.done)

        assert scene.done == [claim]
        assert scene.kafka.confirmed == [OUTGOING]
        await until(lambda: scene.handoff.in_progress == 0)

    asyncio.run(scenario())


@pytest.mark.parametrize("error", [KafkaError, KafkaTimeoutError, NotEnoughReplicasError])
def test_an_unconfirmed_record_is_written_again(
    error: type[KafkaError], caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever Kafka's trouble, the record is written until it is confirmed, and told of once."""

    async def scenario() -> None:
        scene = Scene()
        scene.kafka.errors = [error(), error()]
        scene.start()
        await until(lambda: scene.done)

        assert scene.kafka.tries == 3
        assert len(scene.kafka.confirmed) == len(scene.done) == 1
        assert scene.abort.reasons == []

    caplog.set_level(logging.DEBUG)
    asyncio.run(scenario())
    told = [line for line in caplog.records if line.message == "handoff.unconfirmed"]

    assert [line.__dict__["error"] for line in told] == [error.__name__] * 2
    assert "5e1d" not in caplog.text


def test_one_that_is_stuck_keeps_no_other_back() -> None:
    """Hand-offs run side by side."""

    async def scenario() -> None:
        scene = Scene()
        scene.kafka.refuse(1)
        first, *others = scene.start(5)
        await until(lambda: len(scene.done) == 4)

        assert scene.done == others
        await until(lambda: len(scene.done) == 5)

        assert scene.done[-1] is first

    asyncio.run(scenario())


@pytest.mark.parametrize(
    "outgoing",
    [
        Outgoing(topic=RETRY, key=b"k", value=b"v" * 3_000_000, headers=[("pop-trimmed", b"1")]),
        Outgoing(topic=RETRY, key=b"k" * 3_000_000, value=b"v", headers=[]),
        Outgoing(topic=RETRY, key=None, value=None, headers=[("x" * 3_000_000, b"")]),
        Outgoing(topic=RETRY, key=b"k", value=b"v", headers=[("pop-own", b"x" * 3_000_000)]),
        Outgoing(topic=RETRY, key=b"k", value=b"v", headers=[("pop-seq", b"1")] * 500_000),
        Outgoing(topic=RETRY, key=b"k", value=b"v", headers=[("traceparent", b"1" * 3_000_000)]),
    ],
    ids=["forged", "key", "name", "like-ours", "many", "trace"],
)
def test_whatever_is_too_large_the_rest_fits(outgoing: Outgoing) -> None:
    """A player cannot make a record that no topic takes, whichever part of it is huge."""

    async def scenario() -> None:
        scene = Scene()
        taken = []

        async def confirm(topic: str, *, key: bytes, value: bytes, headers: Headers) -> None:
            size = sum(len(name) + len(value or b"") for name, value in headers)
            if size + len(key or b"") + len(value or b"") > 1_000_000:
                raise MessageSizeTooLargeError
            taken.append((topic, headers))

        ours = [("pop-id", b"1"), ("pop-origin", b"t/0/0/1")]
        (claim,) = claims_of(scene.arrivals.run(EVENTS, b"x"), Stage.FORWARD)
        handoff = Handoff(confirm, scene.kafka.confirm_together, scene.abort)
        whole = outgoing._replace(headers=[*outgoing.headers, *ours])
        handoff.start(claim, whole, scene.done.append)
        await until(lambda: scene.done)

        ((topic, headers),) = taken
        assert topic == RETRY
        assert headers[-3:-1] == ours
        assert headers[-1][0] == "pop-trimmed"
        assert headers[-1][1].startswith(b"value ")

    asyncio.run(scenario())


def test_a_record_that_is_too_large_even_trimmed_is_tried_in_peace(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A topic whose limit is far too low is an operator's matter: told, waited for, not spun on."""

    async def scenario() -> None:
        scene = Scene()
        scene.kafka.errors = [MessageSizeTooLargeError() for _ in range(3)]
        scene.start()
        await until(lambda: scene.done)

        assert scene.kafka.tries == 4

    asyncio.run(scenario())

    assert [line.message for line in caplog.records] == [
        "handoff.trimmed", "handoff.unconfirmed", "handoff.unconfirmed"]  # fmt: skip


def test_after_a_revocation_it_is_not_written_again() -> None:
    """The event's next owner will write it."""

    async def scenario() -> None:
        scene = Scene()
        scene.kafka.refuse(1)
        scene.start()
        await until(lambda: scene.kafka.tries)
        scene.arrivals.ledger.close()
        await until(lambda: scene.handoff.in_progress == 0)

        assert scene.kafka.tries == 1
        assert scene.done == []
        assert scene.abort.reasons == []

    asyncio.run(scenario())


def test_an_unexpected_error_ends_the_process() -> None:
    """What is no trouble of Kafka's is a fault of ours: nothing is known of the event then."""

    async def scenario() -> None:
        scene = Scene()
        scene.kafka.errors = [TypeError("no header may be an int")]
        scene.start()
        await until(lambda: scene.abort.reasons)

        assert scene.abort.reasons == ["unexpected TypeError in hand-off"]
        assert scene.done == []

    asyncio.run(scenario())


def test_an_error_of_an_event_that_is_no_longer_ours_ends_nothing() -> None:
    """A producer that was stopped with the partition gone is not a fault."""

    async def scenario() -> None:
        scene = Scene()
        (claim,) = claims_of(scene.arrivals.run(EVENTS, b"x"), Stage.FORWARD)

        async def confirm(*_: object, **__: object) -> None:
            scene.arrivals.ledger.close()
            raise RuntimeError("the producer is stopped")

        handoff = Handoff(confirm, scene.kafka.confirm_together, scene.abort)
        handoff.start(claim, OUTGOING, scene.done.append)
        await until(lambda: handoff.in_progress == 0)

        assert scene.abort.reasons == []
        assert scene.done == []

    asyncio.run(scenario())


def test_closing_stops_the_writing() -> None:
    """What is unconfirmed stays unfinished, whether it waits for the broker or for its next try."""

    async def scenario() -> None:
        scene = Scene()
        scene.kafka.refuse(1)
        scene.kafka.answers.clear()
        scene.start(3)
        await until(lambda: scene.kafka.tries == 3)
        await scene.handoff.aclose()
        scene.kafka.answers.set()
        await turns()

        assert scene.handoff.in_progress == 0
        assert scene.done == []
        assert scene.arrivals.ledger.unfinished == 3
        assert scene.abort.reasons == []

    asyncio.run(scenario())


def test_a_record_too_large_for_the_next_topic_does_not_stand_in_the_way_for_good() -> None:
    """It goes on trimmed, with the digest of the whole, which stays where it came from."""

    async def scenario() -> None:
        scene = Scene()
        scene.kafka.errors = [MessageSizeTooLargeError()]
        (claim,) = claims_of(scene.arrivals.run(EVENTS, b"x"), Stage.FORWARD)
        whole = Outgoing(
            topic=RETRY,
            key=b"k",
            value=b"v" * 3_000_000,
            headers=[("big", b"y" * 100_000), ("pop-origin", b"t/0/0/1")],
        )
        scene.handoff.start(claim, whole, scene.done.append)
        await until(lambda: scene.done)

        (written,) = scene.kafka.confirmed
        headers = dict(written.headers)
        digest = hashlib.sha256(b"v" * 3_000_000).hexdigest()
        assert written.value == b"v" * 65_536
        assert headers == {
            "pop-origin": b"t/0/0/1",
            "pop-trimmed": f"value 3000000 bytes, sha256 {digest}, headers 2".encode(),
        }

    asyncio.run(scenario())
