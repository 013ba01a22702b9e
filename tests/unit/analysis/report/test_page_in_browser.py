"""The page of a report as a real browser shows it, from a file."""

from pathlib import Path

import pytest

from pop_stream.analysis.report.page import write_page
from pop_stream.analysis.report.report import Report
from pop_stream.analysis.report.tables import tables
from pop_stream.watch.page.style import DARK, LIGHT
from tests.support.browser import NAMES, browser, seen
from tests.support.markup import ReadPage
from tests.support.report_page import report_of, sunday
from tests.unit.analysis.report.records import record

pytestmark = pytest.mark.browser


@pytest.fixture
def chromium() -> str:
    """Where Chromium is."""
    found = browser()
    if found is None:
        pytest.skip(f"no browser: none of {', '.join(NAMES)} is there")
    return found


def written(folder: Path, report: Report) -> str:
    """The address of its page."""
    path = folder / "report.html"
    write_page(path, report, tables(report))
    return path.as_uri()


def test_by_day_on_a_desk(chromium: str, tmp_path: Path) -> None:
    """The sheet is applied, the pictures are drawn, and the words are there."""
    shown = seen(chromium, written(tmp_path, sunday()), tmp_path, width=1280, height=1150)
    picture = shown.picture

    assert shown.complaints == []
    assert ReadPage(shown.html).text_of("h1") == "27,115 plays, 451:55:00 of airtime"
    assert picture.colour(0, 0) == picture.colour(-1, -1) == LIGHT["page"]
    assert picture.count(LIGHT["watch-back"]) > 50_000
    # Bars, cells of the heat map, and what is below the curve.
    assert picture.count(LIGHT["mark"]) > 30_000
    assert picture.count(LIGHT["tint"]) > 50_000


@pytest.mark.parametrize("name", ["1202", "x" * 180, "\u202e<b>" * 50])
def test_by_night_on_a_phone(chromium: str, tmp_path: Path, name: str) -> None:
    """In the colours of the night, and nothing is wider than the screen, whatever its name is."""
    events = [record(n, site=name, assetId=name, ioNumber=name, seq=2 * n) for n in range(3)]
    report = report_of(events, zone="America/Chicago")
    shown = seen(
        chromium, written(tmp_path, report), tmp_path, width=390, height=9000, dark=True
    )  # fmt: skip
    picture = shown.picture

    assert shown.complaints == []
    assert picture.count(DARK["mark"]) > 500
    assert {picture.colour(-2, y) for y in range(picture.height)} == {DARK["page"]}
