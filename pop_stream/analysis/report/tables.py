"""The tables of a report: what was counted, by whatever it was counted by."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from pop_stream.analysis.report.hours import Hour
from pop_stream.analysis.report.labels import OTHERS, day_of, hour_of, hours_in, utc_hour_of
from pop_stream.analysis.report.local_time import How, Mark
from pop_stream.analysis.report.odd_tables import odd_tables
from pop_stream.analysis.report.report import Report
from pop_stream.analysis.report.survey import NO_ORDER, Counted
from pop_stream.analysis.report.table import Cell, Column, Kind, Table
from pop_stream.analysis.report.tally import Row, Tally

_COUNTS: Final = (
    Column("plays", "Plays", Kind.NUMBER),
    Column("airtime_seconds", "Airtime", Kind.SPAN),
    Column("repeats", "Repeats", Kind.NUMBER),
)
_REPEATS: Final = "Repeats are among the plays: further records of the same id."
_HOURS_OF_DAY: Final = 24


def tables(report: Report) -> list[Table]:
    """All of them, in the order in which they are read."""
    counted = report.counted
    every = [
        accounts(report),
        _by("assets", "Plays by asset", "assetId", "Asset", counted.assets),
        _by("orders", "Plays by insertion order", "ioNumber", "Insertion order", counted.orders,
            lambda order: "(none)" if order == NO_ORDER else order),
        _by("sites", "Plays by site", "siteId", "Site", counted.sites),
        _screens(counted),
        _by("screen_states", "Plays by screen state", "screenState", "State", counted.states),
        days(report),
        hours(report),
        *([_utc_hours(counted)] if report.zones.clocks else []),
        _site_hours(counted),
        *odd_tables(report),
    ]  # fmt: skip
    if counted.reasons.names:
        every.append(_reasons(counted))
    return every


def accounts(report: Report) -> Table:
    """What became of every record: the lines sum up to the first."""
    source, counted = report.source, report.counted

    def rows() -> Iterator[tuple[Cell, ...]]:
        yield source.unit, "read", source.places
        if report.empty_places:
            yield "hold no record", "not counted", report.empty_places
        if source.not_meant:
            yield "not meant by the selection", "not counted", source.not_meant
        if counted.outside:
            yield "played at another time than asked for", "not counted", counted.outside
        for why, number in sorted(counted.excluded.items()):
            yield str(why), "excluded", number
        yield "plays", "counted", counted.plays

    columns = (Column("line", "What"), Column("part", "Part"),
               Column("records", "Number", Kind.NUMBER))  # fmt: skip
    return Table(
        name="accounts",
        title="What became of every record",
        columns=columns,
        rows=rows,
        note="The first line is the sum of the others."
        if report.is_balanced
        else "THE SUMS DO NOT AGREE: this report is wrong; please tell us.",
    )


def _by(
    name: str,
    title: str,
    column: str,
    head: str,
    tally: Tally[Any],
    say: Callable[[Any], str] = str,
) -> Table:
    def rows() -> Iterator[tuple[Cell, ...]]:
        for row in tally.by_plays():
            yield (OTHERS if row.name is None else say(row.name), *_counts(row))

    return Table(name=name, title=title, columns=(Column(column, head), *_COUNTS), rows=rows,
                 note=_REPEATS)  # fmt: skip


def _counts(row: Row[Any]) -> tuple[Cell, ...]:
    return row.plays, row.seconds, row.repeats


def _screens(counted: Counted) -> Table:
    def rows() -> Iterator[tuple[Cell, ...]]:
        screen_of = counted.screen_of()

        def names(row: Row[Any]) -> tuple[str, str]:
            screen = screen_of(row.number)
            return (OTHERS, "") if screen is None else (screen.site, screen.screen)

        # Those with as many by what people call them: the names within are numbers as they came.
        in_order = sorted(
            counted.screens.by_plays(),
            key=lambda row: (row.name is None, -row.plays, -row.seconds, names(row)),
        )
        yield from ((*names(row), *_counts(row)) for row in in_order)

    columns = (Column("siteId", "Site"), Column("screenId", "Screen"), *_COUNTS)
    return Table(name="screens", title="Plays by screen", columns=columns, rows=rows)


_ORDER: Final = list(Mark)


def _hour_order(row: Row[Hour]) -> tuple[bool, int, int]:
    if row.name is None:
        return True, 0, 0
    return False, row.name.number, _ORDER.index(row.name.mark)


def hours(report: Report) -> Table:
    """Plays by the hour that sites' clocks showed."""
    clocks = report.zones.clocks

    def rows() -> Iterator[tuple[Cell, ...]]:
        for row in sorted(report.counted.hours.rows(), key=_hour_order):
            yield hour_of(row.name, clocks), *_counts(row)

    return Table(
        name="hours",
        title="Plays by hour, in the time of their site",
        columns=(Column("hour", "Hour"), *_COUNTS),
        rows=rows,
        note="A play counts in the hour in which it starts; its airtime in the hours in which it "
        "was.",
    )


