"""What is asked of a figure, and whether it was met."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from bench.figures import Values, times

#: The rounds of each row of a table, by its name.
Rounds = Mapping[str, Sequence[Values]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A figure of one row, or how many times another row's it is, and its limit."""

    what: str
    figure: str
    row: str
    #: The row that it is divided by, round by round; None: by nothing.
    against: str | None = None
    at_most: float | None = None
    at_least: float | None = None

    @property
    def asked(self) -> str:
        """The limit, for people."""
        if self.at_most is not None:
            return f"at most {self.at_most:,.10g}"
        return f"at least {self.at_least:,.10g}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What came of a bar."""

    what: str
    asked: str
    #: None: it was not measured.
    measured: float | None
    met: bool | None


def judge(bar: Bar, rounds: Rounds) -> Judged:
    """Compare the median of the rounds with the limit."""
    needed = [bar.row] if bar.against is None else [bar.row, bar.against]
    known = all(rounds.get(row) and bar.figure in rounds[row][0] for row in needed)
    if not known:
        return Judged(what=bar.what, asked=bar.asked, measured=None, met=None)
    measured = (
        median(one[bar.figure] for one in rounds[bar.row])
        if bar.against is None
        else times(bar.figure, rounds[bar.row], rounds[bar.against])
    )
    is_low = bar.at_most is None or measured <= bar.at_most
    is_high = bar.at_least is None or measured >= bar.at_least
    return Judged(what=bar.what, asked=bar.asked, measured=measured, met=is_low and is_high)
