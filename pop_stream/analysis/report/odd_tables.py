"""The tables of what is odd: gaps, overlaps, repeats, late plays, flags, losses and open days."""

from collections.abc import Iterator, Sequence
from typing import Final

from pop_stream.analysis.report.labels import day_of, moment
from pop_stream.analysis.report.lags import POINTS, SHARES, Lags
from pop_stream.analysis.report.local_time import How
from pop_stream.analysis.report.lost_tables import lost_tables
from pop_stream.analysis.report.numbers import MOST_TOLD, Day, Numbers
from pop_stream.analysis.report.report import Report
from pop_stream.analysis.report.screen_columns import SCREEN, names_of
from pop_stream.analysis.report.survey import Counted
from pop_stream.analysis.report.sweep import Longest
from pop_stream.analysis.report.table import Cell, Column, Kind, Table

_FROM_TO: Final = (Column("from", "From"), Column("to", "To"))
_MINUTE: Final = 60
_UNREAD: Final = "events whose pop-lost cannot be read, or is of no known screen"


def odd_tables(report: Report) -> list[Table]:
    """All of them. What cannot be told is left out, and `findings` says why."""
    counted = report.counted
    shown = [findings(report), _flags(counted), _placing(counted)]
    if report.is_partial_because is None:
        clock = "in UTC" if report.zones.clocks else "in the time of the site"
        shown += [
            completeness(report),
            _incomplete(counted),
            _missing(counted),
            *lost_tables(counted),
            _spans("gaps", f"Gaps on screens, {clock}", "Others played", counted.swept.gaps,
                   counted, _gap_note(report)),
        ]  # fmt: skip
    shown.append(
        _spans("overlaps", "Plays that overlap on one screen", "Overlap", counted.swept.overlaps,
               counted, "")
    )  # fmt: skip
    if counted.lags.known:
        shown += [percentiles(counted.lags), curve(counted.lags)]
    return shown


def findings(report: Report) -> Table:
    """In one line each: what there is of everything odd."""
    counted, swept, partial = report.counted, report.counted.swept, report.is_partial_because

    def rows() -> Iterator[tuple[Cell, ...]]:
        yield "repeats: further records of the same id", counted.repeats, ""
        yield "the same site, screen, asset and start once more", swept.twice, ""
        yield "of these under another id", swept.twice_under_another_id, ""
        yield "overlaps on one screen", swept.overlaps.number, ""
        if partial is None:
            yield "gaps on a screen while others of its site play", swept.gaps.number, ""
            yield "numbers that are missing", counted.numbers.missing, ""
            yield "plays that players declare lost, beside these", counted.lost.plays, ""
            yield _UNREAD, counted.lost.unread, ""
        else:
            yield "gaps, missing numbers, declared losses, finality", None, partial
        if report.zones.clocks:
            yield "stored before they ended: the player's clock was ahead", counted.lags.ahead, ""
            yield "of unknown lag", counted.lags.unknown, ""
        else:
            yield "late arrivals, hours of UTC", None, "needs --site-zone or --sites"

    columns = (Column("finding", "What"), Column("number", "Number", Kind.NUMBER),
               Column("why_not", "Why it is not told"))  # fmt: skip
    return Table(name="findings", title="What is odd", columns=columns, rows=rows)


def _flags(counted: Counted) -> Table:
    def rows() -> Iterator[tuple[Cell, ...]]:
        yield from ((str(flag), number) for flag, number in sorted(counted.flags.items()))

    return Table(
        name="flags",
        title="Plays that are odd by the rules of delivery",
        columns=(Column("flag", "Flag"), Column("plays", "Plays", Kind.NUMBER)),
        rows=rows,
    )


_HOW_NOTES: Final = {
    How.NO_ZONE: "the zone of the site is not known",
    How.PLAIN: "the hour is there once",
    How.BY_LENGTH: "in the repeated hour; in the other pass it would be impossibly long or short",
    How.BY_BROKER: "in the repeated hour; stored within 15 minutes of its end in this pass",
    How.AMBIGUOUS: "in the repeated hour, of either pass: counted, but in no hour of UTC",
    How.SKIPPED: "at a time that the clock skips: counted, but in no hour of UTC",
}


def _placing(counted: Counted) -> Table:
    def rows() -> Iterator[tuple[Cell, ...]]:
        for how in How:
            if counted.how[how]:
                yield str(how), counted.how[how], _HOW_NOTES[how]

    columns = (Column("how", "How"), Column("plays", "Plays", Kind.NUMBER),
               Column("meaning", "What it means"))  # fmt: skip
    return Table(name="moments", title="How the moments of plays were found", columns=columns,
                 rows=rows)  # fmt: skip


def _spans(name: str, title: str, head: str, spans: Longest, counted: Counted, note: str) -> Table:
    def rows() -> Iterator[tuple[Cell, ...]]:
        screen_of = counted.screen_of()
        for span in spans.told():
            yield (*names_of(screen_of(span.screen)), moment(span.begin), moment(span.end),
                   span.seconds)  # fmt: skip

    left_out = spans.number - min(spans.number, MOST_TOLD)
    more = f" The {MOST_TOLD:,} longest; {left_out:,} more are counted only." if left_out else ""
    columns = (*SCREEN, *_FROM_TO, Column("seconds", head, Kind.SPAN))
    return Table(name=name, title=title, columns=columns, rows=rows, note=(note + more).strip())


