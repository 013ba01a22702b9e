"""Reads topics from where they begin to where they ended at the start, and disturbs nobody.

By librdkafka: it gives ten times as many records a second as a client in Python. No group is
joined and nothing is committed. A topic may grow meanwhile; what comes later is not read.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from operator import methodcaller
from typing import Any, Final, NamedTuple, Self, TypeVar

from confluent_kafka import OFFSET_END, Consumer, KafkaError, KafkaException, TopicPartition

from pop_stream.analysis.asking import asked, what_comes
from pop_stream.analysis.event_view import EventView
from pop_stream.analysis.odd_headers import OddHeaders
from pop_stream.analysis.period import Stored
from pop_stream.analysis.refusal import refusal_of
from pop_stream.errors import PopStreamError, TopicsMissingError, WorkFailedError
from pop_stream.kafka.connection import librdkafka_options
from pop_stream.kafka.reach import require_listener
from pop_stream.settings import Settings

T = TypeVar("T")

_AT_ONCE: Final = 500
_ANSWER_SECONDS: Final = 10.0
_POLL_SECONDS: Final = 0.5
#: After so long without any record: is the topic still there?
_LOOKS_SECONDS: Final = (3.0, 15.0)
#: Without any record for so long, something is wrong.
_PATIENCE_SECONDS: Final = 60.0


#: Not `message.headers()`: for a name that is no text the client gives what is no list, with an
#: exception that Python does not look for where it has made a call fast; the process would end.
_headers_of: Final = methodcaller("headers")


class Span(NamedTuple):
    """Offsets of a partition: from `begin` up to, and without, `end`."""

    topic: str
    partition: int
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a scan is: in offsets, of which some may hold no record."""

    done: int
    total: int


