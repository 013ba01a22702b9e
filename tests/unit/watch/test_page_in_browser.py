"""The page as a real browser shows it, under the headers that it is served with."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from pop_stream.watch.page.render import render
from pop_stream.watch.page.style import DARK, LIGHT
from pop_stream.watch.server import HTML, Page, Server
from tests.support.browser import NAMES, browser, seen
from tests.support.markup import ReadPage
from tests.support.status_page import NOW, delivering, held, past

pytestmark = pytest.mark.browser


@pytest.fixture
def chromium() -> str:
    """Where Chromium is."""
    found = browser()
    if found is None:
        pytest.skip(f"no browser: none of {', '.join(NAMES)} is there")
    return found


@pytest.fixture
def address() -> Iterator[str]:
    """Where pages are served: of a worker that delivers, and of one that cannot."""
    samples, outage = past(), past(held_from=337, held_to=400)
    shown = {
        "/well": render(delivering(samples), samples, NOW),
        "/held": render(held(delivering(outage)), outage, NOW),
    }
    pages = {
        path: lambda html=html: Page(HTML, html.encode())  # type: ignore[misc]
        for path, html in shown.items()
    }
    server = Server(CollectorRegistry(), pages, host="127.0.0.1", port=0)
    yield f"http://127.0.0.1:{server.port}"
    server.close()


def test_by_day_on_a_desk(chromium: str, address: str, tmp_path: Path) -> None:
    """The sheet is applied, the pictures are drawn, and the words are there."""
    shown = seen(chromium, f"{address}/well", tmp_path, width=1000, height=800)
    picture = shown.picture

    assert shown.complaints == []
    assert ReadPage(shown.html).text_of("h1").startswith("Delivering: 638 events/s")
    assert (picture.width, picture.height) == (1000, 800)
    assert picture.colour(0, 0) == picture.colour(-1, -1) == LIGHT["page"]
    assert picture.count(LIGHT["well-back"]) > 20_000
    # Arrows and curves; and what is below the curves.
    assert picture.count(LIGHT["mark"]) > 2_000
    assert picture.count(LIGHT["tint"]) > 10_000


def test_by_night_on_a_phone(chromium: str, address: str, tmp_path: Path) -> None:
    """In the colours of the night, and nothing is wider than the screen."""
    shown = seen(chromium, f"{address}/held", tmp_path, width=390, height=844, dark=True)
    picture = shown.picture

    assert shown.complaints == []
    assert "GSTV cannot be reached" in ReadPage(shown.html).text_of("h1")
    assert picture.count(DARK["watch-back"]) > 20_000
    assert {picture.colour(-2, y) for y in range(picture.height)} == {DARK["page"]}
