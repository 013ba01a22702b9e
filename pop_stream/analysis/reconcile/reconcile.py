"""Compares our plays with GSTV's, pair by pair."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal, NamedTuple, TypeAlias

import orjson

from pop_stream.analysis.play import Play, differing, natural_key
from pop_stream.analysis.spill import Heap, Pair, joined
from pop_stream.pop.identity import parse_pop_id

Key: TypeAlias = Literal["id", "play"]
_Values: TypeAlias = tuple[tuple[str, str], ...]


class Entry(NamedTuple):
    """A play of one side."""

    pop_id: str | None
    #: Ours: topic/partition/offset, or the line of our file. Theirs: the line of their file.
    at: str
    play: Play

    def packed(self) -> bytes:
        """The row that stands for it in a heap."""
        return orjson.dumps(tuple(self))

    @classmethod
    def unpacked(cls, row: bytes) -> "Entry":
        """What was packed."""
        return cls(*orjson.loads(row))


class Difference(NamedTuple):
    """What one side has and the other has not, or has otherwise."""

    kind: Literal["ours-only", "theirs-only", "differing"]
    ours: Entry | None
    theirs: Entry | None
    #: In which fields they differ.
    fields: tuple[str, ...] = ()


@dataclass(slots=True)
class Tally:
    """How many there are of each. Of ours: both + differing + ours_only + ours_repeated."""

    both: int = 0
    differing: int = 0
    ours_only: int = 0
    theirs_only: int = 0
    #: The same id again: it is one event.
    ours_repeated: int = 0
    theirs_repeated: int = 0
    #: Rows without the key, which cannot be compared.
    ours_without_key: int = 0
    theirs_without_key: int = 0

    @property
    def agrees(self) -> bool:
        """Whether both sides have the same, and all of it could be compared."""
        return not (
            self.differing or self.ours_only or self.theirs_only
            or self.ours_without_key or self.theirs_without_key
        )  # fmt: skip

    def as_object(self) -> dict[str, int]:
        """For programs."""
        return asdict(self)


def key_of(entry: Entry, key: Key) -> bytes | None:
    """By what an entry is compared; None: it cannot be."""
    if key == "play":
        return natural_key(entry.play)
    pop_id = parse_pop_id((entry.pop_id or "").encode("utf-8", "replace"))
    return None if pop_id is None else bytes.fromhex(pop_id.replace("-", ""))


def unique(heap: Heap) -> Iterator[Entry]:
    """The entries of a heap by ids, each event once: its player may have written it twice."""
    for pair in joined(heap, None):
        yield Entry.unpacked(pair.ours[0])


def reconcile(
    ours: Heap, theirs: Heap, *, key: Key, tally: Tally, tell: Callable[[Difference], None]
) -> None:
    """Count into `tally`; `tell` is given every difference."""
    differences = _by_id if key == "id" else _by_play
    for pair in joined(ours, theirs):
        for difference in differences(pair, tally):
            tell(difference)


def _by_id(pair: Pair, tally: Tally) -> Iterator[Difference]:
    """Rows with the same id are one event, however often they come."""
    tally.ours_repeated += max(len(pair.ours) - 1, 0)
    tally.theirs_repeated += max(len(pair.theirs) - 1, 0)
    yield from _compared(pair.ours[:1], pair.theirs[:1], tally)


def _by_play(pair: Pair, tally: Tally) -> Iterator[Difference]:
    """Rows with the same natural key are so many plays: an hour is repeated once a year.

    Those that are alike belong together; the rest are paired as they come.
    """
    alike: defaultdict[_Values, list[bytes]] = defaultdict(list)
    for row in pair.theirs:
        alike[tuple(Entry.unpacked(row).play.items())].append(row)
    # Rows of one file have the same fields, but for some that may be missing.
    forms = {tuple(field for field, _ in values) for values in alike}
    left = []
    for row in pair.ours:
        play = Entry.unpacked(row).play
        mine = (tuple((field, play.get(field, "")) for field in form) for form in forms)
        same = next((alike[values] for values in mine if alike.get(values)), None)
        if same is None:
            left.append(row)
        else:
            tally.both += 1
            same.pop()
    yield from _compared(left, [row for rows in alike.values() for row in rows], tally)


def _compared(ours: list[bytes], theirs: list[bytes], tally: Tally) -> Iterator[Difference]:
    for number in range(max(len(ours), len(theirs))):
        mine = Entry.unpacked(ours[number]) if number < len(ours) else None
        other = Entry.unpacked(theirs[number]) if number < len(theirs) else None
        if other is None:
            tally.ours_only += 1
            yield Difference("ours-only", mine, None)
        elif mine is None:
            tally.theirs_only += 1
            yield Difference("theirs-only", None, other)
        elif fields := differing(mine.play, other.play):
            tally.differing += 1
            yield Difference("differing", mine, other, fields)
        else:
            tally.both += 1


def difference_as_object(difference: Difference) -> dict[str, Any]:
    """For programs."""
    return {
        "difference": difference.kind,
        "ours": None if difference.ours is None else difference.ours._asdict(),
        "theirs": None if difference.theirs is None else difference.theirs._asdict(),
        "fields": list(difference.fields),
    }
