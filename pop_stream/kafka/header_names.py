"""Reads records whose header names are not UTF-8, at which aiokafka raises.

Kafka takes any bytes for a header's name. aiokafka raises UnicodeDecodeError in the middle of a
fetch, and again at each later one: a single such record would stop its partition for good.
aiokafka has no way to hand it another reader, so the name that its fetcher looks up is replaced.
"""

import struct
from collections.abc import Iterator
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.record import default_records, memory_records

from pop_stream.kafka.stored_records import read_intact_batch
from pop_stream.kafka.unpacking import UnreadableBatchError, as_plain, codec_of

#: A batch begins with its offset (8 bytes) and the length of what follows (4).
_BATCH_START = struct.Struct(">qi")
#: Where a batch tells its version; before 2 the codec stands elsewhere.
_MAGIC_AT, _MAGIC = 16, 2


def read_any_header_name() -> None:
    r"""Let every consumer of this process read such records. May be called again.

    Bytes that are not UTF-8 are written out in the name, as in `caf\xe9`. Values, keys and
    headers' values stay as they are.
    """
    setattr(fetcher, "MemoryRecords", Batches)  # noqa: B010 - no type of it may be replaced


class Batches:
    """The batches of one partition from one fetch: aiokafka's, each with its bytes at hand."""

    def __init__(self, data: bytes) -> None:
        self._batches = memory_records.MemoryRecords(data)
        self._data = memoryview(data)
        self._at = 0
        self.size_in_bytes = self._batches.size_in_bytes
        self.has_next = self._batches.has_next

    def next_batch(self) -> "Batch | None":
        """The next; None when what is left is none."""
        batch = self._batches.next_batch()
        if batch is None:
            return None
        _, length = _BATCH_START.unpack_from(self._data, self._at)
        begin, self._at = self._at, self._at + _BATCH_START.size + length
        return Batch(batch, self._data[begin : self._at])


class Batch:
    """A batch that is read by aiokafka's compiled reader, and patiently where that fails.

    One that is larger than anybody may unpack is a single record without a value.
    """

    def __init__(self, batch: Any, data: memoryview) -> None:
        self._batch = batch
        #: All of it, as it was stored.
        self.data = data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __next__(self) -> Any:
        return next(self._batch)

    def __iter__(self) -> Iterator[Any]:
        plain: bytes | memoryview = self.data
        batch = self._batch
        if plain[_MAGIC_AT] == _MAGIC and codec_of(plain):
            try:
                plain = as_plain(plain)
            except UnreadableBatchError:
                return read_intact_batch(plain)
            batch = memory_records.MemoryRecords(bytes(plain)).next_batch()
        try:
            return iter(list(batch))
        except UnicodeDecodeError:
            return iter(_PatientBatch(plain))


class _PatientBatch(default_records._DefaultRecordBatchPy):  # type: ignore[misc]  # noqa: SLF001
    """aiokafka's reader in Python, on bytes that decode to text whatever they are."""

    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        self._buffer = _PatientBytes(self._buffer)


class _PatientBytes(bytearray):
    """Bytes of which every part can be decoded."""

    def __getitem__(self, place: Any) -> Any:
        part = super().__getitem__(place)
        return _PatientBytes(part) if isinstance(place, slice) else part

    def decode(self, encoding: str = "utf-8", errors: str = "backslashreplace") -> str:
        return super().decode(encoding, errors)