class Topics:
    """Topics, for reading. Use it as a context manager."""

    def __init__(self, settings: Settings) -> None:
        """Connects when it is asked something."""
        self._ours = frozenset(
            (settings.retry_topic, settings.failure_topic, settings.notification_topic,
             settings.settled_topic)
        )  # fmt: skip
        self._settings = settings
        self._has_asked = False
        self._refused: KafkaError | None = None
        self._odd_headers = OddHeaders(settings)
        self._consumer = Consumer(
            {
                **librdkafka_options(settings),
                "error_cb": self._note_error,
                "client.id": "pop-stream-analyst",
                # Asked for by the client; as nothing is subscribed to, the group is never joined.
                "group.id": "pop-stream-analyst",
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "enable.partition.eof": True,
                "auto.offset.reset": "error",
                # More is not faster: what has just come is still in the processor's cache.
                "queued.max.messages.kbytes": 4 * 1024,
                "fetch.message.max.bytes": 4 * 1024 * 1024,
                # After a full queue it would wait a second, which is most of the time of a scan.
                "fetch.queue.backoff.ms": 10,
                # So long what is asked for next waits for a fetch in which nothing comes any more.
                "fetch.wait.max.ms": 50,
                "log_level": 0,
            }
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._consumer.close()

    def spans(self, topics: Sequence[str], stored: Stored | None = None) -> list[Span]:
        """Where topics begin and end now; with `stored`, only from where that begins.

        Its end is no bound: the records of a partition need not stand in the order of their times.
        Raises KafkaUnreachableError, TopicsMissingError, and WorkFailedError when Kafka refuses.
        """
        places = [place for topic in topics for place in self._places(topic)]
        spans = []
        for place in places:
            begin, end = self._ask(place.topic, partial(self._bounds_of, place))
            spans.append(Span(place.topic, place.partition, begin, end))
        if stored is None or stored.begin is None:
            return spans
        return self._from_time(spans, stored.begin)

    def cluster_id(self) -> str:
        """Which Kafka it is: the same for as long as it lives. Raises as `spans` does."""
        return self._ask(
            "the cluster's id",
            lambda: str(self._consumer.list_topics(timeout=_ANSWER_SECONDS).cluster_id),
        )

    def _ask(self, what: str, question: Callable[[], T]) -> T:
        try:
            return self._asked(question)
        except KafkaException as error:
            raise self._refusal(error.args[0], what) from error

    def _refusal(self, cause: KafkaError, topic: str) -> PopStreamError:
        return refusal_of(cause, servers=self._settings.kafka_bootstrap_servers, topic=topic)

    def _asked(self, question: Callable[[], T]) -> T:
        if not self._has_asked:
            # Where nothing listens, the client says so only when the time for an answer is up.
            asyncio.run(require_listener(self._settings))
            self._has_asked = True
        return asked(question)

    def _bounds_of(self, place: TopicPartition) -> tuple[int, int]:
        begin, end = self._consumer.get_watermark_offsets(place, timeout=_ANSWER_SECONDS)
        return begin, end

    def _require(self, left: Mapping[tuple[str, int], Span]) -> None:
        for topic in sorted({topic for topic, _ in left}):
            self._places(topic)

    def _places(self, topic: str) -> list[TopicPartition]:
        try:
            return self._asked(lambda: self._described(topic))
        except KafkaException as error:
            if error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise TopicsMissingError(
                    f"no such topic: {topic}; `pop-stream topics ensure` makes it"
                ) from error
            raise self._refusal(error.args[0], topic) from error

    def _described(self, topic: str) -> list[TopicPartition]:
        found = self._consumer.list_topics(topic, timeout=_ANSWER_SECONDS).topics[topic]
        if found.error is not None:
            raise KafkaException(found.error)
        return [TopicPartition(topic, number) for number in sorted(found.partitions)]

    def _from_time(self, spans: Sequence[Span], begin: int) -> list[Span]:
        # The first record that was stored then or later; those behind it may be older, and are
        # tried one by one.
        times = [TopicPartition(each.topic, each.partition, begin) for each in spans]
        found = self._ask(
            ", ".join(sorted({each.topic for each in spans})),
            lambda: self._consumer.offsets_for_times(times, timeout=_ANSWER_SECONDS),
        )
        first = {(place.topic, place.partition): place.offset for place in found}
        narrowed = []
        for each in spans:
            offset = first[each.topic, each.partition]
            at = each.end if offset in (OFFSET_END, -1) else max(offset, each.begin)
            narrowed.append(each._replace(begin=min(at, each.end)))
        return narrowed

    def read(
        self,
        spans: Sequence[Span],
        *,
        wants: Callable[[bytes | None], bool] | None = None,
        progress: Callable[[Progress], None] = lambda _: None,
    ) -> Iterator[list[EventView]]:
        """Give all records of spans, some at a time; each partition's in order.

        `wants` is asked of each value; where it says no, nothing is made of the record. Raises
        WorkFailedError when Kafka refuses, or when records that should be there do not come.
        """
        left = {(each.topic, each.partition): each for each in spans if each.begin < each.end}
        reached = {place: each.begin for place, each in left.items()}
        total = sum(each.end - each.begin for each in left.values())
        done_before = 0
        self._consumer.assign([TopicPartition(t, p, each.begin) for (t, p), each in left.items()])
        waited = 0.0
        while left:
            messages = what_comes(self._consumer, _AT_ONCE, _POLL_SECONDS)
            waited = 0.0 if messages else waited + _POLL_SECONDS
            if waited in _LOOKS_SECONDS:
                self._require(left)
            if waited >= _PATIENCE_SECONDS:
                raise self._nothing_comes(left)
            events = self._views(messages, left, reached, wants)
            for place in [p for p, each in left.items() if reached[p] >= each.end]:
                span = left.pop(place)
                done_before += span.end - span.begin
                self._consumer.incremental_unassign([TopicPartition(*place)])
            if events:
                yield events
            under_way = sum(reached[p] - each.begin for p, each in left.items())
            progress(Progress(done_before + under_way, total))

    def _views(
        self,
        messages: Sequence[Any],
        left: Mapping[tuple[str, int], Span],
        reached: dict[tuple[str, int], int],
        wants: Callable[[bytes | None], bool] | None,
    ) -> list[EventView]:
        # A record comes by here a hundred thousand times a second: what is the same for all
        # records of a place is looked up once, as they come in runs of one place.
        views = []
        topic, partition, end, at = "", -1, 0, 0
        for message in messages:
            if message.partition() != partition or message.topic() != topic:
                if end:
                    reached[topic, partition] = at
                topic, partition = message.topic(), message.partition()
                end, at = self._begun(left, reached, (topic, partition))
            if (error := message.error()) is not None:
                if error.code() != KafkaError._PARTITION_EOF:  # noqa: SLF001 - its public name
                    raise self._refusal(error, topic)
                # A span may end with offsets that hold no record.
                at = min(max(at, message.offset()), end)
            elif (offset := message.offset()) < end:
                value = message.value()
                if wants is None or wants(value):
                    views.append(self._view(message, value, end))
                at = offset + 1
            else:
                at = end
        if end:
            reached[topic, partition] = at
        return views

    def _begun(
        self,
        left: Mapping[tuple[str, int], Span],
        reached: Mapping[tuple[str, int], int],
        place: tuple[str, int],
    ) -> tuple[int, int]:
        """Where a place's span ends and how far it is read; (0, 0) when nothing of it is left."""
        return (left[place].end, reached[place]) if place in left else (0, 0)

    def _view(self, message: Any, value: bytes | None, end: int) -> EventView:
        topic, partition, offset = message.topic(), message.partition(), message.offset()
        try:
            headers = _headers_of(message)
        except (SystemError, UnicodeDecodeError):
            # What the client says of a name that is no text depends on its version.
            headers = self._odd_headers.of(topic, partition, offset, end=end)
        return EventView(
            topic,
            partition,
            offset,
            timestamp=message.timestamp()[1],
            key=message.key(),
            value=value,
            # As our rules take them: one without a value has an empty one.
            headers=[(name, each or b"") for name, each in headers] if headers else (),
            is_ours=topic in self._ours,
        )

    def _note_error(self, error: KafkaError) -> None:
        self._refused = error

    def _nothing_comes(self, left: Mapping[tuple[str, int], Span]) -> Exception:
        places = ", ".join(f"{topic}/{partition}" for topic, partition in sorted(left))
        why = f" ({self._refused.str()})" if self._refused else ""
        return WorkFailedError(
            f"no records came for {_PATIENCE_SECONDS:g} s from {places}{why}; "
            "what was read so far is not all"
        )
