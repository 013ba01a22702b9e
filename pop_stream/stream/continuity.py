"""What was committed, what is there, and what comes next must fit together.

A consumer whose next offset is gone, or was never committed, quietly begins with the oldest record.
Here that is never quiet: records that were deleted are told of (`stream/holes.py`), where a new
group begins is committed before its first record is worked on, and a partition that has become
shorter than its commit ends the worker.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

from aiokafka.errors import KafkaError
from faust.types import TP

from pop_stream.pop.hole import Hole
from pop_stream.stream.abort import Abort
from pop_stream.stream.ledger import Ledger, Place
from pop_stream.stream.record import KafkaRecord

log = logging.getLogger(__name__)

#: Records may be deleted while a partition is idle: then no record shows the hole.
_LOOK_SECONDS = 30.0
_AGAIN_SECONDS = 0.2
#: A broker that leads since a moment ago may not know yet how far its records are confirmed.
_DOUBT_SECONDS = 5.0

#: Where partitions begin and end now; raises KafkaError.
Bounds = Callable[[set[TP]], Awaitable[Mapping[TP, tuple[int, int]]]]


class Continuity:
    """Watches the partitions of one consumer. Belongs to one event loop."""

    def __init__(
        self,
        ledger: Ledger[KafkaRecord],
        bounds: Bounds,
        *,
        tell: Callable[[Hole], Awaitable[None]],
        may_start_over: bool,
        abort: Abort,
    ) -> None:
        """`tell` returns once the broker has a hole's record."""
        self._ledger = ledger
        self._bounds = bounds
        self._tell = tell
        self._may_start_over = may_start_over
        self._abort = abort
        #: Partitions of which nothing may be fetched before their bounds were looked at.
        self._unseen: set[TP] = set()
        self._looked_at = 0.0

    def assigned(self, places: set[TP]) -> None:
        """Begin with these partitions, which the ledger has opened."""
        self._unseen = set(places)

    async def may_fetch(self, active: set[TP]) -> bool:
        """Look at partitions that are new, and at all of them now and then.

        False: it is not known yet whether they fit; ask again.
        """
        if time.monotonic() - self._looked_at > _LOOK_SECONDS:
            self._unseen |= active
        if not self._unseen:
            return True
        if not await self._look(self._unseen & active):
            await asyncio.sleep(_AGAIN_SECONDS)
            return False
        self._unseen -= active
        self._looked_at = time.monotonic()
        return True

    async def examine(self, batches: Mapping[TP, Sequence[KafkaRecord]]) -> None:
        """Look closer where what was fetched is not what comes next, before it is taken."""
        ledger = self._ledger
        gaps = {
            place: records[0].offset
            for place, records in batches.items()
            if ledger.expected(Place(*place)) not in (None, records[0].offset)
        }
        # The records are in hand, and wait for the look. A gap may be the mark of a transaction.
        while gaps and not await self._look(set(gaps)):  # noqa: ASYNC110 - as above
            await asyncio.sleep(_AGAIN_SECONDS)
        for place, offset in gaps.items():
            expected = ledger.expected(Place(*place))
            if expected is not None and offset < expected:
                self._start_over(place, offset, f"offset {offset} came after {expected - 1}")

    async def _look(self, places: set[TP]) -> bool:
        try:
            bounds = await self._bounds(places)
        except KafkaError as error:
            log.info("bounds.unread", extra={"error": repr(error)})
            return False
        for place, (begin, end) in bounds.items():
            expected = self._ledger.expected(Place(*place))
            if expected is None:
                # Not if its commit could not be read: that may well be further on.
                if self._ledger.is_new(Place(*place)):
                    self._ledger.go_on_from(Place(*place), begin)
            elif expected > end:
                return await self._ends_too_early(place)
            elif begin > expected:
                hole = Hole(topic=place.topic, partition=place.partition, begin=expected, end=begin)
                await self._tell(hole)
                # Unless it was revoked meanwhile: then its next owner tells of it once more.
                if self._ledger.expected(Place(*place)) == expected:
                    self._ledger.go_on_from(Place(*place), begin)
        return True

    async def _ends_too_early(self, place: TP) -> bool:
        await asyncio.sleep(_DOUBT_SECONDS)
        try:
            begin, end = (await self._bounds({place}))[place]
        except KafkaError:
            return False
        expected = self._ledger.expected(Place(*place))
        if expected is not None and expected > end:
            self._start_over(place, begin, f"it ends at {end}, and {expected} should come next")
        return True

    def _start_over(self, place: TP, offset: int, why: str) -> None:
        where = f"{place.topic}/{place.partition}"
        if not self._may_start_over:
            self._abort(
                f"{where}: {why}. The topic was deleted and made anew, or Kafka has lost records"
            )
        log.warning("partition.starts_over", extra={"place": where, "why": why, "offset": offset})
        self._ledger.go_on_from(Place(*place), offset)
