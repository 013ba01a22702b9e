"""Workers with one defect each, planted on purpose: a suite that finds none of them proves nothing.

`python -m faults.planted NAME` runs a worker as `pop-stream worker` does, with the defect;
`python -m faults.planted NAME MARK` one that a mishap befalls once, unless the file MARK is there.
"""

import asyncio
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import orjson

from pop_stream.cli.main import main
from pop_stream.pop import event
from pop_stream.pop.event import Forward
from pop_stream.stream import forwarder, transport
from pop_stream.stream.claim import Claim, Stage, claims_of
from pop_stream.stream.continuity import Continuity
from pop_stream.stream.handoff import Handoff, Outgoing
from pop_stream.stream.ledger import Commit, Ledger, Place, Run
from pop_stream.stream.notifier import Notifier
from pop_stream.stream.receipts import Receipts


def _finish_before_post() -> None:
    """An event counts as done as soon as its POST has begun."""
    attempt = forwarder.Forwarder._attempt

    def planted(self: forwarder.Forwarder, claim: Claim) -> bool:
        posted = attempt(self, claim)
        if posted:
            claim.finish()
        return posted

    forwarder.Forwarder._attempt = planted  # type: ignore[method-assign]


def _do_not_wait_for_the_hand_off() -> None:
    """An event counts as done before the broker has confirmed its record on the next topic."""
    start, gather = Handoff.start, Handoff.gather

    def started(
        self: Handoff, claim: Claim, outgoing: Outgoing, then: Callable[[Claim], None]
    ) -> None:
        then(claim)
        start(self, claim, outgoing, lambda _: None)

    def gathered(
        self: Handoff,
        claim: Claim,
        topic: str,
        make: Callable[[], Outgoing],
        then: Callable[[Claim], None],
    ) -> None:
        then(claim)
        gather(self, claim, topic, make, lambda _: None)

    Handoff.start, Handoff.gather = started, gathered  # type: ignore[method-assign]


def _follow_redirects() -> None:
    """A redirect counts as success, as with a client that follows it and is answered 200."""
    begin = forwarder.Forwarder.__init__

    def planted(self: forwarder.Forwarder, *args: Any, **kwargs: Any) -> None:
        begin(self, *args, **kwargs)
        self._successes |= frozenset(range(300, 400))

    forwarder.Forwarder.__init__ = planted  # type: ignore[method-assign]


def _commit_one_too_high() -> None:
    """The classic: the offset of the first unfinished event is committed as finished."""
    commits = Ledger.commits

    def planted(self: Ledger[Any]) -> dict[Place, Commit]:
        behind = {place: state.next_offset for place, state in self._partitions.items()}
        return {
            place: (
                commit._replace(offset=commit.offset + 1)
                if commit.offset < (behind[place] or 0)
                else commit
            )
            for place, commit in commits(self).items()
        }

    Ledger.commits = planted  # type: ignore[method-assign]


def _ignore_the_generation() -> None:
    """After a rebalance a worker goes on from where it was, not from what stands committed."""
    consumer = vars(transport)["Consumer"]
    revoked, assigned = consumer.on_partitions_revoked, consumer.on_partitions_assigned

    async def remembering(self: Any, places: Any) -> None:
        ledger = self._host.ledger
        self.reached = {place: ledger.expected(Place(*place)) for place in places}
        await revoked(self, places)

    async def going_on(self: Any, places: Any, generation_id: int = 0) -> None:
        await assigned(self, places, generation_id)
        for place in places:
            offset = getattr(self, "reached", {}).get(place)
            if offset is not None:
                await self._thread.start_at(place, offset)

    async def examine(*_: Any) -> set[Any]:
        return set()

    consumer.on_partitions_revoked, consumer.on_partitions_assigned = remembering, going_on
    # It would see the gap, and fetch what lies in it.
    Continuity.examine = examine  # type: ignore[method-assign, assignment]


def _forget_the_notification() -> None:
    """A failed event counts as told of, and nobody is told."""

    def planted(self: Notifier, run: Run[Any]) -> None:
        for claim in claims_of(run, Stage.FAILURE):
            claim.finish()

    Notifier.take = planted  # type: ignore[method-assign]


def _write_json_anew() -> None:
    """The body is what a parser makes of the event, not its bytes."""
    read_event = event.read_event

    def planted(*args: Any, **kwargs: Any) -> Any:
        reading = read_event(*args, **kwargs)
        if isinstance(reading, Forward):
            body = orjson.dumps(orjson.loads(reading.body), option=orjson.OPT_SORT_KEYS)
            return reading._replace(body=body)
        return reading

    vars(forwarder)["read_event"] = planted
    # Else most would not be read at all.
    vars(forwarder)["is_forwarded_as_it_is"] = lambda *_: False


