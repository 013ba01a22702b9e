"""Record batches as no honest client writes them, with checksums that fit."""

import struct
import zlib
from collections.abc import Callable

import cramjam
from aiokafka.codec import gzip_encode, lz4_encode, snappy_encode, zstd_encode
from aiokafka.record._crc32c import crc as crc32c
from aiokafka.record.default_records import _DefaultRecordBatchBuilderPy
from aiokafka.record.util import encode_varint

CODECS: dict[str, tuple[int, Callable[[bytes], bytes]]] = {
    "gzip": (1, gzip_encode),
    "snappy": (2, snappy_encode),
    "lz4": (3, lz4_encode),
    "zstd": (4, zstd_encode),
}
MEBIBYTE = 1024 * 1024
RECORDS_AT = 61
#: The checksum stands at 17, and is over all from 21 on.
_CRC_AT, _SUMMED_FROM = 17, 21
#: Codec and kind; last offset from the first; two times; producer; how many records.
_SUMMED = struct.Struct(">hiqqqhii")


def batch_around(data: bytes, *, codec: int, base_offset: int = 0, count: int = 1) -> bytes:
    """A batch with these bytes for its records, whatever they are."""
    summed = _SUMMED.pack(codec, count - 1, 1, 1, -1, -1, -1, count) + data
    head = struct.pack(">qiibI", base_offset, 9 + len(summed), 0, 2, crc32c(summed))
    return head + summed


def with_fitting_checksum(batch: bytes | bytearray) -> bytes:
    """The batch with the checksum of what it holds now."""
    sealed = bytearray(batch)
    struct.pack_into(">I", sealed, _CRC_AT, crc32c(bytes(sealed[_SUMMED_FROM:])))
    return bytes(sealed)


def batch_of(*values: bytes | None, base_offset: int = 0, codec: int = 0) -> bytes:
    """An honest batch."""
    builder = _DefaultRecordBatchBuilderPy(2, codec, 0, -1, -1, -1, 2**31 - 1)
    for offset, value in enumerate(values):
        assert builder.append(offset, 1, b"key", value, [("pop-id", b"x")]) is not None
    built = bytearray(builder.build())
    struct.pack_into(">q", built, 0, base_offset)
    return bytes(built)


def batch_with_headers(*headers: tuple[str, bytes | None]) -> bytes:
    """An honest batch of one record with these headers."""
    builder = _DefaultRecordBatchBuilderPy(2, 0, 0, -1, -1, -1, 2**31 - 1)
    assert builder.append(0, 1, b"key", b"value", list(headers)) is not None
    return bytes(builder.build())


def zeros(mebibytes: int) -> bytes:
    """As many zeros."""
    return bytes(mebibytes * MEBIBYTE)


def records_of(*values: bytes | None) -> bytes:
    """Records as they stand in a batch, without keys and headers."""
    records = []
    for number, value in enumerate(values):
        size = -1 if value is None else len(value)
        inner = b"\0" + _varints(0, number, -1, size) + (value or b"") + b"\0"
        records.append(_varints(len(inner)) + inner)
    return b"".join(records)


def _varints(*numbers: int) -> bytes:
    made = bytearray()
    for number in numbers:
        encode_varint(number, made.append)
    return bytes(made)


def bomb(name: str, mebibytes: int) -> bytes:
    """One record that becomes so many mebibytes: a value of zeros."""
    size = mebibytes * MEBIBYTE - 1
    inner = b"\0" + _varints(0, 0, -1, size)
    # The last of the zeros says that there are no headers.
    begin = _varints(len(inner) + size + 1) + inner
    return _BOMBS[name](begin, mebibytes)


def _gzip_bomb(begin: bytes, mebibytes: int) -> bytes:
    return gzip_encode(begin) + gzip_encode(zeros(1)) * mebibytes


def _snappy_bomb(begin: bytes, mebibytes: int) -> bytes:
    magic = snappy_encode(b"x")[:16]
    blocks = [cramjam.snappy.compress_raw(begin)]
    blocks += [cramjam.snappy.compress_raw(zeros(1))] * mebibytes
    return magic + b"".join(struct.pack(">i", len(block)) + bytes(block) for block in blocks)


def _lz4_bomb(begin: bytes, mebibytes: int) -> bytes:
    return lz4_encode(begin) + lz4_encode(zeros(4)) * (mebibytes // 4)


def _zstd_bomb(begin: bytes, mebibytes: int) -> bytes:
    # A frame by hand: a block as it is, then blocks of one byte and how often it is repeated.
    last, repeated, size = 1, 1 << 1, 128 * 1024 << 3
    blocks = [(len(begin) << 3).to_bytes(3, "little") + begin]
    blocks += [(size | repeated).to_bytes(3, "little") + b"\0"] * (mebibytes * 8 - 1)
    end = (size | repeated | last).to_bytes(3, "little") + b"\0"
    return b"\x28\xb5\x2f\xfd\x00\x58" + b"".join(blocks) + end


_BOMBS: dict[str, Callable[[bytes, int], bytes]] = {
    "gzip": _gzip_bomb,
    "snappy": _snappy_bomb,
    "lz4": _lz4_bomb,
    "zstd": _zstd_bomb,
}


def gzip_with_a_tail(data: bytes) -> bytes:
    """What Java reads to the end of its stream, and Python's gzip refuses for what follows."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return packer.compress(data) + packer.flush() + b"tail"
