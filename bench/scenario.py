"""What a scenario is: a table to be filled by runs, and the limits that its figures should keep."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.bars import Bar
from bench.systems import SYSTEMS
from bench.variants import Topic, Variant

CPU = "cpu_us_per_event"
COSTS = (CPU, "events_per_second", "rss_mb", "events")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of a table."""

    name: str
    variant: Variant
    #: The row that its CPU is compared with, if any.
    base: str | None = None
    #: Measured in the first round only, and not again if another scenario has measured it.
    once: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A table, and what is asked of it."""

    title: str
    rows: Sequence[Row]
    #: The figures that the table shows, by their names.
    columns: Sequence[str]
    bars: Sequence[Bar] = ()
    rounds: int = 3
    #: What a reader must know to understand the figures.
    notes: Sequence[str] = ()
    #: About how long it takes on two cores, with all systems.
    minutes: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What somebody wants of all scenarios."""

    systems: Sequence[str] = tuple(SYSTEMS)
    #: No topic gets more events. None: each gets its own number.
    events: int | None = None
    all_cores: bool = False

    def among(self, systems: Sequence[str]) -> list[str]:
        """Those of the systems that are there, and wanted."""
        return [each for each in systems if each in self.systems]

    def topic(self, events: int, partitions: int = 12) -> Topic:
        """A topic of the wanted size."""
        return Topic(min(events, self.events or events), partitions)


def minutes(scenarios: Iterable[Scenario]) -> float:
    """About how long all of them take, in this order: what is run once is not run again."""
    total = 0.0
    made: set[Variant] = set()
    for each in scenarios:
        if not {row.variant for row in each.rows} <= made:
            total += each.minutes
        made |= {row.variant for row in each.rows if row.once}
    return total


def times_the_cpu(what: str, row: str, base: str, limit: float) -> Bar:
    """Limit the CPU of an event to so many times that of another row."""
    return Bar(what=what, figure=CPU, row=row, against=base, at_most=limit)