def _gap_note(report: Report) -> str:
    return (
        f"No play on the screen, while others of its site played for more than "
        f"{report.gap_seconds / _MINUTE:g} min of it."
    )


def completeness(report: Report) -> Table:
    """Of each day, whether it is final, by the numbers that players give to events."""
    numbers = report.counted.numbers

    def rows() -> Iterator[tuple[Cell, ...]]:
        for number, day in asked_days(report):
            state = "final" if day.is_final else "open"
            yield (day_of(number), day.screens, day.seen, day.missing, day.missing_at_edge,
                   day.lost, day.lost_at_edge, _share(day), state, why_open(day))  # fmt: skip

    columns = (
        Column("day", "Day"),
        Column("screens", "Screens", Kind.NUMBER),
        Column("numbers_seen", "Numbers seen", Kind.NUMBER),
        Column("missing", "Missing in it", Kind.NUMBER),
        Column("missing_at_edge", "Missing at its edges", Kind.NUMBER),
        Column("lost", "Declared lost in it", Kind.NUMBER),
        Column("lost_at_edge", "Declared lost at its edges", Kind.NUMBER),
        Column("complete", "Complete", Kind.SHARE),
        Column("state", "State"),
        Column("why", "Why"),
    )
    return Table(
        name="completeness",
        title="Completeness of days, by pop-seq",
        columns=columns,
        rows=rows,
        note=_completeness_note(numbers),
    )


def asked_days(report: Report) -> Sequence[tuple[int, Day]]:
    """The days that are asked for, of which there are numbers."""
    period = report.period
    return [
        (number, day)
        for number, day in sorted(report.counted.numbers.days.items())
        if day.screens
        and (period is None or not period.end or f"{day_of(number)} 00:00:00" < period.end)
        and (period is None or f"{day_of(number)} 23:59:59" >= period.begin)
    ]


def why_open(day: Day) -> str:
    """Why a day is not final, with the number of screens of each reason."""
    return "; ".join(
        f"{screens:,} screen{'' if screens == 1 else 's'}: {why}"
        for why, screens in day.why.most_common()
    )


def _share(day: Day) -> float | None:
    expected = day.seen + day.missing + day.lost
    return day.seen / expected if expected else None


def _completeness_note(numbers: Numbers) -> str:
    if not numbers.seen:
        return "No event has a number (header pop-seq): nothing can be said."
    return (
        "A day is final when no number is missing in it or at its edges, and what came next on "
        "each of its screens is here. What is declared lost is not missing: nothing will come of "
        "it."
    )


def _incomplete(counted: Counted) -> Table:
    def rows() -> Iterator[tuple[Cell, ...]]:
        screen_of = counted.screen_of()
        for one in counted.numbers.incomplete:
            expected = one.highest - one.lowest + 1
            yield (*names_of(screen_of(one.screen)), one.boot, one.lowest, one.highest, expected,
                   one.seen, expected - one.seen - one.lost, one.lost)  # fmt: skip

    heads = ("Lowest", "Highest", "Expected", "Seen", "Missing")
    numbers = (
        *(Column(head.lower(), head, Kind.NUMBER) for head in heads),
        Column("lost", "Declared lost", Kind.NUMBER),
    )
    return Table(
        name="incomplete",
        title="Screens of whose numbers some are missing",
        columns=(*SCREEN, Column("pop_boot", "Boot"), *numbers),
        rows=rows,
    )


def _missing(counted: Counted) -> Table:
    numbers = counted.numbers

    def rows() -> Iterator[tuple[Cell, ...]]:
        screen_of = counted.screen_of()
        for one in numbers.ranges:
            days = [None if day is None else day_of(day) for day in (one.first_day, one.last_day)]
            yield (*names_of(screen_of(one.screen)), one.boot, one.first, one.last, one.number,
                   *days)  # fmt: skip

    columns = (
        *SCREEN,
        Column("pop_boot", "Boot"),
        Column("first", "First number", Kind.NUMBER),
        Column("last", "Last number", Kind.NUMBER),
        Column("numbers", "Missing", Kind.NUMBER),
        Column("from_day", "From day"),
        Column("to_day", "To day"),
    )
    left_out = numbers.missing_ranges - len(numbers.ranges)
    note = "What players declare lost is not among them."
    if left_out:
        note += f" {left_out:,} more ranges are counted only."
    return Table(name="missing", title="Numbers that are missing", columns=columns, rows=rows,
                 note=note)  # fmt: skip


def percentiles(lags: Lags) -> Table:
    """Within how many seconds which share of the plays had come."""

    def rows() -> Iterator[tuple[Cell, ...]]:
        yield from ((f"{share * 100:g}%", lags.percentile(share)) for share in SHARES)

    columns = (Column("share", "Share of the plays"), Column("seconds", "Came within", Kind.SPAN))
    return Table(name="late_percentiles", title="How late plays came", columns=columns, rows=rows,
                 note="From the end of the play until Kafka had it.")  # fmt: skip


def curve(lags: Lags) -> Table:
    """The share that had come after so many seconds."""

    def rows() -> Iterator[tuple[Cell, ...]]:
        for seconds in POINTS:
            within = lags.within(seconds)
            yield seconds, within, within / lags.known
            if within == lags.known:
                return

    columns = (Column("seconds", "Within", Kind.SPAN), Column("plays", "Plays", Kind.NUMBER),
               Column("share", "Share", Kind.SHARE))  # fmt: skip
    return Table(name="late_curve", title="Plays that had come within", columns=columns, rows=rows)
