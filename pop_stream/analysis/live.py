"""The last records of topics, and then each that comes, in the order in which they were stored."""

import heapq
import time
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from pop_stream.analysis.batches import Glance
from pop_stream.analysis.event_view import EventView
from pop_stream.analysis.scan import Span, Topics, Way
from pop_stream.analysis.selection import Selection

#: What was stored earlier on another broker may come so much later.
_SETTLE_SECONDS: Final = 0.5
#: Of more than that the order is not waited for: what cannot be read by eye need not be in order.
_MOST_HELD: Final = 5000
#: After so long: are the topics still there, and have they as many partitions?
_LOOK_SECONDS: Final = 10.0
_FOR_EVER: Final = 2**62
#: So many records of each partition are looked through for the last ones that are meant.
LOOKED_THROUGH: Final = 100_000


class LiveTopics(Topics):
    """Topics, for reading as they grow."""

    def follow(
        self, spans: Sequence[Span], *, wants: Glance | None = None
    ) -> Iterator[list[EventView]]:
        """Give all records from where spans end, as they come; nothing, now and then, else.

        Never ends. A partition that is added is read from its beginning. Raises TopicsMissingError
        when a topic is deleted, and WorkFailedError when Kafka refuses.
        """
        way = Way([each._replace(begin=each.end, end=_FOR_EVER) for each in spans])
        while True:
            looked_at = time.monotonic()
            for given in self._given(way):
                # That nothing comes is no wonder here.
                way.rest()
                yield [
                    view
                    for fetched in given
                    for views in self._views(fetched, way, wants)
                    for view in views
                ]
                if time.monotonic() - looked_at >= _LOOK_SECONDS:
                    break
            for topic in sorted({topic for topic, _ in way.left}):
                for place in self._places(topic):
                    way.left.setdefault((topic, place.partition), (0, _FOR_EVER))


def last_of(
    topics: Topics, spans: Sequence[Span], selection: Selection, count: int
) -> list[EventView]:
    """The last records that are meant, in the order in which they were stored.

    Looks through more and more of each partition until there are enough, up to LOOKED_THROUGH.
    Raises what `Topics.read` does.
    """
    test, wants = selection.test(), selection.glance()
    found: dict[tuple[str, int], deque[EventView]] = {}
    left, reach = list(spans) if count else [], max(count, 100)
    while left:
        window = [each._replace(begin=max(each.begin, each.end - reach)) for each in left]
        for each in window:
            found[each.topic, each.partition] = deque(maxlen=count)
        for events in topics.read(window, wants=wants):
            for event in filter(test, events):
                found[event.topic, event.partition].append(event)
        left = [
            whole for whole, part in zip(left, window, strict=True)
            if part.begin > whole.begin
            and len(found[whole.topic, whole.partition]) < count
            and reach < LOOKED_THROUGH
        ]  # fmt: skip
        reach = min(reach * 10, LOOKED_THROUGH)
    merged = sorted((event for each in found.values() for event in each), key=stored_order)
    return merged[-count:] if count else []


def stored_order(event: EventView) -> tuple[int, str, int, int]:
    """What sorts records by when they were stored; those of one partition stay in order."""
    return (event.timestamp, event.topic, event.partition, event.offset)


class _Held(NamedTuple):
    order: tuple[int, str, int, int]
    came_at: float
    event: EventView


class Merge:
    """Puts records that come from several partitions in order, for as long as that takes."""

    def __init__(self) -> None:
        self._held: list[_Held] = []

    def add(self, events: Sequence[EventView], now: float) -> None:
        """Take records that came at `now`, in monotonic seconds."""
        for event in events:
            heapq.heappush(self._held, _Held(stored_order(event), now, event))

    def due(self, now: float) -> Iterator[EventView]:
        """Give those before which nothing is to be expected any more."""
        held = self._held
        while held and (len(held) > _MOST_HELD or held[0].came_at + _SETTLE_SECONDS <= now):
            yield heapq.heappop(held).event
