"""Gives the events of a plan as they stand on their topics now, in the plan's order."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, groupby
from typing import TypeAlias

from pop_stream.analysis.event_view import EventView
from pop_stream.analysis.replay.done import ANOTHER, GONE
from pop_stream.analysis.replay.plan import Planned
from pop_stream.analysis.scan import Span, Topics

#: An event of the plan, or why it is not there.
Found: TypeAlias = tuple[Planned, EventView | str]


def planned_events(
    topics: Topics, lines: Iterable[Planned], ends: Mapping[tuple[str, int], int]
) -> Iterator[Found]:
    """Read the events of lines, which are sorted. What is not there any more is said, too.

    `ends` says where the plan's spans end. Raises what `Topics.read` does; where the plan ends,
    the topic is read no further.
    """
    now: dict[tuple[str, int], Span] = {}
    for place, group in groupby(lines, key=lambda line: (line.topic, line.partition)):
        if place not in now:
            now |= {(span.topic, span.partition): span for span in topics.spans([place[0]])}
        first = next(group)
        there = now.get(place, Span(*place, 0, 0))
        begin = max(first.offset, there.begin)
        span = Span(*place, begin, max(begin, min(ends.get(place, 0), there.end)))
        events = chain.from_iterable(topics.read([span]))
        yield from side_by_side(chain([first], group), events)  # noqa: B031 - once each


def side_by_side(lines: Iterable[Planned], events: Iterator[EventView]) -> Iterator[Found]:
    """Lay lines beside the records of the same partition, both in the order of their offsets."""
    event = next(events, None)
    for line in lines:
        while event is not None and event.offset < line.offset:
            event = next(events, None)
        if event is None or event.offset > line.offset:
            yield line, GONE
        elif event.pop_id != line.pop_id:
            yield line, ANOTHER
        else:
            yield line, event
