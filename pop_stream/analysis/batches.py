"""Goes through record batches as Kafka stores them, and makes records only of what may be wanted.

A batch holds hundreds of records one behind the other. To look for a text in all of them at once
costs a hundredth of making a record of each; of those without it only the length is read.
Source: Kafka's documentation, "Message Format" (record batch, record, varint).
"""

import re
import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from aiokafka.record.control_record import ABORT_MARKER, ControlRecord

from pop_stream.kafka.header_names import Batch, Batches
from pop_stream.kafka.unpacking import UnreadableBatchError, unpacked

#: First offset; length of what follows; (leader epoch, magic, checksum, attributes); last offset,
#: from the first.
_HEADER: Final = struct.Struct(">qi4x1x4x2xi")
_LENGTH_AT: Final = 12
_INT: Final = struct.Struct(">i")
_ATTRIBUTES_AT: Final = 22
_CODEC: Final = 0x07
#: To make a record of all is cheaper when more than one of so many is wanted.
_WORTHWHILE: Final = 8
#: Where the records of a batch begin. Before stands how many they are.
_RECORDS_AT: Final = 61
_COUNT_AT: Final = _RECORDS_AT - _INT.size
#: How JSON writes a letter in another way. Behind another byte, a backslash is part of a number.
_ESCAPE: Final = re.compile(rb'\\["\\/bfnrtu]')


class Glance(NamedTuple):
    """Says what cannot be wanted, without making a record of it."""

    #: Of one record's value.
    value: Callable[[bytes | None], bool]
    #: Of the bytes of many records: the places of whatever may make one of them wanted; the same
    #: record may be told several times, and in any order. None: each is looked at by itself.
    places: Callable[[bytes], Iterable[int]] | None


class Fetched(NamedTuple):
    """What one partition gave at once."""

    topic: str
    partition: int
    data: bytes
    #: Transactions that were given up: their producer, and their first offset.
    aborted: Sequence[tuple[int, int]]
    #: The offset behind its last whole batch.
    end: int


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
    """The records that may be wanted, some at a time, without those that were given up.

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
        look = None if glance is None else glance.places
        thinned = batch if look is None else _thinned(batch, look)
        if thinned is None:
            continue
        # Only of what is used: it takes as long as all else of a scan together.
        if not batch.validate_crc():
            raise CorruptBatchError(f"{fetched.topic}/{fetched.partition}/{batch.base_offset}")
        yield list(thinned)


def _thinned(batch: Batch, look: Callable[[bytes], Iterable[int]]) -> Batch | None:
    """The batch without those records in which nothing was seen; None when nothing is left."""
    kind, stored = batch.compression_type, bytes(batch.data[_RECORDS_AT:])
    if kind and not batch.validate_crc():
        return batch  # what is damaged cannot be unpacked; the caller tells of it
    try:
        records = bytes(unpacked(kind, stored)) if kind else stored
    except UnreadableBatchError:
        return batch
    places = sorted(look(records))
    if not places:
        return None
    (count,) = _INT.unpack_from(batch.data, _COUNT_AT)
    if len(places) * _WORTHWHILE > count:
        return batch
    kept = [records[begin:end] for begin, end in _around(records, places)]
    head = bytearray(batch.data[:_RECORDS_AT])
    _INT.pack_into(head, 8, _RECORDS_AT - _LENGTH_AT + sum(map(len, kept)))
    head[_ATTRIBUTES_AT] &= ~_CODEC
    _INT.pack_into(head, _COUNT_AT, len(kept))
    # Its checksum is that of the whole, and was looked at.
    return Batches(bytes(head) + b"".join(kept)).next_batch()


def _around(records: bytes, places: Iterable[int]) -> Iterator[tuple[int, int]]:
    """From where to where the records are that hold these places, which ascend."""
    begin = end = 0
    for place in places:
        while place >= end:
            begin, first = end, records[end]
            second = records[end + 1]
            # Its own length stands before a record, twice as large as it is, seven bits a byte.
            if first < 0x80:
                end += 1 + (first >> 1)
            elif second < 0x80:
                end += 2 + ((first & 0x7F | second << 7) >> 1)
            else:
                length, start = _long_length(records, end)
                end = start + length
            if place < end:
                yield begin, end


def _long_length(records: bytes, at: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = records[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return number >> 1, at


def places_of(literals: Iterable[bytes], records: bytes) -> Iterator[int]:
    """Where one of these texts stands, or a letter that is written in another way."""
    for literal in literals:
        at = records.find(literal)
        while at >= 0:
            yield at
            at = records.find(literal, at + 1)
    for escape in _ESCAPE.finditer(records):
        yield escape.start()


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
