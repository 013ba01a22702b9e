"""Finds rows in the pages of a damaged file, whatever the rest of it says.

A page of a table holds whole rows, and each row has its seal. So nothing that a page or the file
says of itself is believed: rows are known by the kinds of their values, wherever they stand, in the
pages of the write-ahead log, too. What is found may be an older state of a row that is found
elsewhere as well, or one that was deleted.
Source: the file format of SQLite 3, sections 1.6, 2.1 and 4.1.
"""

import struct
from collections.abc import Callable, Iterator
from functools import cached_property, lru_cache
from typing import Any, Final

from pop_stream.player.outbox.disk_bytes import DiskBytes
from pop_stream.player.outbox.row import COLUMNS, Row, sound_row

_SIZES: Final = tuple(1 << n for n in range(9, 17))
_WAL_HEADER: Final = 32
_FRAME_HEADER: Final = 24
#: The kinds of two blobs of 16 bytes, `pop_id` and `boot`: three other kinds, of a byte each, and
#: the length of the list of kinds stand before them.
_SIGNATURE: Final = b"\x2c\x2c"
_BEFORE_SIGNATURE: Final = 4
#: Of the list of kinds: at least a byte for each, at most five.
_LENGTHS: Final = range(len(COLUMNS) + 1, 5 * len(COLUMNS))
#: Larger than Kafka would take, many times over.
_MOST_BYTES: Final = 1 << 27
#: What reading bytes as a row may end with, where there is none.
_NO_ROW: Final = (IndexError, ValueError, TypeError, OverflowError, struct.error)
#: Bytes of the integer kinds.
_INTEGERS: Final = {0: 0, 1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8, 8: 0, 9: 0}


class Pages:
    """A database and its log, as they stand on the disk."""

    def __init__(self, main: bytes | DiskBytes, log: bytes | DiskBytes, size: int) -> None:
        """`size` is that of a page."""
        self._main = main
        self._log = log
        self._size = size

    def rows(self) -> Iterator[Row]:
        """Every sound row, in the order of the file, then in that of the log."""
        for begin in range(0, len(self._main), self._size):
            yield from self._rows_of(self._main[begin : begin + self._size])
        for begin in self._frames():
            yield from self._rows_of(self._log[begin : begin + self._size])

    def _frames(self) -> range:
        """Where the pages of the log begin."""
        frame = _FRAME_HEADER + self._size
        return range(_WAL_HEADER + _FRAME_HEADER, len(self._log), frame)

    def _rows_of(self, page: bytes) -> Iterator[Row]:
        at = page.find(_SIGNATURE)
        while at >= 0:
            row = self._row_at(page, at - _BEFORE_SIGNATURE)
            if row is not None:
                yield row
            at = page.find(_SIGNATURE, at + 1)

    def _row_at(self, page: bytes, begin: int) -> Row | None:
        """The row whose list of kinds begins there."""
        # Most places that look like one are none: these two bytes tell.
        if begin < 0 or page[begin] not in _LENGTHS or page[begin + 1]:
            return None
        try:
            layout = _layout(page[begin : begin + page[begin]])
            length = layout[-1][2]
            rowid = _rowid(page, begin, length)
            for newest in (self._newest, self._page):
                # An older state of a row has its overflow in the file, a newer one in the log.
                payload = self._payload(page, begin, length, newest)
                if len(payload) < length:
                    break  # it is cut off
                values = [_value(kind, payload[first:last]) for kind, first, last in layout]
                row = sound_row((rowid, *values[1:]))
                if row is not None or length <= self._size - 35:
                    return row
        except _NO_ROW:
            pass
        return None

    def _payload(self, page: bytes, at: int, length: int, page_of: Callable[[int], bytes]) -> bytes:
        """A row's bytes: those of its page, then those of its overflow pages."""
        most = self._size - 35
        if length <= most:
            return page[at : at + length]
        if length > _MOST_BYTES:
            raise ValueError("no row is so long")
        least = (self._size - 12) * 32 // 255 - 23
        here = least + (length - least) % (self._size - 4)
        here = here if here <= most else least
        parts, left = [page[at : at + here]], length - here
        (number,) = struct.unpack(">I", page[at + here : at + here + 4])
        while left > 0:
            overflow = page_of(number)
            (number,) = struct.unpack(">I", overflow[:4])
            parts.append(overflow[4 : 4 + min(left, self._size - 4)])
            left -= len(parts[-1])
            if not parts[-1]:
                raise ValueError("it is cut off")
        return b"".join(parts)

    def _newest(self, number: int) -> bytes:
        begin = self._last_in_log.get(number)
        return self._page(number) if begin is None else self._log[begin : begin + self._size]

    def _page(self, number: int) -> bytes:
        return self._main[max(0, number - 1) * self._size : number * self._size]

    @cached_property
    def _last_in_log(self) -> dict[int, int]:
        return {
            int.from_bytes(
                self._log[begin - _FRAME_HEADER : begin - _FRAME_HEADER + 4], "big"
            ): begin
            for begin in self._frames()
        }


def page_size_of(main: bytes | DiskBytes, log: bytes | DiskBytes, default: int) -> int:
    """The size of its pages, as either file says; else the one that outboxes are made with."""
    told = [int.from_bytes(log[8:12], "big"), int.from_bytes(main[16:18], "big")]
    sizes = [65536 if each == 1 else each for each in told if each == 1 or each in _SIZES]
    return default if not sizes or default in sizes else sizes[0]


@lru_cache(maxsize=512)  # most rows of an outbox are alike
def _layout(kinds: bytes) -> tuple[tuple[int, int, int], ...]:
    """Of each value its kind, and where it begins and ends. Raises what _NO_ROW names."""
    layout, at, end = [], 1, len(kinds)
    while at < len(kinds):
        kind, at = _varint(kinds, at)
        begin, end = end, end + _bytes_of(kind)
        layout.append((kind, begin, end))
    if at != len(kinds) or len(layout) != len(COLUMNS):
        raise ValueError("no row of ours")
    return tuple(layout)


def _bytes_of(kind: int) -> int:
    if kind >= 12:
        return (kind - 12) // 2
    if kind not in _INTEGERS:
        raise ValueError("no value of ours")
    return _INTEGERS[kind]


def _rowid(page: bytes, begin: int, length: int) -> int:
    """What stands before a row: its length, and its id. 0, when that is damaged."""
    for at in range(begin - 2, max(begin - 15, -1), -1):
        try:
            told, after = _varint(page, at)
            rowid, after = _varint(page, after)
        except IndexError:
            continue
        if told == length and after == begin:
            return rowid
    return 0


def _value(kind: int, told: bytes) -> Any:
    if kind >= 12:
        return told.decode() if kind % 2 else told
    if kind == 0:
        return None
    return kind - 8 if kind >= 8 else int.from_bytes(told, "big", signed=True)


def _varint(buffer: bytes, at: int) -> tuple[int, int]:
    number = 0
    for n in range(8):
        byte = buffer[at + n]
        number = number << 7 | byte & 0x7F
        if byte < 0x80:
            return number, at + n + 1
    return number << 8 | buffer[at + 8], at + 9
