"""The way of the events through this worker, as a picture and in figures."""

from collections.abc import Mapping
from dataclasses import dataclass

from pop_stream.watch.figures import count, rate, short_count
from pop_stream.watch.page.markup import Markup, element, together
from pop_stream.watch.page.table import Column, table
from pop_stream.watch.status import Flow

_BOX_WIDTH, _BOX_HEIGHT = 126, 48
#: A line of text below another.
_LINE = 16
_NOTHING = Flow(total=0, per_second=0.0)


@dataclass(frozen=True, slots=True)
class _Box:
    """A place where events are; its left upper corner."""

    name: str
    x: int
    y: int
    style: str = "box"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Arrow:
    """A way that events go."""

    #: The flow's name in `pop_stream.watch.status`.
    flow: str
    #: What happens to the events.
    verb: str
    come_from: str
    go_to: str
    path: str
    #: Where the first line of what is said of it stands.
    x: int
    y: int
    style: str = ""


_BOXES = (
    _Box("events topic", 4, 6),
    _Box("forward", 4, 140, "stage"),
    _Box("GSTV", 4, 306),
    _Box("retry topic", 270, 140),
    _Box("failure topic", 270, 306),
    _Box("notifications", 270, 430),
)
_ARROWS = (
    _Arrow(
        flow="taken", verb="taken", come_from="events topic", go_to="forward",
        path="M34 54V132", x=46, y=79,
    ),
    _Arrow(
        flow="delivered", verb="delivered", come_from="forward", go_to="GSTV",
        path="M34 188V298", x=46, y=232,
    ),
    _Arrow(
        flow="retried", verb="to retry", come_from="forward", go_to="retry topic",
        path="M130 154H262", x=198, y=109, style="middle",
    ),
    _Arrow(
        flow="due", verb="due again", come_from="retry topic", go_to="forward",
        path="M270 174H138", x=204, y=195, style="middle",
    ),
    _Arrow(
        flow="parked", verb="parked", come_from="forward", go_to="failure topic",
        path="M118 188C120 252 140 268 166 292S222 330 262 330", x=192, y=264,
    ),
    _Arrow(
        flow="redriven", verb="sent back", come_from="failure topic", go_to="retry topic",
        path="M300 306V196", x=312, y=237,
    ),
    _Arrow(
        flow="notified", verb="notified", come_from="failure topic", go_to="notifications",
        path="M300 354V422", x=312, y=374,
    ),
)  # fmt: skip


def picture(flows: Mapping[str, Flow]) -> Markup:
    """Draw where the events go, each arrow with its rate and its total."""
    return element(
        "svg",
        element("title", "Where the events of this worker go", id="flow-title"),
        element("defs", _head("head"), _head("head-still")),
        *(_drawn_box(box) for box in _BOXES),
        *(_drawn_arrow(arrow, flows.get(arrow.flow, _NOTHING)) for arrow in _ARROWS),
        viewBox="0 0 400 484",
        role="img",
        aria_labelledby="flow-title",
    )


def figures(flows: Mapping[str, Flow]) -> Markup:
    """Say the same in a table, with the numbers in full."""
    columns = (
        Column("From"), Column("To"), Column("Events"),
        Column("A second, over the last minute", "number"), Column("Since start", "number"),
    )  # fmt: skip
    rows = []
    for arrow in _ARROWS:
        flow = flows.get(arrow.flow, _NOTHING)
        rows.append(
            (arrow.come_from, arrow.go_to, arrow.verb, f"{flow.per_second:,.2f}", count(flow.total))
        )
    return table("The ways of the events in figures", columns, rows)


def _head(name: str) -> Markup:
    style = "still" if name.endswith("still") else ""
    return element(
        "marker",
        element("g", element("path", d="M0 0L10 5L0 10z", class_="head"), class_=style),
        id=name, viewBox="0 0 10 10", refX=8, refY=5, markerWidth=9, markerHeight=9,
        markerUnits="userSpaceOnUse", orient="auto",
    )  # fmt: skip


def _drawn_box(box: _Box) -> Markup:
    middle = box.x + _BOX_WIDTH // 2
    radius = _BOX_HEIGHT // 2 if box.style == "stage" else 8
    return together(
        element(
            "rect", x=box.x, y=box.y, width=_BOX_WIDTH, height=_BOX_HEIGHT, rx=radius,
            class_=box.style,
        ),
        element("text", box.name, x=middle, y=box.y + 29, class_="name"),
    )  # fmt: skip


def _drawn_arrow(arrow: _Arrow, flow: Flow) -> Markup:
    is_still = flow.per_second <= 0
    head = "head-still" if is_still else "head"
    said = (
        (rate(flow.per_second), "rate"),
        (arrow.verb, "verb"),
        (short_count(flow.total), "verb dim"),
    )
    return element(
        "g",
        element("path", d=arrow.path, class_="arrow", marker_end=f"url(#{head})"),
        *(
            element("text", text, x=arrow.x, y=arrow.y + line * _LINE,
                    class_=f"{style} {arrow.style}".rstrip())
            for line, (text, style) in enumerate(said)
        ),
        class_="still" if is_still else "moving",
    )  # fmt: skip
