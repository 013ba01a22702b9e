"""Delivery receipts: nothing that was delivered is committed before the broker has its receipt."""

import asyncio
import logging
import time
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.errors import KafkaError

from pop_stream.pop.done_map import decode_done
from pop_stream.pop.outcome import Answer
from pop_stream.pop.receipt import MOST_EVENTS, Delivery, decode_receipt
from pop_stream.stream import receipts
from pop_stream.stream.ledger import Commit, Place
from pop_stream.stream.transport import Consumer
from tests.unit.stream.fakes import EVENTS, FAILURE, RECEIPTS, RETRY, turns, until
from tests.unit.stream.scene import EVENT, POP_ID, Scene

_EVENTS = Place(EVENTS, 0)


@pytest.fixture(autouse=True)
def _in_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that was refused is tried again at once."""
    monkeypatch.setattr(receipts, "_AGAIN_SECONDS", 0.01)


class Committer:
    """Stands in for the consumer: what the transport does about commits is its own code."""

    commit = Consumer.commit
    force_commit = Consumer.force_commit
    wait_empty = Consumer.wait_empty
    trouble = Consumer.trouble
    member_id = "w-1"
    _forget = Consumer._forget
    _is_behind = Consumer._is_behind

    def __init__(self, scene: Scene) -> None:
        self.taken: list[dict[Place, Commit]] = []
        self._host = SimpleNamespace(
            ledger=scene.arrivals.ledger,
            receipts=scene.receipts,
            tally=scene.tally,
            work=SimpleNamespace(drain=lambda: asyncio.sleep(0)),
        )
        self.app = SimpleNamespace(should_stop=False)
        self.should_stop = False
        self._epoch = 0
        self._committing = asyncio.Lock()
        self._thread = self
        self._turned_at = time.monotonic()

    async def commit_all(self, commits: Mapping[Place, Commit]) -> bool:
        self.taken.append(dict(commits))
        return True

    @property
    def offset(self) -> int | None:
        """What is committed of the players' topic."""
        offsets = [each[_EVENTS].offset for each in self.taken if _EVENTS in each]
        return offsets[-1] if offsets else None


class Stage:
    """A forwarder with receipts, and what commits for it. Make it in a running loop."""

    def __init__(self) -> None:
        self.scene = Scene(receipts=True)
        self.gstv, self.kafka = self.scene.gstv, self.scene.kafka
        self.committer = Committer(self.scene)
        self.tally = self.scene.tally
        assert self.scene.receipts is not None
        self.receipts = self.scene.receipts

    @property
    def written(self) -> list[Delivery]:
        """What the receipts on the topic tell of."""
        read = [decode_receipt(each.value) for each in self.kafka.on(RECEIPTS)]
        assert None not in read
        return [one for each in read if each is not None for one in each.deliveries()]

    async def commit(self) -> bool:
        return await self.committer.commit()  # type: ignore[misc]

    def start_commit(self) -> "asyncio.Task[bool]":
        return asyncio.create_task(self.commit())


def test_a_delivery_is_receipted_and_then_committed() -> None:
    """One record, with what is to be known of it, keyed by the place of the player's record."""

    async def scenario() -> None:
        stage = Stage()
        stage.scene.arrive(EVENT, headers=[("pop-id", POP_ID.encode())])
        stage.gstv.answer(Answer(200))
        await turns(1)
        assert await stage.commit()

        (record,) = stage.kafka.on(RECEIPTS)
        read = decode_receipt(record.value)
        assert read is not None
        assert (record.key, record.headers) == (b"events/0", [])
        assert (read.group, read.topic, read.partition) == ("g", EVENTS, 0)
        (one,) = read.deliveries()
        assert (one.offset, one.pop_id, one.attempts) == (0, POP_ID, 1)
        assert one.at_ms > 1_700_000_000_000
        assert stage.committer.offset == 1
        assert stage.tally.delivery_receipts == {("written",): 1}

    asyncio.run(scenario())


def test_nothing_is_committed_while_the_receipt_is_on_its_way() -> None:
    """A kill at any moment until then finds it neither below the commit nor noted beside it."""

    async def scenario() -> None:
        stage = Stage()
        stage.scene.arrive(EVENT, EVENT)
        stage.gstv.answer(Answer(200), 1)
        await turns(1)
        stage.kafka.answers.clear()
        committing = stage.start_commit()
        await turns()
        assert (stage.kafka.tries, stage.committer.taken) == (1, [])

        stage.kafka.answers.set()
        assert await committing
        assert stage.committer.offset == 0
        assert decode_done(*stage.committer.taken[-1][_EVENTS]) == {1}
        assert [one.offset for one in stage.written] == [1]

    asyncio.run(scenario())


def test_what_is_delivered_while_receipts_are_written_waits_for_the_next_commit() -> None:
    """It is in no receipt yet."""

    async def scenario() -> None:
        stage = Stage()
        stage.scene.arrive(EVENT, EVENT, EVENT)
        stage.gstv.answer(Answer(200))
        await turns(1)
        stage.kafka.answers.clear()
        committing = stage.start_commit()
        await turns()
        stage.gstv.answer_all(Answer(200))
        await turns(1)
        stage.kafka.answers.set()

        assert await committing
        assert stage.committer.offset == 1
        assert await stage.commit()
        assert stage.committer.offset == 3
        assert [one.offset for one in stage.written] == [0, 1, 2]

    asyncio.run(scenario())


