"""The page of a report: sound HTML, that asks for nothing and can be read by anybody."""

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from pop_stream.analysis.period import parse_played
from pop_stream.analysis.report.page import MOST_ROWS, render, write_page
from pop_stream.analysis.report.page_style import report_style
from pop_stream.analysis.report.pictures import MOST_SITES
from pop_stream.analysis.report.report import Report
from pop_stream.analysis.report.tables import tables
from pop_stream.errors import WorkFailedError
from pop_stream.watch.page.style import LIGHT
from tests.support.markup import ReadPage
from tests.support.report_page import report_of, sunday
from tests.unit.analysis.report.records import record

HOSTILE = """"><script>alert('x')</script><img src=x onerror=alert(1)>&lt;'`\u2028\x00\u202e"""
MANY_SITES = [record(n, site=f"s{n}", screen=str(n % 3)) for n in range(90)]
FINAL = [record(1, seq=1), record(2, seq=2, startTimestamp="2026-11-21 10:00:00",
                                  endTimestamp="2026-11-21 10:00:15")]  # fmt: skip
DAYS = [
    record(n, startTimestamp=f"2026-{n // 28 + 1:02d}-{n % 28 + 1:02d} 10:00:00",
           endTimestamp=f"2026-{n // 28 + 1:02d}-{n % 28 + 1:02d} 10:00:15")
    for n in range(200)
]  # fmt: skip


@pytest.fixture(scope="module")
def reports() -> dict[str, Report]:
    """Reports of every kind."""
    return {
        "nothing": report_of([]),
        "one play": report_of([record()]),
        "no zone": report_of([record(1), record(2, value=b"x")]),
        "a part": report_of([record(1)], partial="the selection leaves out some plays"),
        "many sites": report_of(MANY_SITES, zone="America/Chicago"),
        "many days": report_of(DAYS, zone="America/Chicago"),
        "a long lag": report_of([record(stored=1_890_000_000_000)], zone="America/Chicago"),
        "sunday": sunday(),
    }


KINDS = ("nothing", "one play", "no zone", "a part", "many sites", "many days", "a long lag",
         "sunday")  # fmt: skip
every_kind = pytest.mark.parametrize("kind", KINDS)


def html_of(report: Report) -> str:
    """Its page."""
    return render(report, tables(report))


@every_kind
def test_every_page_is_sound(kind: str, reports: dict[str, Report]) -> None:
    """Every element is closed, and no number is none."""
    html = html_of(reports[kind])
    page = ReadPage(html)

    assert html.startswith("<!DOCTYPE html>\n<html lang=")
    assert page.named("h1")
    for word in ("NaN", "nan", "inf"):
        assert not re.search(rf"\b{word}\b", html)
    assert ">None<" not in html


@every_kind
def test_nothing_on_a_page_comes_from_elsewhere(kind: str, reports: dict[str, Report]) -> None:
    """No script, no picture, no address: it can be read without a network, in ten years too."""
    html = html_of(reports[kind])
    page = ReadPage(html)

    assert not page.named("script", "img", "link", "iframe", "object", "embed", "form", "base", "a")
    assert "://" not in html
    assert "@import" not in html
    assert "url(" not in html
    for each in page.elements:
        assert not [name for name in each.attributes if name.startswith("on") or name == "style"]


@every_kind
def test_who_cannot_see_a_page_can_read_it(kind: str, reports: dict[str, Report]) -> None:
    """One first heading, none left out below it; tables with heads; pictures with titles."""
    page = ReadPage(html_of(reports[kind]))
    levels = [int(each.name[1]) for each in page.named("h1", "h2", "h3")]

    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(below - above <= 1 for above, below in pairwise(levels))
    assert all(each.attributes.get("scope") in ("col", "row") for each in page.named("th"))
    assert all(each.attributes.get("role") == "img" for each in page.named("svg"))
    assert len(page.named("main")) == 1


