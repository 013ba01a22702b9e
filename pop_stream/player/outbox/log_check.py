"""Whether SQLite would pass over commits in the write-ahead log of an outbox, without a word.

Source: the file format of SQLite 3, section 4 (checksums: 4.2).
"""

import sys
from pathlib import Path
from typing import Final

from pop_stream.player.outbox.disk_bytes import DiskBytes, bytes_of

_MAGIC: Final = (0x377F_0682, 0x377F_0683)
_PAGE_SIZES: Final = frozenset(1 << n for n in range(9, 17))
_HEADER: Final = 32
_FRAME_HEADER: Final = 24


def log_of(path: Path) -> Path:
    """Where the log of an outbox stands."""
    return path.with_name(f"{path.name}-wal")


def log_is_damaged(path: Path) -> bool:
    """Whether commits stand in the write-ahead log behind a place at which SQLite stops reading.

    It stops at the first frame whose checksum does not fit, without a word. Behind the last commit
    that is as it should be: a power cut leaves the beginning of a transaction there.

    Raises OSError.
    """
    with bytes_of(log_of(path)) as log:
        header = log[:_HEADER]
        if len(header) < _HEADER:
            return bool(header)
        size = _word(header, 8)
        if _word(header, 0) not in _MAGIC or size not in _PAGE_SIZES:
            return True
        order = "big" if header[3] & 1 else "little"
        sums = _checksum(header[:24], order, (0, 0))
        if sums != (_word(header, 24), _word(header, 28)):
            return True
        return _commits_behind_a_break(log, size, order, sums)


def _commits_behind_a_break(
    log: bytes | DiskBytes, size: int, order: str, sums: tuple[int, int]
) -> bool:
    # Frames with other salts are left of a log that this one has begun to overwrite.
    salts, is_broken = log[16:24], False
    for begin in range(_HEADER, len(log) - _FRAME_HEADER - size + 1, _FRAME_HEADER + size):
        frame = log[begin : begin + (_FRAME_HEADER if is_broken else _FRAME_HEADER + size)]
        head = frame[:_FRAME_HEADER]
        if not is_broken:
            sums = _checksum(frame[_FRAME_HEADER:], order, _checksum(head[:8], order, sums))
            is_broken = head[8:16] != salts or sums != (_word(head, 16), _word(head, 20))
        if is_broken and head[8:16] == salts and any(head[4:8]):
            return True
    return False


def _checksum(part: bytes, order: str, sums: tuple[int, int]) -> tuple[int, int]:
    words = memoryview(part if order == sys.byteorder else _turned(part)).cast("I")
    first, second = sums
    for n in range(0, len(words), 2):
        first = first + words[n] + second & 0xFFFF_FFFF
        second = second + words[n + 1] + first & 0xFFFF_FFFF
    return first, second


def _turned(part: bytes) -> bytes:
    turned = bytearray(part)
    for n in range(4):
        turned[n::4] = part[3 - n :: 4]
    return bytes(turned)


def _word(part: bytes, at: int) -> int:
    return int.from_bytes(part[at : at + 4], "big")
