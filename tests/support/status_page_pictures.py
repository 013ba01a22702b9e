"""Takes the pictures of the status page that the documents show.

`python -m tests.support.status_page_pictures`, after a change of the page. Needs Chromium.
"""

import sys
import tempfile
from dataclasses import replace
from pathlib import Path

from pop_stream.watch.history import Sample
from pop_stream.watch.page.render import REFRESH_SECONDS, render
from pop_stream.watch.page.style import DARK, LIGHT
from pop_stream.watch.status import Status
from tests.support.browser import NAMES, browser, seen
from tests.support.png import Picture, small_png
from tests.support.status_page import NOW, delivering, held, past

_FOLDER = Path(__file__).parents[2] / "docs" / "images"
_WIDTH, _MOST_HEIGHT = 1160, 2000
_EDGE = 8


def take(name: str, status: Status, samples: list[Sample], *, dark: bool = False) -> None:
    """Take one picture, as high as the page is."""
    found = browser()
    if found is None:
        sys.exit(f"no browser: none of {', '.join(NAMES)} is there")
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "page.html"
        page.write_text(render(status, samples, NOW, refresh_seconds=REFRESH_SECONDS))
        shown = seen(
            found, page.as_uri(), Path(folder), width=_WIDTH, height=_MOST_HEIGHT, dark=dark
        )
    ground = bytes.fromhex((DARK if dark else LIGHT)["page"].removeprefix("#")) * _WIDTH
    rows = shown.picture.rows
    last = max(index for index, row in enumerate(rows) if row != ground)
    picture = replace(shown.picture, height=last + _EDGE, rows=rows[: last + _EDGE])
    _write(_FOLDER / f"{name}.png", picture)


def _write(path: Path, picture: Picture) -> None:
    data = small_png(picture)
    path.write_bytes(data)
    print(f"{path.name}: {picture.width} x {picture.height}, {len(data):,} bytes")  # noqa: T201


def main() -> None:
    """Take them all: a backlog that drains, by day; an outage, by night."""
    samples = past()
    take("status-page", delivering(samples), samples)
    outage = past(held_from=337, held_to=400)
    take("status-page-dark", held(delivering(outage)), outage, dark=True)


if __name__ == "__main__":
    main()
