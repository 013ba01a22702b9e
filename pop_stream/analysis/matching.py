"""Events of topics that a selection means, one after the other."""

from collections.abc import Callable, Iterator, Sequence

from pop_stream.analysis.event_view import EventView
from pop_stream.analysis.scan import Progress, Span, Topics
from pop_stream.analysis.selection import Selection


def matching(
    topics: Topics,
    spans: Sequence[Span],
    selection: Selection,
    *,
    progress: Callable[[Progress], None] = lambda _: None,
) -> Iterator[EventView]:
    """Read spans, and give what is meant. Raises what `Topics.read` does."""
    test = selection.test()
    for events in topics.read(spans, wants=selection.glance(), progress=progress):
        yield from filter(test, events)