def _do_not_wait_for_the_receipts() -> None:
    """A commit is made although the broker has not confirmed its receipts yet."""
    write = Receipts.write

    async def planted(self: Receipts) -> bool:
        self.writing = asyncio.ensure_future(write(self))  # type: ignore[attr-defined]
        return True

    Receipts.write = planted  # type: ignore[method-assign]


def _write_receipts_of_failures() -> None:
    """An attempt that failed is receipted like one that GSTV took."""
    settle = forwarder.Forwarder._settle

    def planted(self: forwarder.Forwarder, claim: Claim, outcome: Any) -> None:
        if self._receipts is not None:
            self._receipts.delivered([(claim, outcome)], int(time.time() * 1000))
        settle(self, claim, outcome)

    forwarder.Forwarder._settle = planted  # type: ignore[method-assign]


#: How long after its first events a worker is befallen, in seconds.
_BEFALLS_AFTER = 4.0
_FOR_EVER = 100_000.0


def _soon_after_the_first_events(then: Callable[[Any], None]) -> None:
    """Let something befall the worker; `then` is called in its loop, with its consumer."""
    assigned = transport.Consumer.on_partitions_assigned

    async def planted(self: Any, places: Any, generation_id: int = 0) -> None:
        await assigned(self, places, generation_id)
        if not hasattr(self, "befallen"):
            self.befallen = asyncio.get_running_loop().call_later(_BEFALLS_AFTER, then, self)

    vars(transport)["Consumer"].on_partitions_assigned = planted


def _block_the_loop() -> None:
    """The event loop stands still."""
    _soon_after_the_first_events(lambda _: time.sleep(_FOR_EVER))


def _block_the_kafka_thread() -> None:
    """The thread that talks to Kafka stands still: no heartbeat, no fetch, no commit."""
    _soon_after_the_first_events(
        lambda consumer: consumer._thread.thread_loop.call_soon_threadsafe(time.sleep, _FOR_EVER)
    )


def _fetch_nothing() -> None:
    """The worker is alive and in its group, and no record comes any more."""

    async def nothing(*_: Any, **__: Any) -> dict[Any, Any]:
        await asyncio.sleep(0.5)
        return {}

    def stop_fetching(_: Any) -> None:
        vars(transport)["ConsumerThread"]._fetch_records = nothing

    _soon_after_the_first_events(stop_fetching)


def _wedge_the_producer() -> None:
    """No record is ever confirmed any more, nor refused."""

    async def never(*_: Any, **__: Any) -> None:
        await asyncio.sleep(_FOR_EVER)

    def wedge(_: Any) -> None:
        vars(transport)["Producer"].confirm = never

    _soon_after_the_first_events(wedge)


DEFECTS: Mapping[str, Callable[[], None]] = MappingProxyType(
    {
        "finish-before-post": _finish_before_post,
        "hand-off-not-awaited": _do_not_wait_for_the_hand_off,
        "redirects-followed": _follow_redirects,
        "commit-one-too-high": _commit_one_too_high,
        "generation-ignored": _ignore_the_generation,
        "notification-forgotten": _forget_the_notification,
        "json-written-anew": _write_json_anew,
        "receipts-not-awaited": _do_not_wait_for_the_receipts,
        "receipts-of-failures": _write_receipts_of_failures,
    }
)

#: What may befall a worker that has no defect.
MISHAPS: Mapping[str, Callable[[], None]] = MappingProxyType(
    {
        "loop-blocked": _block_the_loop,
        "kafka-thread-blocked": _block_the_kafka_thread,
        "nothing-fetched": _fetch_nothing,
        "producer-wedged": _wedge_the_producer,
    }
)


def befallen(name: str, mark: Path) -> Sequence[str]:
    """The command of a worker that a mishap befalls once: the first that finds no `mark`."""
    return (sys.executable, "-m", "faults.planted", name, str(mark.absolute()))


def _befall_once(name: str, mark: Path) -> None:
    if not mark.exists():
        mark.touch()
        MISHAPS[name]()


if __name__ == "__main__":
    if sys.argv[1] in DEFECTS:
        DEFECTS[sys.argv[1]]()
    else:
        _befall_once(sys.argv[1], Path(sys.argv[2]))
    main(["worker"])
