"""A delivery receipt: what GSTV has taken of one partition of the players' topic, and when.

One record tells of many events. It is a JSON object that people can read, with the columns of what
differs from event to event: a number when all are alike, a list when they are few, and else a list
that is packed (zlib, base64). The ids, of which nothing can be saved, are bytes in base64.

```
{"version":1,"group":"pop-stream","worker":"0.1.0","topic":"pop-events","partition":3,
 "from":1000,"to":1003,"events":3,"at":1795168800000,
 "steps":1,"waits":[4,-1],"attempts":1,"ids":"AZryw..."}
```

The events are in the order of their offsets, `from` is the first of these and `to` one beyond the
last. `steps` and `waits` lead from each event to the next: how much higher its offset is, and how
many milliseconds later it was delivered than the one before it here. Whatever cannot be read is no
receipt: it proves nothing.
"""

import base64
import zlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from typing import Any, Final, NamedTuple, TypeAlias

import orjson

#: A record of so many is well below what any topic takes: some 25 KB.
MOST_EVENTS: Final = 1000
#: Receipts of another version may hold more; a record that claims more is not one of ours.
_MOST_READ: Final = 10_000
_MOST_BYTES: Final = 1_000_000
_VERSION: Final = 1
_ID_BYTES: Final = 16
#: As many as take no more room than their packing would.
_MOST_PLAIN: Final = 16
#: Of one number, with its comma.
_NUMBER_BYTES: Final = 21
#: As `pop_stream.pop.trail` reads them from `pop-origin`.
_MOST_OFFSET: Final = 10**19
_MOST_ATTEMPTS: Final = 2_000_000
#: The year 9999, in epoch milliseconds.
_LATEST_MS: Final = 253_402_300_799_000

#: All alike, each as it is, or packed.
Column: TypeAlias = int | list[int] | str


