"""What was committed, what is there, and what comes next must fit together.

A consumer whose next offset is gone, or was never committed, quietly begins with the oldest record.
Here that is never quiet: records that were deleted are told of (`stream/holes.py`), where a new
group begins is committed before its first record is worked on, and a partition that has become
shorter than its commit ends the worker.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from aiokafka.errors import KafkaError
from faust.types import TP

from pop_stream.pop.hole import Hole
from pop_stream.stream.abort import Abort
from pop_stream.stream.ledger import Ledger, Place
from pop_stream.stream.record import KafkaRecord

log = logging.getLogger(__name__)

#: Records may be deleted while a partition is idle: then no record shows the hole.
_LOOK_SECONDS = 10.0
_AGAIN_SECONDS = 0.2
#: A broker that leads since a moment ago may not know yet how far its records are confirmed.
_DOUBT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """Where a partition begins and ends, and what is fetched from it next."""

    begin: int
    end: int
    position: int


class Consumer(Protocol):
    """What is watched."""

    async def bounds(self, places: Collection[TP]) -> Mapping[TP, Bounds]:
        """Where partitions begin and end now. Raises KafkaError."""

    async def seek_to(self, place: TP, offset: int) -> None:
        """Let a partition be fetched from an offset."""

    async def commit_beginnings(self) -> bool:
        """Commit; whether all that is open has a commit now."""


class Continuity:
    """Watches the partitions of one consumer. Belongs to one event loop."""

    def __init__(
        self,
        ledger: Ledger[KafkaRecord],
        consumer: Consumer,
        *,
        tell: Callable[[Hole], Awaitable[None]],
        note_ends: Callable[[Mapping[Place, int]], None],
        may_start_over: bool,
        abort: Abort,
    ) -> None:
        """`tell` returns once the broker has a hole's record.

        `note_ends` is told where the partitions end whenever all of them were looked at.
        """
        self._ledger = ledger
        self._consumer = consumer
        self._tell = tell
        self._note_ends = note_ends
        self._may_start_over = may_start_over
        self._abort = abort
        #: All that is assigned. Another object after each assignment.
        self._places: frozenset[TP] = frozenset()
        #: Those of which nothing may be fetched before they were looked at.
        self._unseen: frozenset[TP] = frozenset()
        #: The gaps that were fetched once more: what was expected, and what came.
        self._asked: dict[TP, tuple[int, int]] = {}
        self._wake = asyncio.Event()
        #: The positions of those that had records and room at the last look.
        self._behind: dict[TP, int] = {}
        #: Partitions that have records and room, and of which nothing came between two looks.
        self.stuck: frozenset[TP] = frozenset()

    def assigned(self, places: Collection[TP]) -> None:
        """Begin with these partitions, which the ledger has opened."""
        self._places = self._unseen = frozenset(places)
        self._behind, self.stuck = {}, frozenset()
        self._wake.set()

    def may_fetch(self, places: set[TP]) -> set[TP]:
        """Those of the partitions that are known to fit."""
        return places - self._unseen

    async def watch(self) -> None:
        """Look at all partitions when they were assigned, and now and then. Never returns."""
        with self._abort.on_error("looking for holes"):
            while True:
                self._wake.clear()
                await self.look()
                pause = _AGAIN_SECONDS if self._unseen else _LOOK_SECONDS
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), pause)

    async def look(self) -> bool:
        """Look at all partitions once; whether they could be seen."""
        places = self._places
        # Where this group begins is committed before its first record is worked on: killed in
        # between, it would have worked and know nothing of it.
        is_seen = await self._look(places) and await self._consumer.commit_beginnings()
        if is_seen and places is self._places:
            self._unseen = frozenset()
        return is_seen

    async def examine(self, batches: Mapping[TP, Sequence[KafkaRecord]]) -> set[TP]:
        """Look closer where what was fetched is not what comes next, before it is taken.

        Gives the partitions whose records must not be taken: they are fetched once more.
        """
        ledger = self._ledger
        gaps = {
            place: records[0].offset
            for place, records in batches.items()
            if ledger.expected(Place(*place)) not in (None, records[0].offset)
        }
        # The records are in hand, and wait for the look.
        while gaps and not await self._look(gaps):  # noqa: ASYNC110 - Kafka has no event for it
            await asyncio.sleep(_AGAIN_SECONDS)
        for place, offset in gaps.items():
            expected = ledger.expected(Place(*place))
            if expected is not None and offset < expected:
                self._start_over(place, offset, f"offset {offset} came after {expected - 1}")
        return {place for place, offset in gaps.items() if await self._asks_again(place, offset)}

    async def _asks_again(self, place: TP, offset: int) -> bool:
        """Fetch what is missing once more: were it there, to go on would lose it.

        What is missing then, too, never was a record: a transaction's mark has an offset.
        """
        expected = self._ledger.expected(Place(*place))
        if expected is None or offset <= expected or self._asked.get(place) == (expected, offset):
            return False
        log.warning("records.skipped", extra={"topic": place.topic, "partition": place.partition,
                    "expected": expected, "came": offset})  # fmt: skip
        self._asked[place] = (expected, offset)
        await self._consumer.seek_to(place, expected)
        return True

    async def _look(self, places: Collection[TP]) -> bool:
        # What comes next only grows: it is read before the end that it is held against, and after
        # the beginning.
        before = {place: self._ledger.expected(Place(*place)) for place in places}
        room = {TP(*place) for place in self._ledger.with_room()}
        try:
            bounds = await self._consumer.bounds(places)
        except KafkaError as error:
            log.info("bounds.unread", extra={"error": repr(error)})
            return False
        for place, each in bounds.items():
            expected = self._ledger.expected(Place(*place))
            earlier = before[place]
            if expected is None:
                # Not if its commit could not be read: that may well be further on.
                if self._ledger.is_new(Place(*place)):
                    self._ledger.go_on_from(Place(*place), each.begin)
            elif earlier is not None and earlier > each.end:
                await self._ends_too_early(place)
                return False
            elif each.begin > expected:
                await self._pass_over(place, expected, each.begin)
        if places is self._places:
            self._note_stuck(bounds, room)
            self._note_ends({Place(*place): each.end for place, each in bounds.items()})
        return True

    def _note_stuck(self, bounds: Mapping[TP, Bounds], room: set[TP]) -> None:
        behind = {
            place: each.position
            for place, each in bounds.items()
            if each.position < each.end and place in room
        }
        self.stuck = frozenset(
            place for place, position in behind.items() if self._behind.get(place) == position
        )
        self._behind = behind

    async def _pass_over(self, place: TP, begin: int, end: int) -> None:
        hole = Hole(topic=place.topic, partition=place.partition, begin=begin, end=end)
        await self._tell(hole)
        # Unless it was revoked meanwhile: then its next owner tells of it once more.
        if self._ledger.expected(Place(*place)) == begin:
            self._ledger.go_on_from(Place(*place), end)

    async def _ends_too_early(self, place: TP) -> None:
        await asyncio.sleep(_DOUBT_SECONDS)
        expected = self._ledger.expected(Place(*place))
        try:
            bounds = (await self._consumer.bounds((place,)))[place]
        except KafkaError:
            return
        if expected is not None and expected > bounds.end:
            why = f"it ends at {bounds.end}, and {expected} should come next"
            self._start_over(place, bounds.begin, why)

    def _start_over(self, place: TP, offset: int, why: str) -> None:
        where = f"{place.topic}/{place.partition}"
        if not self._may_start_over:
            self._abort(
                f"{where}: {why}. The topic was deleted and made anew, or Kafka has lost records"
            )
        log.warning("partition.starts_over", extra={"place": where, "why": why, "offset": offset})
        self._ledger.go_on_from(Place(*place), offset)
