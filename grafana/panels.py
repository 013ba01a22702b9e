"""The kinds of panels, as values: what they show. `grafana.drawing` makes Grafana's panels of them.

Only Grafana's own panels with default options: what is not set cannot be set wrongly, and nothing
here is seen by a Grafana before it is yours.
"""

from dataclasses import dataclass
from typing import Final

from grafana.alerts import Alert

GREEN: Final = "green"
YELLOW: Final = "yellow"
ORANGE: Final = "orange"
RED: Final = "red"
#: For numbers that are neither good nor bad.
PLAIN: Final = "text"
#: For words that are neither, on what is else a coloured ground.
CLEAR: Final = "transparent"

#: From which value on which colour; None: from the least.
Steps = tuple[tuple[float | None, str], ...]


@dataclass(frozen=True, slots=True)
class Query:
    """One expression, and how its series are called: text with `{{label}}`."""

    expr: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Word:
    """A word that is shown instead of a value, or of all values from one to another."""

    text: str
    color: str
    #: None: without end. Both None: what is not a number.
    least: float | None
    most: float | None


def word_for(value: float, text: str, color: str) -> Word:
    """A word for one value."""
    return Word(text, color, value, value)


def word_from(value: float, text: str, color: str) -> Word:
    """A word for all values from this one on, infinity included."""
    return Word(text, color, value, None)


def word_for_nan(text: str) -> Word:
    """A word for what is not a number: a share of nothing."""
    return Word(text, CLEAR, None, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """What all panels have."""

    id: int
    title: str
    #: What it means, and what to do.
    text: str
    queries: tuple[Query, ...]
    #: How Grafana writes the values.
    unit: str
    width: int = 12
    height: int = 8
    least: float | None = 0
    steps: Steps = ((None, GREEN),)
    words: tuple[Word, ...] = ()
    #: Shown where there is no series at all.
    nothing: str = ""
    #: The dashboards that tell more, by uid.
    leads_to: tuple[str, ...] = ()
    #: The alerts that look at the same.
    alerts: tuple[Alert, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stat(Common):
    """Numbers as they are now, coloured by the steps.

    Asked for this moment only: the last value of a range would be shown for hours after whoever
    measured it has died.
    """

    decimals: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph(Common):
    """Lines over time; steps are drawn as dashed lines."""

    stacked: bool = False
    most: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heatmap(Common):
    """A histogram over time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline(Common):
    """States over time, one bar a series; `words` say what the values are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a table: a label, or the value of a query, whose refId it has."""

    of: str
    title: str = ""
    unit: str = ""
    words: tuple[Word, ...] = ()
    steps: Steps = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Table(Common):
    """Series as they are now, one row for those with the same labels. Columns stand in order."""

    columns: tuple[Column, ...]
    #: A label or a column's title.
    sorted_by: str
    descending: bool = True
    #: A label whose value, clicked on, chooses it on the dashboards of `leads_to`.
    chooses: str = ""
    #: A label whose value is an alert's name, and leads to its page.
    runbooks: str = ""


Panel = Stat | Graph | Heatmap | Timeline | Table
