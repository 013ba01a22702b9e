"""The page: what it says, in the order in which somebody who was woken asks.

How do things stand? Where do the events go? How many wait, and how long? What failed? Which
partition is it? And where is more?
"""

import re
from collections.abc import Sequence

from pop_stream.watch.figures import full_moment, span
from pop_stream.watch.finding import Finding, Level
from pop_stream.watch.findings import findings
from pop_stream.watch.history import Sample
from pop_stream.watch.page import flow, tables
from pop_stream.watch.page.cards import cards
from pop_stream.watch.page.markup import Child, Markup, element, together
from pop_stream.watch.page.style import style
from pop_stream.watch.status import Status, WorkStatus

#: Where the page is served: one that is drawn anew by itself, and one that is not.
LIVE = "/"
STILL = "/still"
REFRESH_SECONDS = 5

#: What tells the levels apart beside their colours; and the same of what is not the headline.
_LABELS = {
    Level.WELL: "\u25cf All is well",
    Level.WAIT: "\u25d0 Wait",
    Level.WATCH: "\u25b2 Keep watch",
    Level.ACT: "\u25a0 A person is needed",
}
_LABELS_BELOW = {**_LABELS, Level.WELL: "\u25cf Otherwise well"}
_NUMBER_WITH_UNIT = re.compile(r"(?<=\d) (?=(?:s|min|h|d)\b)")
_ON_ARROWS = "On each arrow: the last minute, and all since the start."
_PAGES = (
    ("/metrics", "Metrics"),
    ("/statusz", "All of this as JSON"),
    ("/livez", "Whether it lives"),
    ("/readyz", "Whether it is ready"),
)


def render(
    status: Status, samples: Sequence[Sample], now: float, *, refresh_seconds: int | None = None
) -> str:
    """The page as HTML; `now` is in epoch seconds, and `samples` are those of the last hour.

    `refresh_seconds`: how often the browser asks for it anew; None: it does not.
    """
    found = findings(status, now)
    main = [_headline(found[0]), *map(_below, found[1:])]
    if status.work is not None:
        main += _work(status, status.work, samples, now)
    page = element(
        "html",
        _head(found[0], refresh_seconds),
        element(
            "body",
            element(
                "div",
                _top(status, now),
                element("main", *main),
                _bottom(refresh_seconds),
                class_="all",
            ),
        ),
        lang="en",
    )
    return f"<!DOCTYPE html>\n{page}\n"


def _head(headline: Finding, refresh_seconds: int | None) -> Markup:
    again = () if refresh_seconds is None else (
        element("meta", http_equiv="refresh", content=refresh_seconds),
    )  # fmt: skip
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        *again,
        element("title", f"{headline.says} \u2013 pop-stream"),
        element("style", style()),
    )


def _top(status: Status, now: float) -> Markup:
    began = "" if status.began_at is None else f", runs for {span(now - status.began_at)}"
    return element(
        "header",
        element("span", element("strong", "pop-stream"), f" {status.version}{began}"),
        element("span", "group ", element("strong", status.group)),
        element("span", "stages ", element("strong", ", ".join(status.stages))),
        element("span", f"as of {full_moment(now)}", class_="when"),
    )


def _headline(finding: Finding) -> Markup:
    # On a phone the sentence has several lines: none shall end between a number and its unit.
    says = _NUMBER_WITH_UNIT.sub("\u00a0", finding.says)
    return _finding(finding, _LABELS[finding.level], element("h1", says))


def _below(finding: Finding) -> Markup:
    says = element("p", finding.says, class_="says")
    return _finding(finding, _LABELS_BELOW[finding.level], says)


def _finding(finding: Finding, label: str, says: Markup) -> Markup:
    remedy = () if not finding.remedy else (
        element("p", *_with_code(finding.remedy), class_="remedy"),
    )  # fmt: skip
    level = finding.level.name.lower()
    return element(
        "div", element("p", label, class_="level"), says, *remedy, class_=f"finding {level}"
    )


def _with_code(text: str) -> list[Child]:
    """Set what stands between backticks as code."""
    return [
        element("code", part) if index % 2 else part for index, part in enumerate(text.split("`"))
    ]


def _work(
    status: Status, work: WorkStatus, samples: Sequence[Sample], now: float
) -> tuple[Markup, ...]:
    return (
        element(
            "div",
            element(
                "section",
                element("h2", "Where the events go"),
                element("p", _ON_ARROWS, class_="note"),
                flow.picture(work.flows),
                element("details", element("summary", "In figures"), flow.figures(work.flows)),
                class_="flow",
            ),
            element(
                "section", element("h2", "How it fares"), cards(work, samples, now), class_="cards"
            ),
            class_="parts",
        ),
        _section("What failed, by reason", tables.failures(work, now)),
        _section("Partitions of this worker", tables.partitions(status, work, now)),
    )


def _section(name: str, *children: Child) -> Markup:
    return element("section", element("h2", name), *children)


def _bottom(refresh_seconds: int | None) -> Markup:
    if refresh_seconds is None:
        again = together(
            "This page stays as it is. ", element("a", "Keep it up to date", href=LIVE)
        )
    else:
        again = together(
            f"This page is drawn anew every {refresh_seconds} s. ",
            element("a", "Let it stay as it is", href=STILL),
        )
    links = [element("a", name, href=path) for path, name in _PAGES]
    return element(
        "footer",
        element("p", again),
        element("p", "All numbers are this worker's own; other workers have pages of their own."),
        element("nav", *links, aria_label="More of this worker"),
    )
