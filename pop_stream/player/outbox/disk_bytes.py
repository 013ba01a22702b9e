"""The bytes of a file on a disk that may fail: what cannot be read counts as zeros.

Not a memory map: at a sector that cannot be read, or behind an end that has moved, the kernel ends
the process that looks there through one.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_SECTOR: Final = 512


class DiskBytes:
    """A file that is read as bytes are."""

    def __init__(self, file: int) -> None:
        self._file = file
        self._size = os.fstat(file).st_size

    def __len__(self) -> int:
        return self._size

    def __getitem__(self, part: slice) -> bytes:
        """A part. Raises OSError when it is not the disk that fails."""
        begin, end, _ = part.indices(self._size)
        try:
            return os.pread(self._file, max(0, end - begin), begin)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
        sectors = range(begin - begin % _SECTOR, end, _SECTOR)
        whole = b"".join(self._sector(at) for at in sectors)
        return whole[begin % _SECTOR :][: end - begin]

    def _sector(self, at: int) -> bytes:
        try:
            read = os.pread(self._file, _SECTOR, at)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            read = b""
        return read.ljust(_SECTOR, b"\0")


@contextmanager
def bytes_of(path: Path) -> Iterator[DiskBytes | bytes]:
    """The bytes of a file; none, where there is none. Raises OSError."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        yield b""
        return
    try:
        yield DiskBytes(file)
    finally:
        os.close(file)
