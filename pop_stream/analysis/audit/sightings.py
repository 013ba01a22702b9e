"""What is known of the offsets of one partition, in eight bytes for each record that tells it."""

from array import array
from bisect import bisect_left
from collections.abc import Iterator
from typing import Final

from pop_stream.analysis.audit.whereabouts import Known, together

#: The lower bits say what is known; the upper ones, of which offset.
_BITS: Final = 20
_ALL: Final = (1 << _BITS) - 1


class Likenesses:
    """Numbers for what one record tells: of a million parked events nearly all are alike.

    There are some ten thousand likenesses at most, as redrives are counted up to a limit.
    """

    def __init__(self) -> None:
        self._numbers: dict[Known, int] = {}
        self._known: list[Known] = []

    def number_of(self, known: Known) -> int:
        """The number that stands for it."""
        number = self._numbers.setdefault(known, len(self._known))
        if number == len(self._known):
            self._known.append(known)
        return number

    def __getitem__(self, number: int) -> Known:
        return self._known[number]


class Sightings:
    """Collects what records tell of offsets; asked once all of them are there."""

    def __init__(self, likenesses: Likenesses) -> None:
        """The likenesses may be shared by many."""
        self._likenesses = likenesses
        self._packed = array("Q")
        self._is_sorted = True

    def add(self, offset: int, known: Known) -> None:
        """Note what one record tells of an offset."""
        self._packed.append(offset << _BITS | (self._likenesses.number_of(known) & _ALL))
        self._is_sorted = False

    def get(self, offset: int) -> Known | None:
        """What all records together tell of an offset; None: nothing."""
        if not self._packed:
            return None
        packed, at = self._sorted(), self._first(offset)
        found = []
        while at < len(packed) and packed[at] >> _BITS == offset:
            found.append(self._likenesses[packed[at] & _ALL])
            at += 1
        return together(found) if found else None

    def within(self, begin: int, end: int) -> Iterator[int]:
        """The offsets of which something is known, in order, each once."""
        packed, at, last = self._sorted(), self._first(begin), -1
        while at < len(packed) and (offset := packed[at] >> _BITS) < end:
            if offset != last:
                yield offset
            last, at = offset, at + 1

    def _first(self, offset: int) -> int:
        return bisect_left(self._sorted(), offset << _BITS)

    def _sorted(self) -> "array[int]":
        if not self._is_sorted:
            self._packed = array("Q", sorted(self._packed))
            self._is_sorted = True
        return self._packed
