"""The course of a number over the last hour, drawn small."""

from collections.abc import Callable, Iterator, Sequence

from pop_stream.watch.history import HOUR_SECONDS, SAMPLE_SECONDS, Point
from pop_stream.watch.page.markup import Markup, element, together

_WIDTH, _HEIGHT = 360, 64
#: Room for the curve's own width.
_EDGE = 2
#: A longer time without a sample is left open: nobody looked.
_GAP_SECONDS = 3 * SAMPLE_SECONDS


def sparkline(
    name: str, points: Sequence[Point], now: float, say: Callable[[float], str]
) -> Markup:
    """Draw the points of the hour before `now`, in epoch seconds; `say` says a value."""
    shown = [point for point in points if now - HOUR_SECONDS <= point.at <= now + SAMPLE_SECONDS]
    if len(shown) < 2:
        return element("p", "The curve begins with the first minute.", class_="note")
    most = max(point.value for point in shown)
    curves = [_curve(run, now, most) for run in _runs(shown)]
    ground = _HEIGHT - _EDGE
    drawing = element(
        "svg",
        element("title", f"{name} over the last hour, with a peak of {say(most)}"),
        element("line", x1=0, y1=ground, x2=_WIDTH, y2=ground, class_="ground"),
        *curves,
        viewBox=f"0 0 {_WIDTH} {_HEIGHT}",
        preserveAspectRatio="none",
        role="img",
        class_="spark",
    )
    return together(drawing, _scale(say(most)))


def _scale(most: str) -> Markup:
    return element(
        "p",
        element("span", "1 h ago"),
        element("span", f"peak {most}"),
        element("span", "now"),
        class_="scale",
    )


def _runs(points: Sequence[Point]) -> Iterator[list[Point]]:
    """Split where nobody looked for a while."""
    run: list[Point] = []
    for point in points:
        if run and point.at - run[-1].at > _GAP_SECONDS:
            yield run
            run = []
        run.append(point)
    yield run


def _curve(run: Sequence[Point], now: float, most: float) -> Markup:
    ground = _HEIGHT - _EDGE
    places = [
        (
            max(min(1 - (now - point.at) / HOUR_SECONDS, 1.0), 0.0) * _WIDTH,
            ground - (point.value / most if most > 0 else 0.0) * (ground - _EDGE),
        )
        for point in run
    ]
    line = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
    first, last = places[0][0], places[-1][0]
    return together(
        element("path", d=f"M{first:.1f} {ground}L{line}L{last:.1f} {ground}z", class_="under"),
        element("path", d=f"M{line}", class_="curve"),
    )
