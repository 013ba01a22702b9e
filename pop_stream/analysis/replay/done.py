"""What of a plan is done, and how it ended: by the numbers of its list's lines."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from typing import NamedTuple

#: The target has confirmed the event.
SENT = "sent"
#: It is not on its topic any more.
GONE = "gone"
#: Another record stands in its place: the topic was made anew.
ANOTHER = "another record"
#: What the target would not take: the word, and what it said.
FAILED = "failed"


def is_error(outcome: str) -> bool:
    """Whether an event was tried, and not taken."""
    return outcome.startswith(FAILED)


class Ended(NamedTuple):
    """Lines that ended in the same way: from `begin` up to, and without, `end`."""

    outcome: str
    begin: int
    end: int


def together(outcomes: Sequence[tuple[int, str]]) -> list[Ended]:
    """Lay the outcomes of lines, sorted by number, together where they follow each other."""
    ended = []
    rows = list(enumerate(outcomes))
    for _, run in groupby(rows, key=lambda row: (row[1][0] - row[0], row[1][1])):
        lines = [line for _, line in run]
        ended.append(Ended(lines[0][1], lines[0][0], lines[-1][0] + 1))
    return ended


class Lines:
    """A set of lines. It grows with its gaps, not with its lines."""

    def __init__(self) -> None:
        #: Where it begins and ends, in turns.
        self._bounds: list[int] = []

    def __len__(self) -> int:
        return sum(end - begin for begin, end in self.spans())

    def __contains__(self, number: int) -> bool:
        return bisect_right(self._bounds, number) % 2 == 1

    def spans(self) -> Iterator[tuple[int, int]]:
        """From where up to, and without, where, in order."""
        bounds = self._bounds
        return ((bounds[n], bounds[n + 1]) for n in range(0, len(bounds), 2))

    def add(self, begin: int, end: int) -> None:
        """Add lines. Raises ValueError when one is there already, or when there are none."""
        bounds = self._bounds
        at = bisect_right(bounds, begin)
        if begin >= end or at % 2 or (at < len(bounds) and bounds[at] < end):
            raise ValueError(f"lines {begin} to {end}")
        bounds[at:at] = [begin, end]
        # Where two touch, they are one.
        if any(left == right for left, right in pairwise(bounds[max(at - 1, 0) : at + 3])):
            low, high = max(at - 1, 0), at + 3
            touching = bounds[low:high]
            bounds[low:high] = [each for each in touching if touching.count(each) == 1]


class Done:
    """All that is done of a plan."""

    def __init__(self) -> None:
        self.by_outcome: dict[str, Lines] = {}

    def __contains__(self, number: int) -> bool:
        return any(number in lines for lines in self.by_outcome.values())

    def __len__(self) -> int:
        return sum(map(len, self.by_outcome.values()))

    def add(self, ended: Ended) -> None:
        """Note lines. Raises ValueError when one is noted already."""
        self.by_outcome.setdefault(ended.outcome, Lines()).add(ended.begin, ended.end)

    def forget_errors(self) -> None:
        """Let what failed be tried again."""
        self.by_outcome = {
            outcome: lines for outcome, lines in self.by_outcome.items() if not is_error(outcome)
        }

    @property
    def counts(self) -> dict[str, int]:
        """How many lines ended how."""
        return {outcome: len(lines) for outcome, lines in sorted(self.by_outcome.items())}

    @property
    def errors(self) -> int:
        """How many were tried, and not taken."""
        return sum(n for outcome, n in self.counts.items() if is_error(outcome))
