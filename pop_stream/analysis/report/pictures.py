"""The pictures of a report: plays by hour, sites by hour of the day, and how late plays came."""

from collections.abc import Iterable, Sequence
from math import log10
from typing import Final

from pop_stream.analysis.as_object import printable
from pop_stream.analysis.report.lags import POINTS, Lags
from pop_stream.analysis.report.report import Report
from pop_stream.analysis.report.table import Kind, say
from pop_stream.analysis.report.tables import days, hours, site_hours
from pop_stream.analysis.report.tally import OTHERS
from pop_stream.watch.figures import count
from pop_stream.watch.page.markup import Markup, element, together

#: As wide as a phone is, in its units: larger screens show it larger.
_WIDTH: Final = 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 46, 8, 14, 24
_HEIGHT: Final = 190
#: More bars than that cannot be told apart: then there is one for each day.
_MOST_BARS: Final = 170
MOST_SITES: Final = 30
_HOURS: Final = 24
#: How high a site's row is, where there are many, and where there are few.
_ROW, _HIGHEST_ROW, _ROOM_FOR_ROWS = 15.0, 26.0, 400.0
#: Of a site's name so much is written; all of it is in the title.
_NAME: Final = 9
_TWICE: Final = "Days are summed up, and so is an hour that a day has twice."
_TICKS: Final = (
    (1, "1 s"), (60, "1 min"), (3600, "1 h"), (86_400, "1 d"), (864_000, "10 d"),
    (8_640_000, "100 d"),
)  # fmt: skip


def plays_by_hour(report: Report) -> Markup:
    """A bar for each hour, by the sites' clocks; for each day where there are many."""
    unit, table = "hour", hours(report)
    bars = [(str(row[0]), int(row[1] or 0)) for row in table.rows()]
    if len(bars) > _MOST_BARS:
        unit = "day"
        bars = [(str(row[0]), int(row[2] or 0)) for row in days(report).rows()][-_MOST_BARS:]
    if not bars:
        return _nothing("No play was counted.")
    most = max(plays for _, plays in bars) or 1
    room = (_WIDTH - _LEFT - _RIGHT) / len(bars)
    ground = _HEIGHT - _BOTTOM
    drawn = [
        element(
            "rect",
            element("title", f"{name}: {count(plays)} plays"),
            x=_LEFT + at * room, width=room * 0.84, class_="bar-of",
            y=ground - _tall(plays, most), height=_tall(plays, most),
        )
        for at, (name, plays) in enumerate(bars)
    ]  # fmt: skip
    title = f"Plays by {unit}: {len(bars)} {unit}s, at most {count(most)}"
    names = [(_LEFT + (at + 0.42) * room, _short(bars, at)) for at in _some(len(bars))]
    return _picture(title, _HEIGHT, *_grid([(0, "0"), (most / 2, count(most / 2)),
                                            (most, count(most))], most),
                    *drawn, *_names_below(names))  # fmt: skip


def _tall(value: float, most: float) -> float:
    return value / most * (_HEIGHT - _TOP - _BOTTOM)


