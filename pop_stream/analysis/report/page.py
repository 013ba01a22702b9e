"""A report as one page of HTML, which needs no script, no network and no other file."""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Final

from pop_stream.analysis.as_object import printable
from pop_stream.analysis.report.labels import day_of
from pop_stream.analysis.report.odd_tables import asked_days, why_open
from pop_stream.analysis.report.page_style import report_style
from pop_stream.analysis.report.pictures import heat_map, late_curve, plays_by_hour
from pop_stream.analysis.report.report import Report
from pop_stream.analysis.report.survey import NO_ORDER
from pop_stream.analysis.report.table import Kind, Table, say
from pop_stream.analysis.report.tally import Tally
from pop_stream.errors import WorkFailedError, why
from pop_stream.watch.figures import count, counted
from pop_stream.watch.page.markup import Markup, element, together
from pop_stream.watch.page.table import Column, table

#: More rows of a table are read in a file, not on a page.
MOST_ROWS: Final = 50
_STYLES: Final = {Kind.TEXT: "", Kind.NUMBER: "number", Kind.SPAN: "number", Kind.SHARE: "number"}


def write_page(path: Path, report: Report, tables: Sequence[Table]) -> None:
    """Write it to a file, whole or not at all. Raises WorkFailedError when that cannot be."""
    part = path.with_name(f"{path.name}.part")
    try:
        part.write_text(render(report, tables), encoding="utf-8", errors="replace")
        part.replace(path)
    except OSError as error:
        raise WorkFailedError(f"--html {path}: cannot be written ({why(error)})") from error


def render(report: Report, tables: Sequence[Table]) -> str:
    """The page."""
    title = _title(report)
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", f"{title} \u2013 pop-stream"),
        element("style", report_style()),
    )
    main = element(
        "main",
        _headline(report, title),
        _figures(report),
        _pictures(report),
        *(_section(one) for one in tables if not one.is_for_programs),
    )
    body = element("body", element("div", _top(report), main, _bottom(), class_="all"))
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en')}\n"


def _title(report: Report) -> str:
    plays = counted(report.counted.plays, "play")
    return f"{plays}, {say(report.counted.seconds, Kind.SPAN)} of airtime"


def _top(report: Report) -> Markup:
    return element(
        "header",
        element("span", element("strong", "pop-stream"), " report"),
        element("span", "of ", element("strong", printable(report.source.name))),
        element("span", "zones: ", element("strong", printable(report.zones.told()))),
        element("span", f"made {report.made_at:%Y-%m-%d %H:%M:%S} UTC", class_="when"),
    )


def _headline(report: Report, title: str) -> Markup:
    level, label, said = _state(report)
    return element(
        "div",
        element("p", label, class_="level"),
        element("h1", title),
        element("p", printable("; ".join(report.asked)), class_="remedy"),
        element("p", said, class_="remedy"),
        class_=f"finding {level}",
    )


def _state(report: Report) -> tuple[str, str, str]:
    """Whether it can still change: its level, that in words, and why."""
    if not report.is_balanced:
        return "act", "\u25a0 Wrong", "The sums do not agree. Please tell us."
    if report.is_partial_because is not None:
        why = f"Whether it is final is not told: {report.is_partial_because}."
        return "wait", "\u25d0 A part", why
    days = asked_days(report)
    if not days:
        return (
            "wait",
            "\u25d0 Unknown",
            "No event has a number: whether more will come is not known.",
        )
    still_open = [(number, day) for number, day in days if not day.is_final]
    if not still_open:
        lost = sum(day.lost + day.lost_at_edge for _, day in days)
        or_lost = ", or declared lost" if lost else ""
        why = f"Every number of every screen is here{or_lost}: no more can come."
        return "well", "\u25cf Final", why
    number, last = still_open[-1]
    among = "" if len(days) == 1 else f"{len(still_open):,} of {counted(len(days), 'day')}, "
    said = f"{among}{day_of(number)}: {why_open(last)}."
    return "watch", "\u25b2 Open: more may come", said


def _figures(report: Report) -> Markup:
    found = report.counted
    missing = None if report.is_partial_because else found.numbers.missing
    lost = None if report.is_partial_because else found.lost.plays
    gaps = None if report.is_partial_because else found.swept.gaps.number
    shown = (
        ("Assets", _named(found.assets)), ("Insertion orders", _named(found.orders)),
        ("Sites", _named(found.sites)), ("Screens", _named(found.screens)),
        ("Not counted", found.excluded.total()), ("Repeats", found.repeats),
        ("Numbers missing", missing), ("Declared lost", lost), ("Gaps", gaps),
        ("Overlaps", found.swept.overlaps.number),
    )  # fmt: skip
    figures = [
        element("div", element("h3", name),
                element("p", "not told" if number is None else count(number), class_="big"))
        for name, number in shown
    ]  # fmt: skip
    return element("section", element("h2", "In figures"), element("div", *figures,
                                                                   class_="figures"))  # fmt: skip


def _named(tally: Tally[Any]) -> int:
    return sum(row.name not in (None, NO_ORDER) for row in tally.rows())


def _pictures(report: Report) -> Markup:
    return element(
        "div",
        element("section", element("h2", "Plays by hour, in the time of their site"),
                plays_by_hour(report)),
        element("section", element("h2", "Sites by hour of the day"), heat_map(report),
                class_="tall"),
        element("section", element("h2", "How late plays came"), late_curve(report.counted.lags)),
        class_="pictures",
    )  # fmt: skip


def _section(one: Table) -> Markup:
    rows = list(islice(one.said(), MOST_ROWS + 1))
    more = len(rows) > MOST_ROWS
    parts = [element("h2", one.title)]
    if one.note:
        parts.append(element("p", one.note, class_="note"))
    if rows:
        columns = [Column(column.head, _STYLES[column.kind]) for column in one.columns]
        cells = [tuple(map(printable, row)) for row in rows[:MOST_ROWS]]
        parts.append(table(one.title, columns, cells))
    else:
        parts.append(element("p", "None.", class_="note"))
    if more:
        parts.append(
            element("p", f"The first {MOST_ROWS}: --csv writes all.", class_="note")
        )  # fmt: skip
    return element("section", *parts, class_="long" if len(rows) > MOST_ROWS // 4 else "")


def _bottom() -> Markup:
    return element(
        "footer",
        element(
            "p",
            together(
                "A play counts in the hour in which it starts; its airtime in the hours in which "
                "it was. Repeats are counted as plays, and shown beside them."
            ),
        ),
    )
