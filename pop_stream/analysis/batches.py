"""Goes through record batches as Kafka stores them, and opens only those that are of interest.

A batch holds hundreds of records one behind the other. To look for a text in all of them at once
costs a hundredth of making a record of each.
"""

import re
import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from aiokafka.codec import gzip_decode, lz4_decode, zstd_decode
from aiokafka.record.control_record import ABORT_MARKER, ControlRecord

from pop_stream.kafka.header_names import Batch, Batches

#: First offset; length of what follows; (leader epoch, magic, checksum, attributes); last offset,
#: from the first.
_HEADER: Final = struct.Struct(">qi4x1x4x2xi")
_LENGTH_AT: Final = 12
#: Where the records of a batch begin.
_RECORDS_AT: Final = 61
#: By the number that a batch has for it. Snappy comes in a frame of its own; such are just opened.
_DECODE: Final[dict[int, Callable[[Any], bytes]]] = {
    1: gzip_decode, 3: lz4_decode, 4: zstd_decode,
}  # fmt: skip
#: How JSON writes a letter in another way. Behind another byte, a backslash is part of a number.
_ESCAPE: Final = re.compile(rb'\\["\\/bfnrtu]')


class Glance(NamedTuple):
    """Says what cannot be wanted, without making a record of it."""

    #: Of one record's value.
    value: Callable[[bytes | None], bool]
    #: Of the bytes of many records.
    records: Callable[[bytes], bool]


class Fetched(NamedTuple):
    """What one partition gave at once."""

    topic: str
    partition: int
    data: bytes
    #: Transactions that were given up: their producer, and their first offset.
    aborted: Sequence[tuple[int, int]]


class CorruptBatchError(Exception):
    """A batch is not what was written."""


def end_of(data: bytes) -> int | None:
    """The offset behind the last whole batch; None when there is none."""
    at, end = 0, None
    while at + _RECORDS_AT <= len(data):
        first, length, last = _HEADER.unpack_from(data, at)
        if at + _LENGTH_AT + length > len(data):
            break
        end, at = first + last + 1, at + _LENGTH_AT + length
    return end


def records_of(fetched: Fetched, glance: Glance | None) -> Iterator[list[Any]]:
    """The records of each batch that may hold a wanted one, without those that were given up.

    Raises CorruptBatchError.
    """
    dropped = _Dropped(fetched.aborted)
    batches = Batches(fetched.data)
    while batches.has_next():
        batch = batches.next_batch()
        if batch is None:
            break
        if dropped.has(batch) or batch.is_control_batch:
            continue
        if not batch.validate_crc():
            raise CorruptBatchError(f"{fetched.topic}/{fetched.partition}/{batch.base_offset}")
        if glance is None or _may_hold(batch, glance):
            yield list(batch)


def _may_hold(batch: Batch, glance: Glance) -> bool:
    kind, stored = batch.compression_type, batch.data[_RECORDS_AT:]
    if not kind:
        return glance.records(bytes(stored))
    decode = _DECODE.get(kind)
    return decode is None or glance.records(decode(bytes(stored)))


def has_escape(records: bytes) -> bool:
    """Whether a letter may be written in another way somewhere."""
    return _ESCAPE.search(records) is not None


class _Dropped:
    """Which batches belong to transactions that were given up."""

    def __init__(self, aborted: Sequence[tuple[int, int]]) -> None:
        self._coming = sorted(aborted, key=lambda each: each[1], reverse=True)
        self._producers: set[int] = set()

    def has(self, batch: Batch) -> bool:
        """Ask it of every batch, in order."""
        while self._coming and self._coming[-1][1] <= batch.base_offset:
            self._producers.add(self._coming.pop()[0])
        if batch.producer_id not in self._producers:
            return False
        if batch.is_control_batch and self._is_end(batch):
            self._producers.discard(batch.producer_id)
        return bool(batch.is_transactional)

    @staticmethod
    def _is_end(batch: Batch) -> bool:
        return any(ControlRecord.parse(record.key) == ABORT_MARKER for record in batch)
