"""A table of the page: its head, its rows, and a frame that can be scrolled on a phone."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pop_stream.watch.page.markup import Child, Markup, element


@dataclass(frozen=True, slots=True)
class Column:
    """What stands above, and how it is set: `number` or `words`."""

    head: str
    style: str = ""


def table(
    name: str,
    columns: Sequence[Column],
    rows: Iterable[Sequence[Child]],
    marked: frozenset[int] = frozenset(),
) -> Markup:
    """Draw a table. The first cell of a row is its head; the rows of `marked` stand out."""
    head = [element("th", each.head, scope="col", class_=each.style) for each in columns]
    body = [
        element("tr", *_cells(columns, row), class_="act" if index in marked else "")
        for index, row in enumerate(rows)
    ]
    inner = element(
        "table",
        element("thead", element("tr", *head)),
        element("tbody", *body),
        aria_label=name,
    )
    # Whoever has no mouse scrolls with the keys: for that the frame must take the focus.
    return element("div", inner, class_="scroll", tabindex=0, role="region", aria_label=name)


def _cells(columns: Sequence[Column], row: Sequence[Child]) -> list[Markup]:
    first, *others = ((column, cell) for column, cell in zip(columns, row, strict=True))
    return [
        element("th", first[1], scope="row", class_=first[0].style),
        *(element("td", cell, class_=column.style) for column, cell in others),
    ]
