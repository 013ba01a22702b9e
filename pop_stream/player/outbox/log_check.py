"""Whether SQLite would pass over commits in the write-ahead log of an outbox, without a word.

Source: the file format of SQLite 3, section 4 (checksums: 4.2).
"""

import sys
from pathlib import Path
from typing import Final

_MAGIC: Final = (0x377F_0682, 0x377F_0683)
_HEADER: Final = 32
_FRAME_HEADER: Final = 24


def log_of(path: Path) -> Path:
    """Where the log of an outbox stands."""
    return path.with_name(f"{path.name}-wal")


def log_is_damaged(path: Path) -> bool:
    """Whether commits stand in the write-ahead log behind a place at which SQLite stops reading.

    It stops at the first frame whose checksum does not fit, without a word. Behind the last commit
    that is as it should be: a power cut leaves the beginning of a transaction there.
    """
    try:
        log = log_of(path).read_bytes()
    except FileNotFoundError:
        return False
    if len(log) < _HEADER:
        return bool(log)
    size = _word(log, 8)
    if _word(log, 0) not in _MAGIC or not 512 <= size <= 65536:
        return True
    order = "big" if log[3] & 1 else "little"
    sums = _checksum(log[:24], order, (0, 0))
    if sums != (_word(log, 24), _word(log, 28)):
        return True
    return _commits_behind_a_break(log, size, order, sums)


def _commits_behind_a_break(log: bytes, size: int, order: str, sums: tuple[int, int]) -> bool:
    salts, is_broken = log[16:24], False
    for begin in range(_HEADER, len(log) - _FRAME_HEADER - size + 1, _FRAME_HEADER + size):
        head = log[begin : begin + _FRAME_HEADER]
        if not is_broken:
            if _is_of_another_log(head[8:16], salts):
                # This log has begun to overwrite it, and came that far.
                return False
            page = log[begin + _FRAME_HEADER : begin + _FRAME_HEADER + size]
            sums = _checksum(page, order, _checksum(head[:8], order, sums))
            is_broken = head[8:16] != salts or sums != (_word(head, 16), _word(head, 20))
        if is_broken and head[8:16] == salts and any(head[4:8]):
            return True
    return False


def _is_of_another_log(one: bytes, ours: bytes) -> bool:
    # With each log the first salt is one more and the second is drawn anew; a flip is in one.
    return one[:4] != ours[:4] and one[4:] != ours[4:]


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