def test_hostile_names_are_only_words() -> None:
    """Of sites, assets, orders and files: they are shown, and do nothing."""
    odd = {"site": HOSTILE, "screen": HOSTILE, "assetId": HOSTILE, "ioNumber": HOSTILE}
    report = report_of([record(1, seq=1, boot=HOSTILE, **odd), record(2, seq=5, **odd)])
    report = replace(
        report, asked=[HOSTILE], source=replace(report.source, name=HOSTILE)
    )  # fmt: skip
    html = html_of(report)
    page = ReadPage(html)

    assert not page.named("script", "img")
    assert "<script" not in html
    assert "\x00" not in html
    assert "\u202e" not in html
    shown = HOSTILE.replace("\u2028", "?").replace("\x00", "?").replace("\u202e", "?")
    assert [each.text for each in page.named("th")].count(shown) >= 4


def test_the_first_words_say_how_much_was_played_and_whether_that_is_final(
    reports: dict[str, Report],
) -> None:
    """In large type, and in the name of the browser's tab."""
    page = ReadPage(html_of(reports["sunday"]))

    assert page.text_of("h1") == "27,115 plays, 451:55:00 of airtime"
    assert page.named("title")[0].text == "27,115 plays, 451:55:00 of airtime \u2013 pop-stream"
    assert "Open: more may come" in page.text_of("main")
    assert "16 screens: nothing later is here yet" in page.text_of("main")
    day = replace(report_of(FINAL), period=None)
    assert "Open" in ReadPage(html_of(day)).text_of("main")
    assert "Unknown" in ReadPage(html_of(reports["nothing"])).text_of("main")
    assert "A part" in ReadPage(html_of(reports["a part"])).text_of("main")


def test_a_day_that_is_final_says_so() -> None:
    """All its numbers and what came next are here."""
    report = report_of(FINAL, period=parse_played(None, None, day="2026-11-20"))

    assert "Final" in ReadPage(html_of(report)).text_of("main")


def test_pictures_show_what_was_counted(reports: dict[str, Report]) -> None:
    """A bar for each of 25 hours, a cell for each site and hour, a curve that ends at all."""
    page = ReadPage(html_of(reports["sunday"]))
    bars = [each for each in page.named("rect") if each.attributes["class"] == "bar-of"]
    cells = [each for each in page.named("rect") if each.attributes["class"] in ("heat", "cold")]
    (curve,) = [e for e in page.named("path") if e.attributes["class"] == "curve"]

    assert len(bars) == 25
    assert len(cells) == 12 * 24
    assert "2026-11-01 01:00 CST: 480 plays" in [each.text for each in bars]
    heights = [float(each.attributes["height"]) for each in bars]
    assert max(heights) == heights[9]
    assert curve.attributes["d"].endswith(" 14.0")


def test_many_days_are_drawn_by_the_day_and_many_sites_in_part(reports: dict[str, Report]) -> None:
    """What is left out is said, and is in the tables."""
    days = ReadPage(html_of(reports["many days"]))
    sites = ReadPage(html_of(reports["many sites"]))

    assert "Plays by day: 170 days" in [each.text[:22] for each in days.named("title")]
    rects = sites.named("rect")
    assert sum(each.attributes["class"] in ("heat", "cold") for each in rects) == MOST_SITES * 24
    assert "--csv has 60 more" in sites.text_of("main")
    assert f"The first {MOST_ROWS}: --csv writes all." in sites.text_of("main")


def test_on_paper_it_is_day() -> None:
    """The colours of the day are set for print, and cards are not torn apart."""
    printed = report_style().partition("@media print{")[2]

    assert f"--ink:{LIGHT['ink']}" in printed
    assert "break-inside:avoid" in printed
    assert "<" not in report_style()


def test_a_page_is_written_whole_or_not_at_all(tmp_path: Path, reports: dict[str, Report]) -> None:
    """Where it cannot be written, that is said."""
    report = reports["one play"]
    write_page(tmp_path / "page.html", report, tables(report))
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
    with pytest.raises(WorkFailedError, match="cannot be written"):
        write_page(tmp_path / "nowhere" / "page.html", report, tables(report))
