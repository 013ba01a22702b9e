"""In every state the page is sound HTML, asks for nothing, and can be read by anybody."""

import re
from dataclasses import replace
from itertools import pairwise

import pytest

from pop_stream.watch.page.markup import Markup, element, together
from pop_stream.watch.page.render import render
from pop_stream.watch.page.style import DARK, LIGHT, style
from pop_stream.watch.status import Failures
from tests.support.markup import ReadPage
from tests.support.status_page import NOW, with_still_partition, with_work
from tests.unit.watch.page_states import DELIVERING, PAST, STATES

HISTORIES = {"of an hour": PAST, "of one sample": PAST[:1], "of two": PAST[:2], "none": []}


@pytest.mark.parametrize("history", HISTORIES)
@pytest.mark.parametrize("name", STATES)
def test_in_every_state_the_page_is_sound(name: str, history: str) -> None:
    """Every element is closed, no id is there twice, and whatever is referred to is there."""
    html = render(STATES[name], HISTORIES[history], NOW, refresh_seconds=5)
    page = ReadPage(html)
    ids = {each.attributes.get("id") for each in page.elements}

    assert html.startswith("<!DOCTYPE html>\n<html lang=")
    for each in page.elements:
        assert each.attributes.get("aria-labelledby", "flow-title") in {*ids, "flow-title"}
        for target in re.findall(r"url\(#([^)]+)\)", " ".join(each.attributes.values())):
            assert target in ids
    assert "NaN" not in html
    assert "nan" not in html
    assert "None" not in html.replace("None since", "")


@pytest.mark.parametrize("name", STATES)
def test_nothing_on_the_page_comes_from_elsewhere(name: str) -> None:
    """No script, no picture, no style sheet, no address but of the worker's own pages."""
    html = render(STATES[name], PAST, NOW)
    page = ReadPage(html)

    assert not page.named("script", "img", "link", "iframe", "object", "embed", "form", "base")
    assert "://" not in html
    assert "@import" not in html
    for each in page.elements:
        assert each.attributes.get("href", "/").startswith("/")
        assert not [attribute for attribute in each.attributes if attribute.startswith("on")]
        assert "style" not in each.attributes


@pytest.mark.parametrize("name", STATES)
def test_who_cannot_see_it_can_read_it(name: str) -> None:
    """One first heading, none left out below it; tables with heads; pictures with titles."""
    page = ReadPage(render(STATES[name], PAST, NOW))
    levels = [int(each.name[1]) for each in page.named("h1", "h2", "h3", "h4")]

    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(below - above <= 1 for above, below in pairwise(levels))
    assert all(each.attributes.get("scope") in ("col", "row") for each in page.named("th"))
    assert all(each.attributes.get("role") == "img" for each in page.named("svg"))
    titles = [each for each in page.named("title") if each.text]
    assert len(titles) == 1 + len(page.named("svg"))
    assert len(page.named("main")) == 1


HOSTILE = """"><script>alert('x')</script><img src=x onerror=alert(1)>&lt;'`\u2028\x00\ud800"""


def test_hostile_names_are_only_words() -> None:
    """Of topics, of the group, of stages: they are shown as they are, and do nothing."""
    status = with_still_partition(DELIVERING)
    assert status.work is not None
    rows = tuple(replace(each, topic=HOSTILE) for each in status.work.partitions)
    one = Failures(
        reason=HOSTILE, retried_in_hour=1, retried=1, parked_in_hour=1, parked=1, last_at=NOW
    )
    status = replace(
        with_work(status, partitions=rows, failures=(one,)),
        group=HOSTILE, stages=(HOSTILE, HOSTILE), version=HOSTILE,
    )  # fmt: skip
    html = render(status, PAST, NOW)
    page = ReadPage(html)

    assert not page.named("script", "img")
    assert "<script" not in html
    assert HOSTILE in [each.text for each in page.named("strong")]
    assert [each.text for each in page.named("th")].count(HOSTILE) == 9
    assert {name for each in page.elements for name in each.attributes} <= {
        "aria-label", "aria-labelledby", "charset", "class", "content", "d", "height", "href",
        "http-equiv", "id", "lang", "marker-end", "markerheight", "markerunits", "markerwidth",
        "name", "orient", "preserveaspectratio", "refx", "refy", "role", "rx", "scope", "tabindex",
        "viewbox", "width", "x", "x1", "x2", "y", "y1", "y2",
    }  # fmt: skip


def test_text_is_escaped_wherever_it_is_put() -> None:
    """Only what was made of elements is taken for HTML."""
    assert element("p", "<b>", title="\"'<") == '<p title="&quot;&#x27;&lt;">&lt;b&gt;</p>'
    assert together("<", Markup("<b></b>"), element("i")) == "&lt;<b></b><i></i>"


def test_the_browser_asks_anew_only_where_it_should() -> None:
    """Who reads the page is not disturbed on the page that stays."""
    live, still = (
        ReadPage(render(DELIVERING, PAST, NOW, refresh_seconds=seconds)) for seconds in (5, None)
    )
    again = [each.attributes.get("content") for each in live.named("meta")
             if each.attributes.get("http-equiv") == "refresh"]  # fmt: skip

    assert again == ["5"]
    assert not [each for each in still.named("meta") if "http-equiv" in each.attributes]
    assert "/still" in [each.attributes["href"] for each in live.named("a")]
    assert "/" in [each.attributes["href"] for each in still.named("a")]


def test_every_colour_is_there_by_day_and_by_night() -> None:
    """Whatever the sheet asks for is defined in both schemes, and nothing else is."""
    asked = set(re.findall(r"var\(--([a-z-]+)\)", style()))

    assert LIGHT.keys() == DARK.keys() == asked
    assert "prefers-color-scheme:dark" in style()
    # The sheet is within an element, and is not escaped.
    assert "<" not in style()


def luminance(colour: str) -> float:
    """The relative luminance of WCAG 2."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


TEXTS = [
    *((name, back) for name in ("ink", "dim", "link") for back in ("page", "card")),
    ("ink", "tint"),
    *((level, f"{level}-back") for level in ("well", "wait", "watch", "act")),
    *(("ink", f"{level}-back") for level in ("well", "wait", "watch", "act")),
]


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["day", "night"])
@pytest.mark.parametrize(("front", "back"), TEXTS)
def test_every_text_can_be_told_from_its_ground(
    front: str, back: str, colours: dict[str, str]
) -> None:
    """WCAG 2 asks for 4.5 to 1."""
    lighter, darker = sorted((luminance(colours[front]), luminance(colours[back])), reverse=True)

    assert (lighter + 0.05) / (darker + 0.05) >= 4.5
