"""The last records of topics, and then each that comes, in the order in which they were stored."""

import heapq
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from confluent_kafka import TopicPartition

from pop_stream.analysis.event_view import EventView
from pop_stream.analysis.scan import Span, Topics
from pop_stream.analysis.selection import Selection

_AT_ONCE: Final = 2000
_POLL_SECONDS: Final = 0.2
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
        self, spans: Sequence[Span], *, wants: Callable[[bytes | None], bool] | None = None
    ) -> Iterator[list[EventView]]:
        """Give all records from where spans end, as they come; nothing, now and then, else.

        Never ends. A partition that is added is read from its beginning. Raises TopicsMissingError
        when a topic is deleted, and WorkFailedError when Kafka refuses.
        """
        left = {
            (each.topic, each.partition): Span(each.topic, each.partition, each.end, _FOR_EVER)
            for each in spans
        }
        reached = {place: each.begin for place, each in left.items()}
        self._consumer.assign([TopicPartition(t, p, each.begin) for (t, p), each in left.items()])
        looked_at = time.monotonic()
        while True:
            messages = self._consumer.consume(_AT_ONCE, timeout=_POLL_SECONDS)
            yield self._views(messages, left, reached, wants)
            if time.monotonic() - looked_at >= _LOOK_SECONDS:
                looked_at = time.monotonic()
                for topic in sorted({topic for topic, _ in left}):
                    self._add_partitions(topic, left, reached)

    def _view(self, message: Any, value: bytes | None, end: int) -> EventView:
        # Where there is no end, nothing need be there behind this record.
        is_known = end != _FOR_EVER
        return super()._view(message, value, end if is_known else message.offset() + 1)

    def _add_partitions(
        self,
        topic: str,
        left: dict[tuple[str, int], Span],
        reached: dict[tuple[str, int], int],
    ) -> None:
        for place in self._places(topic):
            if (topic, place.partition) not in left:
                left[topic, place.partition] = Span(topic, place.partition, 0, _FOR_EVER)
                reached[topic, place.partition] = 0
                self._consumer.incremental_assign([TopicPartition(topic, place.partition, 0)])


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
