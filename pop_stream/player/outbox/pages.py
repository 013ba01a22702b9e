"""Finds rows in the pages of a damaged file, whatever the rest of it says.

A page of a table holds whole rows, and each row has its seal. So every page is looked at by itself,
those of the write-ahead log, too; where the directory of a page is damaged, every place in it is
tried. What is found may be an older state of a row that is found elsewhere as well.
Source: the file format of SQLite 3, sections 1.6, 2.1 and 4.1.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from mmap import mmap
from typing import Any, Final

from pop_stream.player.outbox.row import COLUMNS, Row, sound_row

_LEAF_OF_TABLE: Final = 0x0D
_SIZES: Final = tuple(1 << n for n in range(9, 17))
_WAL_HEADER: Final = 32
_FRAME_HEADER: Final = 24
_FILE_HEADER: Final = 100
#: What reading bytes as a row may end with, where there is none.
_NO_ROW: Final = (IndexError, ValueError, TypeError, OverflowError, struct.error)
_INTEGERS: Final = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}


@dataclass(frozen=True, slots=True)
class Pages:
    """A database and its log, as they stand on the disk."""

    main: bytes | mmap
    log: bytes | mmap
    size: int

    def rows(self) -> Iterator[Row]:
        """Every sound row, in the order of the file, then in that of the log."""
        for begin in range(0, len(self.main), self.size):
            page = self.main[begin : begin + self.size]
            yield from self._rows_of(page, _FILE_HEADER if begin == 0 else 0)
        frame = _FRAME_HEADER + self.size
        for begin in range(_WAL_HEADER, len(self.log), frame):
            page = self.log[begin + _FRAME_HEADER : begin + frame]
            first = self.log[begin : begin + 4] == b"\0\0\0\1"
            yield from self._rows_of(page, _FILE_HEADER if first else 0)

    def _rows_of(self, page: bytes, header: int) -> Iterator[Row]:
        places, is_sound = _directory(page, header)
        found = {at: row for at in places if (row := self._row_at(page, at)) is not None}
        if not is_sound or len(found) < len(places):
            # Not every page is one of a table; one that was is worth the time.
            found |= {
                at: row
                for at in range(len(page) - len(COLUMNS))
                if at not in found and (row := self._row_at(page, at)) is not None
            }
        yield from found.values()

    def _row_at(self, page: bytes, at: int) -> Row | None:
        try:
            length, at = _varint(page, at)
            # The shortest row of ours, and the longest that Kafka would take many times over.
            if not len(COLUMNS) < length < 1 << 27:
                return None
            rowid, at = _varint(page, at)
            values = _values(self._payload(page, at, length))
            return sound_row((rowid, *values[1:]))
        except _NO_ROW:
            return None

    def _payload(self, page: bytes, at: int, length: int) -> bytes:
        """A row's bytes: those of its page, then those of its overflow pages."""
        most = self.size - 35
        if length <= most:
            return page[at : at + length]
        least = (self.size - 12) * 32 // 255 - 23
        here = least + (length - least) % (self.size - 4)
        here = here if here <= most else least
        parts, left = [page[at : at + here]], length - here
        (number,) = struct.unpack(">I", page[at + here : at + here + 4])
        while left > 0:
            # The newest version of a page is the last of the log.
            overflow = self._newest(number)
            (number,) = struct.unpack(">I", overflow[:4])
            parts.append(overflow[4 : 4 + min(left, self.size - 4)])
            left -= len(parts[-1])
            if not parts[-1]:
                raise ValueError("it is cut off")
        return b"".join(parts)

    def _newest(self, number: int) -> bytes:
        frame = _FRAME_HEADER + self.size
        for begin in reversed(range(_WAL_HEADER, len(self.log) - frame + 1, frame)):
            if int.from_bytes(self.log[begin : begin + 4], "big") == number:
                return self.log[begin + _FRAME_HEADER : begin + frame]
        return self.main[(number - 1) * self.size : number * self.size]


def page_size_of(main: bytes | mmap, log: bytes | mmap, default: int) -> int:
    """The size of its pages, as either file says; else the one that outboxes are made with."""
    told = [int.from_bytes(log[8:12], "big"), int.from_bytes(main[16:18], "big")]
    sizes = [65536 if each == 1 else each for each in told if each == 1 or each in _SIZES]
    return default if not sizes or default in sizes else sizes[0]


def _directory(page: bytes, header: int) -> tuple[list[int], bool]:
    """Where the cells of a leaf of a table begin; and whether the page says so credibly."""
    if len(page) < header + 8:
        return [], not page
    kind = page[header]
    if kind != _LEAF_OF_TABLE:
        # Others are those of indexes, inner pages, free ones and overflow: they hold no whole row.
        return [], kind in (2, 5, 10) or not any(page[header : header + 8])
    number = int.from_bytes(page[header + 3 : header + 5], "big")
    begin = header + 8
    pointers = page[begin : begin + 2 * number]
    places = [int.from_bytes(pointers[n : n + 2], "big") for n in range(0, len(pointers), 2)]
    return places, len(places) == number and all(place < len(page) for place in places)


def _values(payload: bytes) -> list[Any]:
    """The values of a record. Raises what _NO_ROW names."""
    header, at = _varint(payload, 0)
    kinds = []
    while at < header:
        kind, at = _varint(payload, at)
        kinds.append(kind)
    if at != header or len(kinds) != len(COLUMNS):
        raise ValueError("no row of ours")
    values = []
    for kind in kinds:
        value, at = _value(payload, at, kind)
        values.append(value)
    return values


def _value(payload: bytes, at: int, kind: int) -> tuple[Any, int]:
    if kind == 0:
        return None, at
    if kind in (8, 9):
        return kind - 8, at
    if kind >= 12:
        end = at + (kind - 12) // 2
        if end > len(payload):
            raise ValueError("it is cut off")
        told = payload[at:end]
        return (told.decode() if kind % 2 else told), end
    end = at + _INTEGERS.get(kind, 1 << 30)
    if end > len(payload):
        raise ValueError("no number of ours, or cut off")
    return int.from_bytes(payload[at:end], "big", signed=True), end


def _varint(buffer: bytes, at: int) -> tuple[int, int]:
    number = 0
    for n in range(8):
        byte = buffer[at + n]
        number = number << 7 | byte & 0x7F
        if byte < 0x80:
            return number, at + n + 1
    return number << 8 | buffer[at + 8], at + 9