def test_a_receipt_that_is_refused_is_written_later_and_the_commit_waits(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is told once, not with each try; meanwhile no more is taken."""

    async def scenario() -> None:
        stage = Stage()
        stage.scene.arrive(EVENT, EVENT)
        stage.gstv.answer_all(Answer(200))
        await turns(1)
        stage.kafka.refuse(3)
        for _ in range(3):
            assert not await stage.commit()
            assert stage.committer._is_behind
        assert stage.committer.taken == []
        assert stage.receipts.unwritten == 2

        assert await stage.commit()
        assert stage.committer.offset == 2
        assert not stage.committer._is_behind
        assert [one.offset for one in stage.written] == [0, 1]
        assert stage.tally.delivery_receipts == {("failed",): 3, ("written",): 1}

    with caplog.at_level(logging.WARNING):
        asyncio.run(scenario())
    (said,) = [one for one in caplog.records if one.message == "receipts.unwritten"]
    assert vars(said)["events"] == 2
    assert vars(said)["topic"] == RECEIPTS


def test_that_nothing_is_fetched_for_want_of_receipts_is_no_trouble() -> None:
    """There are records, and none comes: the worker would be ended for it, with a wrong reason."""

    async def scenario() -> None:
        stage = Stage()
        stage.scene.arrive(EVENT)
        stage.gstv.answer(Answer(200))
        await turns(1)
        stage.kafka.refuse(1)
        assert not await stage.commit()
        committer: Any = stage.committer
        committer._continuity = SimpleNamespace(stuck=frozenset({_EVENTS}))
        assert committer.trouble(time.monotonic(), ["w-1"]) is None

        assert await stage.commit()
        assert "none comes: events/0" in committer.trouble(time.monotonic(), ["w-1"])

    asyncio.run(scenario())


def test_of_several_receipts_only_those_that_were_refused_are_written_again() -> None:
    """And none is committed before all are there."""

    async def scenario() -> None:
        stage = Stage()
        stage.scene.arrive(EVENT)
        stage.scene.come_back(EVENT, **{"pop-origin": b"events/7/40/1795168800000"})
        stage.gstv.answer_all(Answer(200))
        await turns(1)
        stage.kafka.refuse(1)
        assert not await stage.commit()
        assert len(stage.kafka.on(RECEIPTS)) == 1
        assert stage.committer.taken == []

        assert await stage.commit()
        assert sorted(each.key or b"" for each in stage.kafka.on(RECEIPTS)) == [
            b"events/0", b"events/7",
        ]  # fmt: skip
        assert set(stage.committer.taken[-1]) == {_EVENTS, Place(RETRY, 0)}

    asyncio.run(scenario())


def test_a_write_that_was_cut_off_is_written_again() -> None:
    """The commit at the end of a drain has a bounded time; another may follow."""

    async def scenario() -> None:
        stage = Stage()
        stage.scene.arrive(EVENT)
        stage.gstv.answer(Answer(200))
        await turns(1)
        stage.kafka.answers.clear()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(stage.commit(), 0.02)
        assert (stage.committer.taken, stage.receipts.unwritten) == ([], 1)

        stage.kafka.answers.set()
        assert await stage.commit()
        assert stage.committer.offset == 1
        assert [one.offset for one in stage.written] == [0]

    asyncio.run(scenario())


def test_an_event_from_the_retry_topic_is_receipted_where_its_player_wrote_it() -> None:
    """With all its attempts; what came without a readable origin, where it stands."""

    async def scenario() -> None:
        stage = Stage()
        stage.scene.come_back(EVENT, attempts=2, **{"pop-redrives": b"1"})
        stage.scene.come_back(EVENT, **{"pop-origin": b"nowhere"})
        stage.gstv.answer_all(Answer(409))
        await turns(1)
        assert await stage.commit()

        of = {each.key: decode_receipt(each.value) for each in stage.kafka.on(RECEIPTS)}
        redriven, nameless = of[b"events/0"], of[b"retry/0"]
        assert redriven is not None
        assert nameless is not None
        assert [(o.offset, o.attempts, o.pop_id) for o in redriven.deliveries()] == [(7, 3, POP_ID)]
        assert [one.offset for one in nameless.deliveries()] == [1]

    asyncio.run(scenario())


def test_what_was_not_delivered_has_no_receipt() -> None:
    """It stands on the next topic, and is committed for that."""

    async def scenario() -> None:
        stage = Stage()
        stage.scene.arrive(EVENT, b"no JSON")
        stage.gstv.answer(Answer(500))
        await turns(1)
        await until(lambda: len(stage.kafka.confirmed) == 2)
        assert await stage.commit()

        assert stage.committer.offset == 2
        assert {each.topic for each in stage.kafka.confirmed} == {RETRY, FAILURE}

    asyncio.run(scenario())


def test_what_has_no_receipt_goes_with_its_partition() -> None:
    """Its next owner delivers it again, and receipts it then; what comes late counts for nobody."""

    async def scenario() -> None:
        stage = Stage()
        stage.scene.arrive(EVENT, EVENT)
        stage.gstv.answer(Answer(200))
        await turns(1)
        stage.kafka.refuse(1)
        assert not await stage.commit()
        stage.committer._forget()  # type: ignore[operator]
        stage.gstv.answer(Answer(200))
        await turns(1)

        assert (stage.receipts.unwritten, stage.committer._is_behind) == (0, False)
        assert not await stage.commit()
        assert (stage.kafka.on(RECEIPTS), stage.committer.taken) == ([], [])

    asyncio.run(scenario())


def test_a_write_that_is_refused_after_its_partitions_are_gone_holds_nothing_back() -> None:
    """Else nothing would be fetched any more, and nothing be there to be written."""

    async def scenario() -> None:
        stage = Stage()
        stage.scene.arrive(EVENT)
        stage.gstv.answer(Answer(200))
        await turns(1)
        stage.kafka.answers.clear()
        committing = stage.start_commit()
        await turns()
        stage.committer._forget()  # type: ignore[operator]
        stage.kafka.ending = KafkaError()
        stage.kafka.answers.set()

        assert not await committing
        assert not stage.committer._is_behind

    asyncio.run(scenario())


def test_a_commit_of_an_assignment_that_is_over_by_then_is_not_made() -> None:
    """Its receipts took so long: another worker may be further in that partition."""

    async def scenario() -> None:
        stage = Stage()
        stage.scene.arrive(EVENT)
        stage.gstv.answer(Answer(200))
        await turns(1)
        stage.kafka.answers.clear()
        committing = stage.start_commit()
        await turns()
        # It began while the assignment was being drained, and outlived the drain.
        stage.committer._forget()  # type: ignore[operator]
        stage.scene.arrivals.assign()
        stage.kafka.answers.set()

        assert not await committing
        assert stage.committer.taken == []

    asyncio.run(scenario())


def test_the_last_commit_of_a_drain_writes_them_as_well() -> None:
    """After that nothing is noted any more."""

    async def scenario() -> None:
        stage = Stage()
        stage.scene.arrive(EVENT)
        stage.gstv.answer(Answer(200))
        await turns(1)
        stage.committer.should_stop = True
        await stage.committer.wait_empty()  # type: ignore[misc]

        assert stage.committer.offset == 1
        assert [one.offset for one in stage.written] == [0]
        assert not stage.scene.arrivals.ledger.commits()

    asyncio.run(scenario())


@pytest.mark.parametrize("how", ["hangs", "refuses", "breaks"])
def test_a_drain_ends_whatever_becomes_of_its_receipts(
    monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """What it threw would leave the process hanging; what has no receipt is not committed."""
    wait_for = asyncio.wait_for
    monkeypatch.setattr(asyncio, "wait_for", lambda what, timeout: wait_for(what, timeout / 100))

    async def scenario() -> None:
        stage = Stage()
        stage.scene.arrive(EVENT)
        stage.gstv.answer(Answer(200))
        await turns(1)
        if how == "hangs":
            stage.kafka.answers.clear()
        elif how == "refuses":
            stage.kafka.refuse(100)
        else:
            stage.kafka.errors = [RuntimeError("the loop is closed")]
        await stage.committer.wait_empty()  # type: ignore[misc]

        assert stage.committer.taken == []

    asyncio.run(scenario())


def test_many_deliveries_are_several_records() -> None:
    """None is larger than a topic takes."""

    async def scenario() -> None:
        stage = Stage()
        events = 2 * MOST_EVENTS + 1
        stage.scene.arrive(*[EVENT] * events)
        while stage.gstv.open:
            stage.gstv.answer_all(Answer(200))
            await turns(3)
        assert await stage.commit()

        records = stage.kafka.on(RECEIPTS)
        assert len(records) == 3
        assert all(len(each.value or b"") < 100_000 for each in records)
        assert sorted(one.offset for one in stage.written) == list(range(events))
        assert stage.committer.offset == events

    asyncio.run(scenario())


def test_without_deliveries_a_commit_writes_nothing() -> None:
    """Nor does one with nothing new."""

    async def scenario() -> None:
        stage = Stage()
        stage.scene.arrive(b"no JSON")
        await until(lambda: stage.kafka.confirmed)
        assert await stage.commit()
        assert not await stage.commit()
        assert stage.kafka.on(RECEIPTS) == []

    asyncio.run(scenario())


def test_receipts_are_written_also_while_no_commit_moves() -> None:
    """What is done beside a commit is told only in part when it is much: they must not pile up."""

    async def scenario() -> None:
        stage = Stage()
        stage.scene.arrive(EVENT, EVENT)
        ledger: Any = stage.scene.arrivals.ledger
        stage.gstv.answer(Answer(200), 1)
        await turns(1)
        ledger.commits = dict
        assert not await stage.commit()
        assert (stage.receipts.unwritten, len(stage.written)) == (0, 1)

    asyncio.run(scenario())
