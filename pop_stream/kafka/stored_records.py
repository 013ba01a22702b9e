"""Records as they are stored: read so far as every event needs it, their headers when asked for.

aiokafka takes each record apart to the last header, and then copies it into another one that also
names topic and partition. A player's record has nine headers, of which a delivery needs one: to
read the rest for every event is a fifth of what the worker does. aiokafka has no way to hand it
another reader, so the class that its fetcher looks up is replaced.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, cast

from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record import util
from aiokafka.record.default_records import _DefaultRecordBatchPy

from pop_stream.kafka.unpacking import records_in

#: Where a batch tells its version (KIP-98: the first of which this knows is 2).
_MAGIC_AT, _MAGIC = 16, 2
#: A byte of a number behind which there are more.
_MORE = 0x80
#: Of a length's first byte: there are more, or it is negative.
_LONGER = 0x81

#: Bytes of a header's name.
_USUAL_NAME = 64

Headers = list[tuple[str, bytes]]

#: What reads numbers does not see the end of the data: behind it numbers end at once.
_BEYOND = bytes(64)

#: The number at a place, and the place behind it. It takes any bytes, whatever its types say.
_varint: Callable[[bytes, int], tuple[int, int]] = cast(Any, util.decode_varint)


class StoredRecord:
    """A record of a topic, without the names of topic and partition."""

    __slots__ = ("_stored", "key", "offset", "timestamp", "value")

    #: Why it stands for records that cannot be read; None: it is a record.
    unreadable: str | None = None

    def __init__(
        self,
        offset: int,
        timestamp: int,
        key: bytes | None,
        value: bytes | None,
        stored: bytes | Headers,
    ) -> None:
        """`timestamp` is in epoch milliseconds; `stored` are the headers, read or as stored."""
        self.offset = offset
        self.timestamp = timestamp
        self.key = key
        self.value = value
        self._stored = stored

    @property
    def size(self) -> int:
        """The bytes of key, value and headers."""
        stored = self._stored
        if isinstance(stored, bytes):
            headers = len(stored)
        else:
            headers = sum(len(name) + len(value or b"") for name, value in stored)
        return headers + len(self.value or b"") + len(self.key or b"")

    @property
    def headers(self) -> Headers:
        r"""All headers. A name that is not UTF-8 is written out, as in `caf\xe9`.

        Raises CorruptRecordException: Kafka takes no such record, so it was altered on its way.
        """
        if isinstance(self._stored, bytes):
            self._stored = self._read(self._stored)
        return self._stored

    def first_headers(self, most: int) -> Headers:
        """The first headers, and none behind so many. Raises as `headers` does."""
        if isinstance(self._stored, bytes):
            return self._read(self._stored, most)
        return self._stored[:most]

    def _read(self, stored: bytes, most: int | None = None) -> Headers:
        try:
            return _read_headers(stored, most)
        except ValueError as error:
            raise CorruptRecordException(f"headers of offset {self.offset}: {error}") from error

    def header(self, name: "StoredName") -> bytes | None:
        """The value of the last header of that name; None if there is none."""
        stored = self._stored
        if isinstance(stored, bytes):
            begin = name.value_at
            # Nearly always it is the first of fewer than 64 headers, with a value of fewer than 64
            # bytes. No later one can have the name: nowhere else are the bytes of its name.
            if (
                stored.startswith(name.stored, 1)
                and stored[0] < _MORE
                and stored.find(name.stored, 2) < 0
                and len(stored) > begin
                and stored[begin] < _MORE
                and not stored[begin] & 1
            ):
                return stored[begin + 1 : begin + 1 + (stored[begin] >> 1)]
        text = name.text
        return next((value for known, value in reversed(self.headers) if known == text), None)


class StoredName:
    """The name of a header, of fewer than 64 letters, and its bytes in a record."""

    __slots__ = ("stored", "text", "value_at")

    def __init__(self, text: str) -> None:
        self.text = text
        self.stored = bytes((2 * len(text),)) + text.encode("ascii")
        #: Where the value's length stands if this is the first header.
        self.value_at = 1 + len(self.stored)


class UnreadableRecords(StoredRecord):
    """Stands for the records of a batch that cannot be read, at the offset of the last of them."""

    __slots__ = ("unreadable",)
    #: As aiokafka's records have them.
    timestamp_type, checksum = 0, None

    def __init__(self, offset: int, timestamp: int, why: str) -> None:
        super().__init__(offset, timestamp, None, None, [])
        self.unreadable = why


def read_batch(data: bytes | memoryview) -> Iterator[StoredRecord]:
    """Read the records of a batch of version 2 (KIP-98), one by one.

    Raises CorruptRecordException; UnreadableBatchError is one of them.
    """
    # One copy, and no other is left: it stays until its last record was read.
    records = b"".join((records_in(data), _BEYOND))
    head = _DefaultRecordBatchPy(data)
    fixed = head.max_timestamp if head.timestamp_type == head.LOG_APPEND_TIME else None
    # Unpacked, they may be millions of the smallest: no list is made of them.
    try:
        yield from _read_records(
            records,
            head._num_records,  # noqa: SLF001 - it has no other way
            head.base_offset,
            head.first_timestamp,
            fixed,
        )
    except ValueError as error:
        raise CorruptRecordException(f"a record ends where it should not: {error}") from error


def read_intact_batch(data: bytes | memoryview) -> Iterator[StoredRecord]:
    """Read the records of a batch that is as it was written: its checksum fits.

    What cannot be read of it will never be, so the last record then stands for the others.
    """
    try:
        yield from read_batch(data)
    except CorruptRecordException as error:
        head = _DefaultRecordBatchPy(data)
        begin, last = head.base_offset, head.base_offset + head.last_offset_delta
        why = f"in the batch of offsets {begin} to {last}: {error.args[0]}"
        yield UnreadableRecords(last, head.max_timestamp, why)


def _read_records(
    data: bytes, count: int, base_offset: int, base_timestamp: int, fixed: int | None
) -> Iterator[StoredRecord]:
    at, end, limit = 0, 0, len(data) - len(_BEYOND)
    for _ in range(count):
        length, at = _varint(data, at)
        end = at + length
        if not at < end <= limit:
            raise ValueError(f"a record of {length} bytes at {at}")
        # One byte of attributes, of which none is in use.
        timestamp, at = _varint(data, at + 1)
        offset, at = _varint(data, at)
        size, at = _varint(data, at)
        key = None if size < 0 else data[at : at + size]
        at += max(size, 0)
        if at >= end:
            raise ValueError(f"a key of {size} bytes before {at}")
        size, at = _varint(data, at)
        value = None if size < 0 else data[at : at + size]
        at += max(size, 0)
        if at >= end:
            raise ValueError(f"a value of {size} bytes before {at}")
        timestamp = base_timestamp + timestamp if fixed is None else fixed
        yield StoredRecord(base_offset + offset, timestamp, key, value, data[at:end])
        at = end
    if end != limit:
        raise ValueError(f"{limit - end} bytes are left")


def _read_headers(stored: bytes, most: int | None = None) -> Headers:
    headers: Headers = []
    limit = len(stored)
    stored += _BEYOND
    count, at = _varint(stored, 0)
    # Typed as all of pop-stream reads headers; one without a value is as good as none.
    value: Any
    for _ in range(count if most is None else min(count, most)):
        if at >= limit:
            raise ValueError(f"{count} that do not end before {limit}")
        # Nearly always a length is one byte: below 64, and not negative.
        length = stored[at]
        if length & _LONGER:
            length, at = _varint(stored, at)
            begin, at = at, at + length
        else:
            begin, at = at + 1, at + 1 + (length >> 1)
        if at < begin or at >= limit:
            raise ValueError(f"a name from {begin} to {at} of {limit}")
        name = stored[begin:at]
        length = stored[at]
        if length & _LONGER:
            length, at = _varint(stored, at)
            value = stored[at : at + length] if length >= 0 else None
            at += max(length, 0)
        else:
            begin, at = at + 1, at + 1 + (length >> 1)
            value = stored[begin:at]
        headers.append((_text_of(name), value))
    if count < 0 or (at != limit and len(headers) == count):
        raise ValueError(f"{count} that end at {at}, and not at {limit}")
    return headers


def _text_of(name: bytes) -> str:
    # Long ones are not kept: somebody may write a megabyte for a name, and each time another.
    if len(name) > _USUAL_NAME:
        return name.decode(errors="backslashreplace")
    return _text_of_usual(name)


@lru_cache(maxsize=256)  # nearly all records have the same names
def _text_of_usual(name: bytes) -> str:
    return name.decode(errors="backslashreplace")


def as_stored(value: bytes) -> bytes:
    """Leave a value as it is: the `value_deserializer` of a consumer that wants stored records."""
    return value


def hand_out_as_stored() -> None:
    """Let consumers of this process get stored records whose `value_deserializer` is as_stored."""
    setattr(fetcher, "PartitionRecords", _Records)  # noqa: B010 - no type of it may be replaced


class _Records(fetcher.PartitionRecords):
    def __init__(self, tp: Any, records: Any, *others: Any) -> None:
        self._is_stored = as_stored in others
        super().__init__(tp, _Batches(records) if self._is_stored else records, *others)  # type: ignore[no-untyped-call]

    def _consumer_record(self, tp: Any, record: Any) -> Any:
        if not self._is_stored:
            return super()._consumer_record(tp, record)  # type: ignore[no-untyped-call]
        if isinstance(record, StoredRecord):
            return record
        # Of a format before version 2, of which old segments may still be: it has no headers.
        return StoredRecord(record.offset, record.timestamp, record.key, record.value, [])


class _Batches:
    """The batches of a fetch (`pop_stream.kafka.header_names`), read as they are stored."""

    def __init__(self, batches: Any) -> None:
        self._batches = batches
        self.has_next = batches.has_next

    def next_batch(self) -> Any:
        batch = self._batches.next_batch()
        return _Batch(batch) if batch.data[_MAGIC_AT] == _MAGIC else batch


class _Batch:
    def __init__(self, batch: Any) -> None:
        self._batch = batch

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __next__(self) -> Any:
        return next(self._batch)

    def __iter__(self) -> Iterator[StoredRecord]:
        # aiokafka has compared its checksum.
        return read_intact_batch(self._batch.data)
