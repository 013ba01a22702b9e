"""Unpacks what players compressed, up to a size.

Kafka limits a batch by its compressed size only: eight kilobytes of zstd that it takes may be 256
megabytes of zeros. aiokafka unpacks them whatever they become, and so one such batch ends every
worker that takes its partition, each time anew.
"""

import struct
import zlib
from collections.abc import Callable
from typing import Any, Final

import cramjam
from aiokafka.errors import CorruptRecordException

#: Of one batch. Kafka takes a megabyte, unless it is told otherwise: that is one to 32. A worker
#: may have one batch of each of its partitions unpacked at a time.
MOST_UNPACKED_BYTES: Final = 32 * 1024 * 1024

#: Where a batch of version 2 (KIP-98) has its records, and the byte with the number of its codec.
RECORDS_AT: Final = 61
CODEC_AT: Final = 22
CODEC_BITS: Final = 0x07
_LENGTH: Final = struct.Struct(">i")
#: A batch begins with its offset and the length of what follows.
_LENGTH_AT: Final = 8
_LENGTH_COUNTS_FROM: Final = 12

#: How the Java client frames Snappy: this, two versions, then blocks with their lengths.
_XERIAL: Final = b"\x82SNAPPY\x00"
_XERIAL_BLOCKS_AT: Final = 16
_GZIP: Final = b"\x1f\x8b"
_PIECE: Final = 16 * 1024
_LEAST_ROOM: Final = 64 * 1024
_MORE_ROOM: Final = 8


class UnreadableBatchError(CorruptRecordException):
    """A batch is as it was written, and cannot be read, or not without taking all memory."""


def codec_of(batch: bytes | memoryview) -> int:
    """The number of the codec of a batch; 0: none."""
    return batch[CODEC_AT] & CODEC_BITS


def as_plain(batch: bytes | memoryview) -> bytes | memoryview:
    """Give a batch as it would be without compression; its checksum is not made anew.

    Raises UnreadableBatchError.
    """
    if not codec_of(batch):
        return batch
    records = records_in(batch)
    head = bytearray(batch[:RECORDS_AT])
    head[CODEC_AT] &= ~CODEC_BITS
    _LENGTH.pack_into(head, _LENGTH_AT, RECORDS_AT - _LENGTH_COUNTS_FROM + len(records))
    return b"".join((head, records))


def records_in(batch: bytes | memoryview) -> bytes | memoryview:
    """The records of a batch, unpacked. Raises UnreadableBatchError."""
    codec, stored = codec_of(batch), batch[RECORDS_AT:]
    return unpacked(codec, stored) if codec else stored


def unpacked(codec: int, data: bytes | memoryview) -> bytes | memoryview:
    """Unpack the records of a batch. Raises UnreadableBatchError.

    It is told when they become more than MOST_UNPACKED_BYTES; no more than that is ever made.
    """
    if not data:
        return b""
    if codec not in _UNPACK:
        raise UnreadableBatchError(f"codec {codec} is none of Kafka's")
    name, unpack = _UNPACK[codec]
    try:
        return unpack(data)
    except _TooLargeError:
        raise UnreadableBatchError(
            f"its {len(data)} bytes of {name} become more than {MOST_UNPACKED_BYTES}"
        ) from None
    except (cramjam.DecompressionError, zlib.error, ValueError) as error:
        raise UnreadableBatchError(f"its {len(data)} bytes are no {name}: {error}") from error


class _TooLargeError(Exception):
    pass


def _gzip(data: bytes | memoryview) -> bytes:
    # As Java reads it: several streams are one, and what follows them is passed over.
    parts, at, room = list[bytes](), 0, MOST_UNPACKED_BYTES
    while True:
        stream = zlib.decompressobj(31)
        while not stream.eof:
            # What follows a stream is copied: of a whole batch that would be much, many times.
            piece = data[at : at + _PIECE]
            if not piece:
                raise ValueError("it has no end")
            part = stream.decompress(piece, room + 1)
            if len(part) > room:
                raise _TooLargeError
            parts.append(part)
            room -= len(part)
            at += len(piece) - len(stream.unused_data)
        if bytes(data[at : at + len(_GZIP)]) != _GZIP:
            return b"".join(parts)


def _snappy(data: bytes | memoryview) -> bytes:
    blocks = [data]
    if bytes(data[: len(_XERIAL)]) == _XERIAL:
        blocks = []
        at = _XERIAL_BLOCKS_AT
        while at < len(data):
            if at + _LENGTH.size > len(data):
                raise ValueError(f"a block's length ends at {len(data)}")
            (size,) = _LENGTH.unpack_from(data, at)
            at += _LENGTH.size
            if not 0 <= size <= len(data) - at:
                raise ValueError(f"a block of {size} bytes at {at}")
            blocks.append(data[at : at + size])
            at += size
    # Each tells how long it will be, and does not become longer.
    if sum(map(cramjam.snappy.decompress_raw_len, blocks)) > MOST_UNPACKED_BYTES:
        raise _TooLargeError
    return b"".join(bytes(cramjam.snappy.decompress_raw(block)) for block in blocks)


def _lz4(data: bytes | memoryview) -> memoryview:
    return _into_room(cramjam.lz4.decompress_into, data)


def _zstd(data: bytes | memoryview) -> memoryview:
    return _into_room(cramjam.zstd.decompress_into, data)


def _into_room(decompress_into: Callable[[Any, Any], int], data: bytes | memoryview) -> memoryview:
    """Unpack what does not tell how much it will be, into more and more room."""
    size = max(_MORE_ROOM * len(data), _LEAST_ROOM)
    while True:
        size = min(size, MOST_UNPACKED_BYTES)
        room = bytearray(size)
        try:
            return memoryview(room)[: decompress_into(data, room)]
        except cramjam.DecompressionError as error:
            # It says so in words only.
            if "whole buffer" not in str(error):
                raise
        if size == MOST_UNPACKED_BYTES:
            raise _TooLargeError
        size *= _MORE_ROOM


_UNPACK: Final[dict[int, tuple[str, Callable[[bytes | memoryview], bytes | memoryview]]]] = {
    1: ("gzip", _gzip),
    2: ("snappy", _snappy),
    3: ("lz4", _lz4),
    4: ("zstd", _zstd),
}
