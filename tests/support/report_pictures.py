"""Takes the pictures of a report's page that the documents show.

`python -m tests.support.report_pictures`, after a change of the page. Needs Chromium.
"""

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from pop_stream.analysis.report.page import render
from pop_stream.analysis.report.report import Report
from pop_stream.analysis.report.tables import tables
from tests.support.browser import NAMES, browser, seen
from tests.support.png import small_png
from tests.support.report_page import sunday

_FOLDER = Path(__file__).parents[2] / "docs" / "images"


def take(path: Path, report: Report, *, width: int, height: int, dark: bool = False) -> None:
    """Take one picture of the upper part of the page."""
    found = browser()
    if found is None:
        sys.exit(f"no browser: none of {', '.join(NAMES)} is there")
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        page.write_text(render(report, tables(report)))
        shown = seen(
            found, page.as_uri(), Path(folder), width=width, height=height, dark=dark
        ).picture
    data = small_png(replace(shown, height=height, rows=shown.rows[:height]))
    path.write_bytes(data)
    print(f"{path.name}: {shown.width} x {height}, {len(data):,} bytes")  # noqa: T201


def main() -> None:
    """Take them all: on a desk by day, and on a phone by night."""
    report = sunday()
    take(_FOLDER / "report.png", report, width=1280, height=1150)
    take(_FOLDER / "report-phone-dark.png", report, width=390, height=1300, dark=True)


if __name__ == "__main__":
    main()
