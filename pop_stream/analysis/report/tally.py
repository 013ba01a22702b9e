"""Counters by name, in little memory, of which there are never more than so many."""

from array import array
from collections.abc import Hashable, Iterator
from hashlib import blake2b
from typing import Final, Generic, NamedTuple, TypeVar, cast

Name = TypeVar("Name", bound=Hashable)

#: The number of whatever came when there was no room for more names.
OTHERS: Final = 0
_LONG: Final = 100


class Row(NamedTuple, Generic[Name]):
    """What was counted under a name; None: of the others, that had no room."""

    name: Name | None
    number: int
    plays: int
    seconds: int
    #: How many of the plays are further records of an event that was counted already.
    repeats: int


class Names(Generic[Name]):
    """Names, each with a number from 1 on. Beyond `most` names they share the number `OTHERS`.

    A text that is long is kept short: so names take little memory, whatever players write.
    """

    def __init__(self, most: int) -> None:
        """No name is known yet."""
        self._most = most
        self.numbers: dict[Name, int] = {}

    def number(self, name: Name) -> int:
        """The number of a name; a new one where there is room."""
        known = self.numbers.get(name)
        if known is not None:
            return known
        if isinstance(name, str) and len(name) > _LONG:
            return self.number(cast("Name", short(name)))
        if len(self.numbers) >= self._most:
            return OTHERS
        number = self.numbers[name] = len(self.numbers) + 1
        return number

    def in_order(self) -> list[Name | None]:
        """All names, by their numbers; that of `OTHERS` is None."""
        return [None, *self.numbers]

    def __len__(self) -> int:
        return len(self.numbers)


class Tally(Generic[Name]):
    """Plays, seconds of airtime and repeats, by name."""

    def __init__(self, most: int) -> None:
        """For at most so many names, and the others."""
        self.names: Names[Name] = Names(most)
        self._known = self.names.numbers
        self._plays = array("q", [0])
        self._seconds = array("q", [0])
        self._repeats = array("q", [0])

    def add_other(self, plays: int, seconds: int) -> int:
        """Count among the others."""
        self._plays[OTHERS] += plays
        self._seconds[OTHERS] += seconds
        return OTHERS

    def add(self, name: Name, plays: int, seconds: int) -> int:
        """Count, and give the name's number."""
        # This is done seven times for each play: nearly always the name is known.
        known = self._known.get(name)
        number = self._new(name) if known is None else known
        self._plays[number] += plays
        self._seconds[number] += seconds
        return number

    def _new(self, name: Name) -> int:
        number = self.names.number(name)
        if number == len(self._plays):
            for counters in (self._plays, self._seconds, self._repeats):
                counters.append(0)
        return number

    def add_repeat(self, number: int) -> None:
        """Count a play of a name's number as a repeat."""
        self._repeats[number] += 1

    def rows(self) -> Iterator[Row[Name]]:
        """What has plays or airtime, in the order in which it came; the others at the end."""
        names = self.names.in_order()
        for number in (*range(1, len(names)), OTHERS):
            plays, seconds = self._plays[number], self._seconds[number]
            if plays or seconds:
                yield Row(names[number], number, plays, seconds, self._repeats[number])

    def by_plays(self) -> list[Row[Name]]:
        """The same, most plays first; those with as many by their names."""
        return sorted(
            self.rows(), key=lambda row: (row.name is None, -row.plays, -row.seconds, str(row.name))
        )


def short(text: str) -> str:
    """A name that is not too long to keep: of another its begin, and what tells it apart."""
    if len(text) <= _LONG:
        return text
    mark = blake2b(text.encode("utf-8", "replace"), digest_size=6).hexdigest()
    return f"{text[: _LONG - len(mark) - 3]}...{mark}"
