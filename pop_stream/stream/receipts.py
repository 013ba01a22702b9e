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
from dataclasses import dataclass

from aiokafka.errors import KafkaError

from pop_stream import __version__
from pop_stream.pop.receipt import MOST_EVENTS, encode_receipt, receipt_of
from pop_stream.stream.claim import Claim, Stage
from pop_stream.stream.handoff import Confirm
from pop_stream.stream.ledger import Place
from pop_stream.watch.tally import Tally

log = logging.getLogger(__name__)

_AGAIN_SECONDS = 1.0
#: What stays as it is, is told again after so long.
_TELL_SECONDS = 30.0
#: So many deliveries without a receipt are more than a commit ever leaves behind.
_MOST_UNWRITTEN = 20_000


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
        #: Deliveries, and when GSTV answered, in epoch seconds.
        self._noted: list[tuple[Claim, float]] = []
        #: In a record, and not confirmed.
        self._unwritten: list[_Slice] = []
        #: When the last write was refused, in monotonic seconds; None: it was confirmed.
        self._refused_at: float | None = None
        self._told_at = float("-inf")

    def delivered(self, claim: Claim, at: float) -> None:
        """Note a delivery that counts, at `at` in epoch seconds: cheap, for each event comes by."""
        self._noted.append((claim, at))

    @property
    def is_behind(self) -> bool:
        """Whether no more should be taken: what is delivered now cannot be committed."""
        return self._refused_at is not None or self.unwritten > _MOST_UNWRITTEN

    @property
    def unwritten(self) -> int:
        """How many deliveries have no receipt yet."""
        return len(self._noted) + sum(each.events for each in self._unwritten)

    def forget(self) -> None:
        """The partitions are gone: what has no receipt is not committed, and delivered again."""
        self._noted, self._unwritten = [], []
        self._refused_at = None

    async def write(self) -> bool:
        """Write all that is noted by now. Returns whether the broker has confirmed it.

        May be cancelled at any moment: what is not confirmed then is written again, with the next.
        """
        if not (self._noted or self._unwritten):
            return True
        self._slice()
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
        """Make records of what is noted: from then on its events need not be held."""
        noted, self._noted = self._noted, []
        rows = defaultdict(list)
        for claim, at in noted:
            if claim.stage is Stage.FORWARD:
                # By far the most, and without a call: it is done with each event.
                place, offset = claim.run.place, claim.record.offset
            else:
                place, offset = _origin_of(claim)
            rows[place].append((offset, claim.pop_id, int(at * 1000), claim.attempts + 1))
        for (topic, partition), deliveries in rows.items():
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

    def _tell(self, error: KafkaError) -> None:
        now = time.monotonic()
        if now - self._told_at < _TELL_SECONDS:
            return
        self._told_at = now
        log.warning("receipts.unwritten", extra={
            "topic": self._topic, "events": self.unwritten, "error": type(error).__name__,
            "remedy": "nothing more is taken, and what is delivered is not committed, until the "
                      "topic can be written"})  # fmt: skip


def _origin_of(claim: Claim) -> tuple[Place, int]:
    """Where the player's own record stands, of an event that comes from a topic of ours."""
    origin = claim.trail.origin
    return Place(origin.topic, origin.partition), origin.offset