def _some(number: int) -> Sequence[int]:
    """Which of so many are named: few enough to be read."""
    return sorted({0, number // 2, number - 1}) if number > 2 else range(number)


def _short(bars: Sequence[tuple[str, int]], at: int) -> str:
    """An hour's name; of one day the time alone."""
    name = bars[at][0]
    is_one_day = bars[0][0][:10] == bars[-1][0][:10]
    return name[11:16] if is_one_day and len(name) > 10 else name[5:16]


def _names_below(names: Iterable[tuple[float, str]]) -> list[Markup]:
    shown = list(names)
    return [
        element("text", name, x=x, y=_HEIGHT - 8, class_=f"axis {_anchor(at, len(shown))}")
        for at, (x, name) in enumerate(shown)
    ]


def _anchor(at: int, number: int) -> str:
    if number > 1 and at == number - 1:
        return "end"
    return "" if at == 0 and number > 1 else "middle"


def _grid(marks: Sequence[tuple[float, str]], most: float) -> list[Markup]:
    lines = []
    for value, name in marks:
        y = _HEIGHT - _BOTTOM - _tall(value, most)
        lines += [
            element("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=y, y2=y, class_="rule"),
            element("text", name, x=_LEFT - 5, y=y + 4, class_="axis end"),
        ]
    return lines


def heat_map(report: Report) -> Markup:
    """The sites with most plays: how many in each hour of the day."""
    counted = report.counted
    sites = [row for row in counted.sites.by_plays() if row.number != OTHERS]
    rows = sites[:MOST_SITES]
    if not rows:
        return _nothing("No play was counted.")
    by_site = [(str(row.name), list(site_hours(counted, row.number))) for row in rows]
    most = max(max(plays) for _, plays in by_site)
    left, top = 62, 18
    high = min(max(_ROOM_FOR_ROWS / len(by_site), _ROW), _HIGHEST_ROW)
    room = (_WIDTH - left - _RIGHT) / _HOURS
    drawn = [
        element("text", f"{hour}", x=left + (hour + 0.5) * room, y=12, class_="axis middle")
        for hour in range(0, _HOURS, 3)
    ]
    for line, (site, plays) in enumerate(by_site):
        y = top + line * high
        name = printable(site)
        short = name if len(name) <= _NAME else f"{name[: _NAME - 1]}\u2026"
        drawn.append(element("text", short, x=left - 5, y=y + high / 2 + 4, class_="axis end"))
        drawn += [
            element(
                "rect",
                element("title", f"site {name}, {hour}:00: {count(number)} plays"),
                x=left + hour * room, y=y, width=room - 1, height=high - 1,
                class_="heat" if number else "cold",
                # A site's few plays must be told from none.
                fill_opacity=f"{0.12 + 0.88 * number / most:.2f}" if number else "",
            )
            for hour, number in enumerate(plays)
        ]  # fmt: skip
    title = f"Plays by site and hour of the day, at most {count(most)}"
    height = top + len(by_site) * high + 4
    left_out = len(sites) - len(rows)
    note = f"The {len(rows)} sites with most plays; --csv has {count(left_out)} more. {_TWICE}"
    return together(
        _picture(title, height, *drawn),
        element("p", note if left_out > 0 else _TWICE, class_="note"),
    )


def late_curve(lags: Lags) -> Markup:
    """Which share of the plays had come within which time, in steps of ten."""
    if not lags.known:
        return _nothing(
            "When plays came can be compared with when they were only where the zones of sites "
            "are known: --site-zone or --sites."
        )
    last = lags.percentile(1.0) or 1
    most = max(log10(next((point for point in POINTS if point >= last), last)), 1.0)
    room = _WIDTH - _LEFT - _RIGHT

    def place(seconds: int) -> tuple[float, float]:
        share = lags.within(seconds) / lags.known
        return _LEFT + min(log10(seconds) / most, 1.0) * room, _HEIGHT - _BOTTOM - _tall(share, 1)

    at = [place(seconds) for seconds in POINTS if log10(seconds) <= most]
    line = "L".join(f"{x:.1f} {y:.1f}" for x, y in at)
    ground = _HEIGHT - _BOTTOM
    names = [(_LEFT + log10(tick) / most * room, name) for tick, name in _TICKS
             if log10(tick) <= most]  # fmt: skip
    half, nearly = (say(lags.percentile(share), Kind.SPAN) for share in (0.5, 0.99))
    return together(
        _picture(
            f"Half of the plays came within {half}, 99% within {nearly}",
            _HEIGHT,
            *_grid([(0, "0%"), (0.5, "50%"), (1, "100%")], 1),
            element("path", d=f"M{at[0][0]:.1f} {ground}L{line}L{at[-1][0]:.1f} {ground}z",
                    class_="under"),
            element("path", d=f"M{line}", class_="curve"),
            *_ticks(names),
        ),
        element("p", f"Half came within {half}, 99% within {nearly}.", class_="note"),
    )  # fmt: skip


def _ticks(names: Sequence[tuple[float, str]]) -> list[Markup]:
    return [
        element("text", name, x=x, y=_HEIGHT - 8,
                class_=f"axis {'' if x < _LEFT + 20 else 'end' if x > _WIDTH - 40 else 'middle'}")
        for x, name in names
    ]  # fmt: skip


def _picture(title: str, height: float, *drawn: Markup) -> Markup:
    return element(
        "svg",
        element("title", title),
        *drawn,
        viewBox=f"0 0 {_WIDTH} {height:.0f}",
        role="img",
    )


def _nothing(why: str) -> Markup:
    return element("p", why, class_="note")