class Delivery(NamedTuple):
    """GSTV has taken one event."""

    #: Of the player's own record.
    offset: int
    pop_id: str
    #: When it answered, in epoch milliseconds, by the worker's clock.
    at_ms: int
    #: Attempts that were made and counted; the last one was taken.
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Deliveries of one partition, in the order of their offsets, each part as a column."""

    group: str
    #: The version of the worker that has delivered them.
    worker: str
    #: Where the players' own records stand.
    topic: str
    partition: int
    offsets: Sequence[int] = ()
    #: Sixteen bytes each.
    ids: bytes = field(default=b"", repr=False)
    #: When each was delivered, in epoch milliseconds.
    times: Sequence[int] = ()
    attempts: Sequence[int] = ()

    def deliveries(self) -> Iterator[Delivery]:
        """Each by itself."""
        return map(self._delivery, range(len(self.offsets)))

    def of(self, wanted: Collection[bytes]) -> Iterator[Delivery]:
        """Those of some events, by their packed ids: one of each, unless it was delivered twice."""
        packed = enumerate(self.packed_ids())
        return (self._delivery(index) for index, one in packed if one in wanted)

    def packed_ids(self) -> Iterator[bytes]:
        """The id of each, packed."""
        ends = range(_ID_BYTES, len(self.ids) + 1, _ID_BYTES)
        return (self.ids[end - _ID_BYTES : end] for end in ends)

    def _delivery(self, index: int) -> Delivery:
        digits = self.ids[index * _ID_BYTES : (index + 1) * _ID_BYTES].hex()
        parts = (digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])
        return Delivery(
            self.offsets[index], "-".join(parts), self.times[index], self.attempts[index]
        )


def packed_id(pop_id: str) -> bytes:
    """A pop-id as its sixteen bytes; of several in a row all of them."""
    return bytes.fromhex(pop_id.replace("-", ""))


def receipt_of(
    deliveries: Iterable[tuple[int, str, int, int]],
    *,
    group: str,
    worker: str,
    topic: str,
    partition: int,
) -> Receipt:
    """The receipt of deliveries (`Delivery`) of one partition, in whatever order they come."""
    rows = sorted(deliveries)
    return Receipt(
        group=group,
        worker=worker,
        topic=topic,
        partition=partition,
        offsets=[row[0] for row in rows],
        ids=packed_id("".join([row[1] for row in rows])),
        times=[row[2] for row in rows],
        attempts=[row[3] for row in rows],
    )


def encode_receipt(receipt: Receipt) -> bytes:
    """The value of its record."""
    offsets, times = receipt.offsets, receipt.times
    return orjson.dumps(
        {
            "version": _VERSION,
            "group": receipt.group,
            "worker": receipt.worker,
            "topic": receipt.topic,
            "partition": receipt.partition,
            "from": offsets[0] if offsets else 0,
            "to": offsets[-1] + 1 if offsets else 0,
            "events": len(offsets),
            "at": times[0] if times else 0,
            "steps": _pack([two - one for one, two in pairwise(offsets)]),
            "waits": _pack([two - one for one, two in pairwise(times)]),
            "attempts": _pack(receipt.attempts),
            "ids": base64.b64encode(receipt.ids).decode(),
        }
    )


def decode_receipt(value: bytes | None) -> Receipt | None:
    """What a record tells; None: it is no receipt of ours, or damaged. Its memory is bounded."""
    if value is None or len(value) > _MOST_BYTES:
        return None
    try:
        told = orjson.loads(value)
        return _receipt(told) if type(told) is dict else None
    except (ValueError, KeyError, zlib.error):
        return None


def _receipt(told: dict[str, Any]) -> Receipt:
    """Raises ValueError for whatever a worker does not write, KeyError for what is missing."""
    if _number(told["version"], _VERSION) != _VERSION:
        raise ValueError("of another version")
    events = _number(told["events"], _MOST_READ)
    between = max(events - 1, 0)
    first, end = _number(told["from"], _MOST_OFFSET), _number(told["to"], _MOST_OFFSET)
    steps, waits = _unpack(told["steps"], between), _unpack(told["waits"], between)
    attempts = _unpack(told["attempts"], events)
    offsets = list(accumulate(steps, initial=first)) if events else []
    times = list(accumulate(waits, initial=_number(told["at"], _LATEST_MS))) if events else []
    ids = base64.b64decode(_text(told["ids"]), validate=True)
    is_sound = (
        len(ids) == events * _ID_BYTES
        and min(steps, default=0) >= 0
        and end == (offsets[-1] + 1 if events else first)
        and min(times, default=0) >= 0
        and max(times, default=0) <= _LATEST_MS
        and min(attempts, default=1) >= 1
        and max(attempts, default=1) <= _MOST_ATTEMPTS
    )
    if not is_sound:
        raise ValueError("the columns do not agree with each other")
    return Receipt(
        group=_text(told["group"]),
        worker=_text(told["worker"]),
        topic=_text(told["topic"]),
        partition=_number(told["partition"], _MOST_OFFSET),
        offsets=offsets,
        ids=ids,
        times=times,
        attempts=attempts,
    )


def _pack(numbers: Sequence[int]) -> Column:
    if not numbers:
        return 0
    if numbers.count(numbers[0]) == len(numbers):
        return numbers[0]
    if len(numbers) <= _MOST_PLAIN:
        return list(numbers)
    # A window of 4 KiB: to begin with a whole one costs more than all the packing.
    packer = zlib.compressobj(1, zlib.DEFLATED, 12, 5)
    packed = packer.compress(orjson.dumps(numbers)) + packer.flush()
    return base64.b64encode(packed).decode()


def _unpack(column: object, count: int) -> list[int]:
    if type(column) is int:
        return [column] * count
    if type(column) is str:
        unpacker = zlib.decompressobj()
        text = unpacker.decompress(
            base64.b64decode(column, validate=True), count * _NUMBER_BYTES + 2
        )
        if not unpacker.eof or unpacker.unused_data:
            raise ValueError("more than there can be")
        column = orjson.loads(text)
    if type(column) is not list or len(column) != count:
        raise ValueError("not a number for each")
    if any(type(each) is not int for each in column):
        raise ValueError("not all are numbers")
    return column


def _number(value: object, most: int) -> int:
    if type(value) is not int or not 0 <= value <= most:
        raise ValueError("not such a number")
    return value


def _text(value: object) -> str:
    if type(value) is not str:
        raise ValueError("not a text")
    return value
