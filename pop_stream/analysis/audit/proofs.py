"""What delivery receipts prove: of an offset that counts as delivered, that GSTV took its event.

Not to be mixed up with the receipts of redrives (`receipts.py`), which people are given.

```
receipts       first ....................... last
stored         |  between them: needed      |  after: needed where POP_STREAM_RECEIPTS is on
      before: none
```
"""

from array import array
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from zlib import crc32

from pop_stream.analysis.audit.partition_account import MOST_RANGES
from pop_stream.analysis.event_view import EventView
from pop_stream.analysis.scan import Span, Stage, Topics, kept_since
from pop_stream.errors import WorkFailedError
from pop_stream.pop.receipt import Receipt, decode_receipt, packed_id
from pop_stream.settings import Settings

_CHECKS: Final = (1 << 16) - 1


class Bare(NamedTuple):
    """Offsets from `begin` to before `end` without the receipt that they should have."""

    partition: int
    begin: int
    end: int


@dataclass(slots=True)
class Proven:
    """How much of what counts as delivered is proven."""

    #: Since when receipts are there, in epoch milliseconds; None: there is none.
    since_ms: float | None
    #: A receipt tells of the offset and of the id that stands there.
    proven: int = 0
    #: Without one, and stored before there were any, or after the last where they are off.
    exempt: int = 0
    #: Without one, and stored while there were receipts.
    bare: int = 0
    #: The first ranges of these.
    ranges: list[Bare] = field(default_factory=list)
    #: Records on the receipts topic that are none.
    unreadable: int = 0


class Proofs:
    """Collects receipts, and judges what is walked: two bytes for each offset in between."""

    def __init__(self, group: str, spans: Iterable[Span], *, is_on: bool) -> None:
        """`spans` are what will be walked of the players' topic; `is_on`: receipts are written."""
        self._group = group
        self._is_on = is_on
        self._spans = {(each.topic, each.partition): each for each in spans}
        #: For each offset of a span what its id is known by; 0: there is no receipt.
        self._known: dict[tuple[str, int], array[int]] = {}
        #: Where receipts name several ids of one offset: of a topic that was made anew.
        self._others: defaultdict[tuple[str, int, int], set[int]] = defaultdict(set)
        self._first_ms: int | None = None
        self._last_ms = 0
        #: Where the last of each partition is among the ranges.
        self._last: dict[int, int] = {}
        self.found = Proven(since_ms=None)

    def take(self, record: EventView) -> None:
        """Note what a record of the receipts topic tells."""
        receipt = decode_receipt(record.value)
        if receipt is None:
            self.found.unreadable += 1
            return
        if receipt.group != self._group:
            return
        stored = record.timestamp
        self._first_ms = stored if self._first_ms is None else min(self._first_ms, stored)
        self._last_ms = max(self._last_ms, stored)
        self._note(receipt)

    def kept_since(self, since_ms: float) -> None:
        """Once all are taken: those that were stored since then, in epoch ms, are all there."""
        if self._first_ms is not None:
            self.found.since_ms = max(self._first_ms, since_ms)

    def _note(self, receipt: Receipt) -> None:
        place = (receipt.topic, receipt.partition)
        span = self._spans.get(place)
        if span is None or span.begin >= span.end:
            return
        known = self._known.get(place)
        if known is None:
            known = self._known[place] = array("H", bytes(2 * (span.end - span.begin)))
        begin, end = span.begin, span.end
        for offset, packed in zip(receipt.offsets, receipt.packed_ids(), strict=True):
            if begin <= offset < end:
                check = _check(packed)
                before, known[offset - begin] = known[offset - begin], check
                if before not in (0, check):
                    self._others[*place, offset] |= {before, check}

    def judge(self, event: EventView) -> None:
        """Count an event that was walked and counts as delivered."""
        found = self.found
        if self._has_receipt(event):
            found.proven += 1
        elif self._is_needed(event.timestamp):
            found.bare += 1
            self._note_bare(event.partition, event.offset)
        else:
            found.exempt += 1

    def _has_receipt(self, event: EventView) -> bool:
        place = (event.topic, event.partition)
        known = self._known.get(place)
        if known is None:
            return False
        told = known[event.offset - self._spans[place].begin]
        if not told:
            return False
        check = _check(packed_id(event.pop_id))
        return check == told or check in self._others.get((*place, event.offset), ())

    def _is_needed(self, stored_ms: int) -> bool:
        since = self.found.since_ms
        return since is not None and stored_ms >= since and (
            self._is_on or stored_ms < self._last_ms
        )  # fmt: skip

    def _note_bare(self, partition: int, offset: int) -> None:
        ranges, last = self.found.ranges, self._last.get(partition)
        if last is not None and ranges[last].end == offset:
            ranges[last] = ranges[last]._replace(end=offset + 1)
        elif len(ranges) < MOST_RANGES:
            self._last[partition] = len(ranges)
            ranges.append(Bare(partition, offset, offset + 1))


def read_proofs(
    topics: Topics,
    settings: Settings,
    spans: Sequence[Span],
    *,
    stage: Stage,
) -> Proofs | None:
    """Read all receipts of what will be walked; None: there are none, and none are asked for.

    Where POP_STREAM_RECEIPTS is off, a topic that is not there, or that this user may not read,
    holds none. Raises what `Topics.read` does.
    """
    is_on = settings.receipts == "on"
    proofs = Proofs(settings.group, spans, is_on=is_on)
    try:
        _read(topics, topics.spans([settings.receipts_topic]), proofs, stage)
    except WorkFailedError:
        if is_on:
            raise
        return None
    has_any = proofs.found.since_ms is not None or proofs.found.unreadable
    return proofs if is_on or has_any else None


def _read(topics: Topics, spans: Sequence[Span], proofs: Proofs, stage: Stage) -> None:
    first_stored: dict[tuple[str, int], int] = {}
    with stage("reading delivery receipts") as progress:
        for records in topics.read(spans, progress=progress):
            for record in records:
                first_stored.setdefault((record.topic, record.partition), record.timestamp)
                proofs.take(record)
    proofs.kept_since(kept_since(spans, first_stored))


def _check(packed: bytes) -> int:
    """What an id is known by, never 0. Not a part of it: ids of others may end alike."""
    return crc32(packed) % _CHECKS + 1
