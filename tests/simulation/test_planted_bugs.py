"""The simulation can fail: each bug that is planted in the core is found within a few schedules."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import pytest

from pop_stream.pop.done_map import Range, decode_done, encode_done
from pop_stream.pop.outcome import Answer, Outcome
from pop_stream.pop.trail import after_failure
from pop_stream.pop.verdict import Reason
from pop_stream.stream import ledger, onward
from pop_stream.stream.alarm import Alarm
from pop_stream.stream.claim import Claim
from pop_stream.stream.deliveries import Success
from pop_stream.stream.forwarder import Forwarder
from pop_stream.stream.handoff import Handoff, Outgoing
from pop_stream.stream.ledger import Commit, Ledger, Place, Run
from pop_stream.stream.notifier import Notifier
from pop_stream.stream.receipts import Receipts
from pop_stream.stream.screen_order import ScreenOrder
from pop_stream.stream.waiting import Waiting
from tests.simulation.broker import NOTIFICATIONS
from tests.simulation.clock import virtual_time
from tests.simulation.driver import Found, hunt
from tests.simulation.worker import ModelConsumer

_SEEDS = 20_000
#: Where to begin, for what is seen in one schedule of ten thousands only.
_FIRST_SEEDS = {"forget_the_receipts_of_a_write_that_was_cut_off": 40_000}

Plant = Callable[[pytest.MonkeyPatch], None]


@pytest.fixture(autouse=True)
def _virtual_time() -> Iterator[None]:
    with virtual_time():
        yield


Make = Callable[[], Outgoing]


def _commit_one_too_high(patch: pytest.MonkeyPatch) -> None:
    offered = ledger._Partition.commit

    def commit(self: Any) -> Commit | None:
        right = offered(self)
        return right._replace(offset=right.offset + 1) if right and self.runs else right

    patch.setattr(ledger._Partition, "commit", commit)


def _finish_before_the_hand_off(patch: pytest.MonkeyPatch) -> None:
    gather = Handoff.gather

    def early(
        self: Handoff, claim: Claim, topic: str, make: Make, then: Callable[[Claim], None]
    ) -> None:
        then(claim)
        gather(self, claim, topic, make, lambda _: None)

    patch.setattr(Handoff, "gather", early)


def _notify_after_the_end(patch: pytest.MonkeyPatch) -> None:
    start = Handoff.start

    def early(
        self: Handoff, claim: Claim, outgoing: Outgoing, then: Callable[[Claim], None]
    ) -> None:
        if outgoing.topic == NOTIFICATIONS:
            then(claim)
        start(self, claim, outgoing, then)

    patch.setattr(Handoff, "start", early)


def _count_what_is_late(patch: pytest.MonkeyPatch) -> None:
    def finish(self: Run[Any], index: int) -> bool:
        partition = self._partition
        if self._done[index]:
            return False
        self._done[index] = 1
        partition.held.events -= 1
        partition.held.bytes -= self._sizes[index]
        partition.ledger.finished += 1
        return True

    patch.setattr(Run, "finish", finish)


def _finish_twice(patch: pytest.MonkeyPatch) -> None:
    def finish(self: Run[Any], index: int) -> bool:
        partition = self._partition
        if not partition.open:
            return False
        self._done[index] = 1
        partition.held.events -= 1
        partition.ledger.finished += 1
        return True

    def both(self: Claim) -> bool:
        self.run.finish(self.index)
        return self.run.finish(self.index)

    patch.setattr(Run, "finish", finish)
    patch.setattr(Claim, "finish", both)


def _forget_the_attempt(patch: pytest.MonkeyPatch) -> None:
    def trail(before: Any, *, attempts: int, not_before: int, now_ms: int) -> Any:
        attempts = before.attempts
        return after_failure(before, attempts=attempts, not_before=not_before, now_ms=now_ms)

    patch.setattr(onward, "after_failure", trail)


def _drop_what_failed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Forwarder, "_failed", lambda *_: None)


def _acknowledge_what_failed(patch: pytest.MonkeyPatch) -> None:
    def failed(self: Forwarder, claim: Claim, *_: object) -> None:
        self._finish(claim)

    patch.setattr(Forwarder, "_failed", failed)


def _drop_what_is_held(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Forwarder, "_put_back", lambda *_: None)


def _count_what_is_held(patch: pytest.MonkeyPatch) -> None:
    put_back = Forwarder._put_back

    def counted(self: Forwarder, claim: Claim, reason: Reason) -> None:
        claim.attempts += 1
        put_back(self, claim, reason)

    patch.setattr(Forwarder, "_put_back", counted)


def _read_the_done_map_off_by_one(patch: pytest.MonkeyPatch) -> None:
    def decode(offset: int, text: str) -> frozenset[int]:
        return frozenset(each + 1 for each in decode_done(offset, text))

    patch.setattr(ledger, "decode_done", decode)


def _write_the_done_map_too_long(patch: pytest.MonkeyPatch) -> None:
    def encode(offset: int, ranges: Sequence[Range]) -> str:
        return encode_done(offset, [(start, end + 1) for start, end in ranges])

    patch.setattr(ledger, "encode_done", encode)


def _do_again_what_is_told(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ledger, "decode_done", lambda *_: frozenset())


def _take_what_was_fetched_before_the_revocation(patch: pytest.MonkeyPatch) -> None:
    async def getmany(self: Any, timeout: float) -> Any:  # noqa: ASYNC109
        open_ones = self._host.ledger
        batches = await self._getmany(
            active_partitions=open_ones.with_room() or {Place("", 0)}, timeout=timeout
        )
        for place, records in batches.items():
            run = open_ones.take(*place, records)
            if run is not None:
                await self.callback(run)
        for nothing in ():
            yield nothing

    patch.setattr(ModelConsumer, "getmany", getmany)


def _believe_that_a_refused_commit_was_taken(patch: pytest.MonkeyPatch) -> None:
    async def commit(self: Any, *_: object) -> bool:
        commits = self._host.ledger.commits()
        if commits:
            await self._thread.commit_all(commits)
            self._host.ledger.committed(commits)
        return True

    patch.setattr(ModelConsumer, "force_commit", commit)


def _commit_what_was_finished_since_the_answer(patch: pytest.MonkeyPatch) -> None:
    accept = Ledger.committed

    def committed(self: Ledger[Any], _: Mapping[Place, Commit]) -> None:
        accept(self, self.commits())

    patch.setattr(Ledger, "committed", committed)


def _keep_the_ledger_open(patch: pytest.MonkeyPatch) -> None:
    async def revoked(self: Any) -> None:
        self._epoch += 1
        self.stop_flow()
        await self.wait_empty()
        self.positions = {}

    open_anew = Ledger.open

    def reopen(self: Ledger[Any], places: set[Place], committed: Any = None) -> None:
        kept = {p: s for p, s in self._partitions.items() if p in places}
        open_anew(self, places - kept.keys(), committed)
        for place, state in kept.items():
            state.open = True
            self._partitions[place] = state

    patch.setattr(ModelConsumer, "revoked", revoked)
    patch.setattr(Ledger, "open", reopen)


def _ignore_when_it_is_due(patch: pytest.MonkeyPatch) -> None:
    add = Waiting.add

    def at_once(self: Waiting, claims: Any) -> None:
        claims = list(claims)
        for claim in claims:
            claim.not_before = 0
        add(self, claims)

    patch.setattr(Waiting, "add", at_once)


def _let_a_screen_overtake_itself(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ScreenOrder, "admit", lambda _, claims: iter(claims))


def _never_let_the_next_of_a_screen_go(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ScreenOrder, "finished", lambda *_: iter(()))


def _keep_the_screens_of_what_came_in_a_drain(patch: pytest.MonkeyPatch) -> None:
    def resume(self: Forwarder, share: float = 1.0) -> None:
        self._working = True
        self._pacer.keep_share(share)
        self._start_attempts()

    patch.setattr(Forwarder, "resume", resume)


def _never_wake(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Alarm, "set", lambda _alarm, _at: None)


def _give_up_an_unconfirmed_write(patch: pytest.MonkeyPatch) -> None:
    async def write(
        self: Handoff, _: Claim, outgoing: Outgoing, __: Callable[[Claim], None]
    ) -> None:
        with suppress(Exception):
            await self._confirm(
                outgoing.topic, key=outgoing.key, value=outgoing.value, headers=outgoing.headers
            )

    patch.setattr(Handoff, "_write", write)


def _give_up_what_was_refused_together(patch: pytest.MonkeyPatch) -> None:
    async def write(self: Handoff, topic: str, writes: Sequence[Any]) -> None:
        with suppress(Exception):
            await self._confirm_together(topic, [write.make() for write in writes])

    patch.setattr(Handoff, "_write_together", write)


def _alter_what_is_handed_on(patch: pytest.MonkeyPatch) -> None:
    gather = Handoff.gather

    def altered(
        self: Handoff, claim: Claim, topic: str, make: Make, then: Callable[[Claim], None]
    ) -> None:
        right = make()
        wrong = right._replace(value=(right.value or b"").strip(b"{"))
        gather(self, claim, topic, lambda: wrong, then)

    patch.setattr(Handoff, "gather", altered)


def _take_every_failure_for_a_delivery(patch: pytest.MonkeyPatch) -> None:
    def settle(self: Forwarder, claim: Claim, _: Outcome) -> None:
        Forwarder._enter(self, [(claim, Answer(200))])

    patch.setattr(Forwarder, "_settle", settle)


def _notify_nobody(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Notifier, "take", lambda _, run: [run.finish(n) for n in run.unfinished()])


def _commit_before_the_receipts(patch: pytest.MonkeyPatch) -> None:
    async def commit(self: Any, *_: object) -> bool:
        commits = self._host.ledger.commits()
        taken = bool(commits) and await self._thread.commit_all(commits)
        if taken:
            self._host.ledger.committed(commits)
        return taken and (self._host.receipts is None or await self._host.receipts.write())

    patch.setattr(ModelConsumer, "force_commit", commit)


def _commit_what_was_delivered_while_receipts_were_written(patch: pytest.MonkeyPatch) -> None:
    async def commit(self: Any, *_: object) -> bool:
        if self._host.receipts is not None and not await self._host.receipts.write():
            return False
        commits = self._host.ledger.commits()
        taken = bool(commits) and await self._thread.commit_all(commits)
        if taken:
            self._host.ledger.committed(commits)
        return taken

    patch.setattr(ModelConsumer, "force_commit", commit)


def _commit_although_the_receipts_were_refused(patch: pytest.MonkeyPatch) -> None:
    write = Receipts.write

    async def written(self: Receipts) -> bool:
        await write(self)
        return True

    patch.setattr(Receipts, "write", written)


def _forget_the_receipts_of_a_write_that_was_cut_off(patch: pytest.MonkeyPatch) -> None:
    write = Receipts.write

    async def cut(self: Receipts) -> bool:
        try:
            return await write(self)
        except asyncio.CancelledError:
            self.forget()
            raise

    patch.setattr(Receipts, "write", cut)


def _receipt_where_the_retry_stands(patch: pytest.MonkeyPatch) -> None:
    def delivered(self: Receipts, deliveries: Iterable[Success], at_ms: int) -> None:
        for claim, _ in deliveries:
            self._noted[claim.run].append((claim.record.offset, claim.pop_id, at_ms, 1))

    patch.setattr(Receipts, "delivered", delivered)


def _take_no_receipt_of_a_retry(patch: pytest.MonkeyPatch) -> None:
    delivered = Receipts.delivered

    def first_only(self: Receipts, deliveries: Iterable[Success], at_ms: int) -> None:
        delivered(self, [each for each in deliveries if not each[0].attempts], at_ms)

    patch.setattr(Receipts, "delivered", first_only)


_PLANTS: Sequence[Plant] = (
    _commit_one_too_high,
    _finish_before_the_hand_off,
    _notify_after_the_end,
    _count_what_is_late,
    _finish_twice,
    _forget_the_attempt,
    _drop_what_failed,
    _acknowledge_what_failed,
    _drop_what_is_held,
    _count_what_is_held,
    _read_the_done_map_off_by_one,
    _write_the_done_map_too_long,
    _do_again_what_is_told,
    _take_what_was_fetched_before_the_revocation,
    _believe_that_a_refused_commit_was_taken,
    _commit_what_was_finished_since_the_answer,
    _keep_the_ledger_open,
    _ignore_when_it_is_due,
    _let_a_screen_overtake_itself,
    _never_let_the_next_of_a_screen_go,
    _keep_the_screens_of_what_came_in_a_drain,
    _never_wake,
    _give_up_an_unconfirmed_write,
    _give_up_what_was_refused_together,
    _alter_what_is_handed_on,
    _take_every_failure_for_a_delivery,
    _notify_nobody,
    _commit_before_the_receipts,
    _commit_what_was_delivered_while_receipts_were_written,
    _commit_although_the_receipts_were_refused,
    _forget_the_receipts_of_a_write_that_was_cut_off,
    _receipt_where_the_retry_stands,
    _take_no_receipt_of_a_retry,
)


@pytest.mark.parametrize("plant", _PLANTS, ids=lambda plant: plant.__name__.strip("_"))
def test_a_planted_bug_is_found(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    """A schedule shows it, and soon."""
    plant(monkeypatch)

    found = hunt(_FIRST_SEEDS.get(plant.__name__.strip("_"), 0), _SEEDS)

    assert isinstance(found, Found), "the simulation would miss this bug"
    # A plant that no longer fits the core raises: that would show nothing.
    assert "crashed" not in found.what
