"""A table of a report, for a terminal, a file or a page."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from math import floor
from typing import Final

Cell = str | int | float | None


class Kind(Enum):
    """What stands in a column."""

    TEXT = "text"
    NUMBER = "number"
    #: Seconds of airtime, or of something else that lasts.
    SPAN = "span"
    SHARE = "share"


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its name for programs, and for people."""

    name: str
    head: str
    kind: Kind = Kind.TEXT


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows are made when they are asked for, and each time anew."""

    #: For programs: of letters and `_`.
    name: str
    title: str
    columns: tuple[Column, ...]
    rows: Callable[[], Iterable[tuple[Cell, ...]]]
    #: What has to be known to read it rightly.
    note: str = ""
    #: People see it as a picture.
    is_for_programs: bool = False

    def said(self) -> Iterator[tuple[str, ...]]:
        """The rows, for people."""
        for row in self.rows():
            yield tuple(
                say(cell, column.kind) for cell, column in zip(row, self.columns, strict=True)
            )


_MINUTE: Final = 60


def say(cell: Cell, kind: Kind) -> str:
    """A cell, for people: `1,204`, `12:03:04`, `99.50%`."""
    if cell is None:
        return ""
    if isinstance(cell, str):
        return cell
    if kind is Kind.SPAN:
        minutes, seconds = divmod(round(cell), _MINUTE)
        hours, minutes = divmod(minutes, _MINUTE)
        return f"{hours:,}:{minutes:02d}:{seconds:02d}"
    if kind is Kind.SHARE:
        # Rounded down: 100% is all of it, and nothing less.
        return f"{floor(cell * 10_000) / 100:.2f}%"
    return f"{cell:,}"
