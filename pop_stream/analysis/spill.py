"""Joins two large heaps of rows by their keys, in little memory: on disk, bucket by bucket.

Rows with the same key fall into the same bucket, so that only one bucket of each side has to be in
memory at a time: of ten million rows, forty thousand.
"""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from struct import Struct
from typing import Final, NamedTuple
from zlib import crc32

from pop_stream.errors import WorkFailedError

KEY_BYTES: Final = 16
_BUCKETS: Final = 256
_FLUSH_BYTES: Final = 32 * 1024
_HEAD: Final = Struct(f"<{KEY_BYTES}sI")


class Pair(NamedTuple):
    """What both sides have of one key; one side may have nothing."""

    key: bytes
    ours: list[bytes]
    theirs: list[bytes]


class Heap:
    """Rows of one side."""

    def __init__(self, folder: Path, name: str) -> None:
        """The rows go into files of that name in a folder that is there and belongs to us."""
        self._paths = [folder / f"{name}-{number:03d}" for number in range(_BUCKETS)]
        self._buffers = [bytearray() for _ in range(_BUCKETS)]
        self.rows = 0

    def add(self, key: bytes, row: bytes) -> None:
        """Add a row. Raises WorkFailedError when the disk does not take it."""
        number = crc32(key) % _BUCKETS
        buffer = self._buffers[number]
        buffer += _HEAD.pack(key, len(row))
        buffer += row
        self.rows += 1
        if len(buffer) >= _FLUSH_BYTES:
            self._flush(number)

    def _flush(self, number: int) -> None:
        try:
            with self._paths[number].open("ab") as file:
                file.write(self._buffers[number])
        except OSError as error:
            raise WorkFailedError(
                f"{self._paths[number].parent}: cannot be written ({error.strerror}); TMPDIR names "
                "another place for temporary files"
            ) from error
        self._buffers[number].clear()

    def bucket(self, number: int) -> defaultdict[bytes, list[bytes]]:
        """The rows of a bucket by their keys, each key's in the order in which they were added."""
        rows: defaultdict[bytes, list[bytes]] = defaultdict(list)
        path = self._paths[number]
        data = path.read_bytes() if path.exists() else b""
        for some in (data, bytes(self._buffers[number])):
            at = 0
            while at < len(some):
                key, length = _HEAD.unpack_from(some, at)
                at += _HEAD.size
                rows[key].append(some[at : at + length])
                at += length
        return rows


def joined(ours: Heap, theirs: Heap | None) -> Iterator[Pair]:
    """Every key of either side once, in no order that means anything; None: there is one side."""
    for number in range(_BUCKETS):
        mine = ours.bucket(number)
        other = {} if theirs is None else theirs.bucket(number)
        for key, rows in mine.items():
            yield Pair(key, rows, other.pop(key, []))
        for key, rows in other.items():
            yield Pair(key, [], rows)