def days(report: Report) -> Table:
    """Plays by day, in the time of their site, with the length of the day."""
    clocks = report.zones.clocks

    def rows() -> Iterator[tuple[Cell, ...]]:
        sums: dict[int | None, Counter[str]] = {}
        for row in report.counted.hours.rows():
            day = None if row.name is None else row.name.number // _HOURS_OF_DAY
            one = sums.setdefault(day, Counter())
            one.update(plays=row.plays, seconds=row.seconds, repeats=row.repeats)
        for day in sorted(sums, key=lambda day: (day is None, day or 0)):
            one = sums[day]
            named = (OTHERS, "") if day is None else (day_of(day), hours_in(day, clocks))
            yield *named, one["plays"], one["seconds"], one["repeats"]

    return Table(
        name="days",
        title="Plays by day, in the time of their site",
        columns=(Column("day", "Day"), Column("hours", "Hours in it"), *_COUNTS),
        rows=rows,
        note="Days on which clocks change have 23 or 25 hours."
        if clocks
        else "No zone is known: --site-zone or --sites tells how many hours a day has.",
    )


def _utc_hours(counted: Counted) -> Table:
    def order(row: Row[int | How]) -> tuple[int, Any]:
        if isinstance(row.name, How):
            return 1, row.name
        return (2, 0) if row.name is None else (0, row.name)

    def rows() -> Iterator[tuple[Cell, ...]]:
        for row in sorted(counted.utc_hours.rows(), key=order):
            yield utc_hour_of(row.name), row.plays, row.seconds

    return Table(
        name="utc_hours",
        title="Plays by hour, in UTC",
        columns=(Column("hour", "Hour"), *_COUNTS[:2]),
        rows=rows,
        note="In brackets: plays whose moment is not known, and why.",
    )


def _site_hours(counted: Counted) -> Table:
    def rows() -> Iterator[tuple[Cell, ...]]:
        for row in counted.sites.by_plays():
            name = OTHERS if row.name is None else row.name
            for hour, plays in enumerate(site_hours(counted, row.number)):
                if plays:
                    yield name, hour, plays

    columns = (Column("siteId", "Site"), Column("hour_of_day", "Hour of the day"), _COUNTS[0])
    return Table(name="site_hours", title="Plays by site and hour of the day", columns=columns,
                 rows=rows, is_for_programs=True)  # fmt: skip


def site_hours(counted: Counted, site: int) -> Iterable[int]:
    """Of a site, by its number, the plays in each hour of the day."""
    begin = site * _HOURS_OF_DAY
    return counted.site_hours[begin : begin + _HOURS_OF_DAY]


def _reasons(counted: Counted) -> Table:
    def rows() -> Iterator[tuple[Cell, ...]]:
        for row in counted.reasons.by_plays():
            reason = (OTHERS, "") if row.name is None else row.name
            yield *reason, row.plays

    columns = (Column("reason", "Reason"), Column("status", "GSTV's status"),
               Column("records", "Records", Kind.NUMBER))  # fmt: skip
    return Table(name="reasons", title="Why they were parked, or are tried again",
                 columns=columns, rows=rows)  # fmt: skip
