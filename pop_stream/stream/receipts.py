"""Delivery receipts: what was delivered stands on the receipts topic before it is committed.

```
delivered     noted, in the same turn of the loop in which the ledger has it finished
commit        what the ledger offers is taken first; then all that is noted is written, and the
              broker has confirmed it; only then is what was taken committed
killed        before the receipt: delivered again, under the same id, and receipted then
```
"""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from aiokafka.errors import KafkaError

from pop_stream import __version__
from pop_stream.pop.receipt import MOST_EVENTS, encode_receipt, receipt_of
from pop_stream.stream.claim import Claim, Stage
from pop_stream.stream.deliveries import Success
from pop_stream.stream.handoff import Confirm
from pop_stream.stream.ledger import Place, Run
from pop_stream.stream.record import KafkaRecord
from pop_stream.watch.tally import Tally

log = logging.getLogger(__name__)

_AGAIN_SECONDS = 1.0
#: What stays as it is, is told again after so long.
_TELL_SECONDS = 30.0
#: So many deliveries without a receipt are more than a commit ever leaves behind.
_MOST_UNWRITTEN = 20_000

#: A `pop_stream.pop.receipt.Delivery`, without the price of one.
Noted: TypeAlias = tuple[int, str, int, int]


@dataclass(frozen=True, slots=True, eq=False)
class _Slice:
    """One record that is to be written: of one partition some deliveries."""

    key: bytes
    value: bytes
    events: int


class Receipts:
    """Writes down what was delivered, a record for each partition and commit."""

    def __init__(self, confirm: Confirm, *, topic: str, group: str, tally: Tally) -> None:
        self._confirm = confirm
        self._topic = topic
        self._group = group
        self._tally = tally
        #: Deliveries by their run. Not the claims: held until the commit, they would be cold
        #: memory by then.
        self._noted: defaultdict[Run[KafkaRecord], list[Noted]] = defaultdict(list)
        #: Those of events from a topic of ours.
        self._came_back: list[tuple[Claim, int]] = []
        #: In a record, and not confirmed.
        self._unwritten: list[_Slice] = []
        #: When the last write was refused, in monotonic seconds; None: it was confirmed.
        self._refused_at: float | None = None
        self._told_at = float("-inf")

    def delivered(self, successes: Iterable[Success], at_ms: int) -> None:
        """Note deliveries that count. Cheap: each event comes by here."""
        noted = self._noted
        for claim, _ in successes:
            if claim.stage is Stage.FORWARD:
                noted[claim.run].append(
                    (claim.record.offset, claim.pop_id, at_ms, claim.attempts + 1)
                )
            else:
                self._came_back.append((claim, at_ms))

    @property
    def is_behind(self) -> bool:
        """Whether no more should be taken: what is delivered now cannot be committed."""
        is_refused = self._refused_at is not None and bool(self._unwritten)
        return is_refused or self.unwritten > _MOST_UNWRITTEN

    @property
    def unwritten(self) -> int:
        """How many deliveries have no receipt yet."""
        noted = len(self._came_back) + sum(map(len, self._noted.values()))
        return noted + sum(each.events for each in self._unwritten)

    def forget(self) -> None:
        """The partitions are gone: what has no receipt is not committed, and delivered again."""
        self._noted, self._came_back, self._unwritten = defaultdict(list), [], []
        self._refused_at = None

    async def write(self) -> bool:
        """Write all that is noted by now. Returns whether the broker has confirmed it.

        May be cancelled at any moment: what is not confirmed then is written again, with the next.
        """
        self._slice()
        if not self._unwritten:
            return True
        await self._rest()
        slices = self._unwritten.copy()
        errors = await asyncio.gather(*map(self._try, slices))
        error = next(filter(None, errors), None)
        if error is None:
            self._refused_at = None
            return True
        self._refused_at = time.monotonic()
        self._tell(error)
        return False

    async def _rest(self) -> None:
        """After a refusal: not at once again, for commits come many times a second."""
        if self._refused_at is not None:
            await asyncio.sleep(self._refused_at + _AGAIN_SECONDS - time.monotonic())

    async def _try(self, one: _Slice) -> KafkaError | None:
        try:
            await self._confirm(self._topic, key=one.key, value=one.value, headers=[])
        except KafkaError as error:
            # It may have been written all the same: a second receipt, never none.
            self._tally.delivery_receipts[("failed",)] += 1
            return error
        self._tally.delivery_receipts[("written",)] += 1
        if one in self._unwritten:
            self._unwritten.remove(one)
        return None

    def _slice(self) -> None:
        """Make records of what is noted."""
        for (topic, partition), deliveries in self._taken_over().items():
            for first in range(0, len(deliveries), MOST_EVENTS):
                receipt = receipt_of(
                    deliveries[first : first + MOST_EVENTS],
                    group=self._group,
                    worker=__version__,
                    topic=topic,
                    partition=partition,
                )
                key, value = f"{topic}/{partition}".encode(), encode_receipt(receipt)
                self._unwritten.append(_Slice(key, value, len(receipt.offsets)))

    def _taken_over(self) -> dict[Place, list[Noted]]:
        """What is noted, by where the players' own records stand; then nothing is noted."""
        noted, self._noted = self._noted, defaultdict(list)
        came_back, self._came_back = self._came_back, []
        found: defaultdict[Place, list[Noted]] = defaultdict(list)
        for run, deliveries in noted.items():
            found[run.place] += deliveries
        for claim, at_ms in came_back:
            origin = claim.trail.origin
            place = Place(origin.topic, origin.partition)
            found[place].append((origin.offset, claim.pop_id, at_ms, claim.attempts + 1))
        return found

    def _tell(self, error: KafkaError) -> None:
        now = time.monotonic()
        if now - self._told_at < _TELL_SECONDS:
            return
        self._told_at = now
        log.warning("receipts.unwritten", extra={
            "topic": self._topic, "events": self.unwritten, "error": type(error).__name__,
            "remedy": "nothing more is taken, and what is delivered is not committed, until the "
                      "topic can be written"})  # fmt: skip
