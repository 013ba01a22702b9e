"""Reads topics from where they begin to where they ended at the start, and disturbs nobody.

No group is joined and nothing is committed. A topic may grow meanwhile; what comes later is not
read.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, NamedTuple, Self, TypeAlias, TypeVar

from confluent_kafka import OFFSET_END, Consumer, KafkaError, KafkaException, TopicPartition

from pop_stream.analysis.asking import asked
from pop_stream.analysis.batches import CorruptBatchError, Fetched, Glance, records_of
from pop_stream.analysis.event_view import EventView
from pop_stream.analysis.fetching import Fetching, RefusedError
from pop_stream.analysis.period import Stored
from pop_stream.analysis.refusal import refusal_of
from pop_stream.errors import PopStreamError, WorkFailedError, missing_topic
from pop_stream.kafka.connection import librdkafka_options
from pop_stream.kafka.reach import require_kafka
from pop_stream.settings import Settings

T = TypeVar("T")
#: Tells of the progress of one part of the work, by its name.
Stage: TypeAlias = Callable[[str], AbstractContextManager[Callable[["Progress"], None]]]

_ANSWER_SECONDS: Final = 10.0
#: After so long without any record: is the topic still there?
_LOOKS_SECONDS: Final = (3.0, 15.0)
#: Without any record for so long, something is wrong.
_PATIENCE_SECONDS: Final = 60.0


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


def kept_since(spans: Iterable[Span], first_stored: Mapping[tuple[str, int], int]) -> float:
    """Since when all that was stored on a topic is still there, in epoch milliseconds.

    `first_stored` tells when the first record that a partition keeps was stored.
    """
    cut = [span for span in spans if span.begin > 0]
    return max((first_stored.get((span.topic, span.partition), float("inf")) for span in cut),
               default=0.0)  # fmt: skip


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
        self._fetching = Fetching(settings)
        self._made: Consumer | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._fetching.close()
        if self._made is not None:
            self._made.close()

    @property
    def _consumer(self) -> Consumer:
        """What answers where partitions begin and end, and what was stored since when.

        It is made once Kafka was reached, since it goes to any address that a broker gives.
        """
        if self._made is None:
            self._made = Consumer(
                {
                    **librdkafka_options(self._settings),
                    "client.id": "pop-stream-analyst",
                    # Asked for by the client; nothing is subscribed to, so the group is not joined.
                    "group.id": "pop-stream-analyst",
                    "enable.auto.commit": False,
                    "log_level": 0,
                }
            )
        return self._made

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
        return refusal_of(cause, self._settings, topic=topic)

    def _asked(self, question: Callable[[], T]) -> T:
        if not self._has_asked:
            # Where no Kafka is, or none lets this user in, the client says so only when the time
            # for an answer is up, and never why.
            asyncio.run(require_kafka(self._settings))
            self._has_asked = True
        return asked(question)

    def _bounds_of(self, place: TopicPartition) -> tuple[int, int]:
        begin, end = self._consumer.get_watermark_offsets(place, timeout=_ANSWER_SECONDS)
        return begin, end

    def _require(self, left: Iterable[tuple[str, int]]) -> None:
        for topic in sorted({topic for topic, _ in left}):
            self._places(topic)

    def _places(self, topic: str) -> list[TopicPartition]:
        try:
            return self._asked(lambda: self._described(topic))
        except KafkaException as error:
            if error.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART:
                raise missing_topic(topic) from error
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
        wants: Glance | None = None,
        progress: Callable[[Progress], None] = lambda _: None,
    ) -> Iterator[list[EventView]]:
        """Give all records of spans, some at a time; each partition's in order.

        Of what `wants` says no to nothing is made. Raises WorkFailedError when Kafka refuses, or
        when records that should be there do not come.
        """
        way = Way(spans)
        for given in self._given(way):
            for fetched in given:
                yield from self._views(fetched, way, wants)
            progress(way.progress)

    def _given(self, way: "Way") -> Iterator[list[Fetched]]:
        """What comes of what is left; nothing, now and then. Raises as `read` does."""
        while way.left:
            try:
                for given in self._fetching.fetch(way.left):
                    yield given
                    if not given:
                        self._look_why(way)
            except RefusedError as error:
                if error.code != KafkaError.UNKNOWN_TOPIC_OR_PART:
                    raise self._refusal(KafkaError(error.code), error.topic) from error
                # Gone; or it is so new that not every broker knows it.
                self._require(way.left)
                self._look_why(way)

    def _views(
        self, fetched: Fetched, way: "Way", wants: Glance | None
    ) -> Iterator[list[EventView]]:
        topic, partition = fetched.topic, fetched.partition
        begin, end = way.left[topic, partition]
        is_ours, is_wanted = topic in self._ours, wants.value if wants else None
        for records in self._records(fetched, wants):
            views = [
                EventView(
                    topic,
                    partition,
                    record.offset,
                    timestamp=record.timestamp,
                    key=record.key,
                    value=record.value,
                    # As our rules take them: one without a value has an empty one.
                    headers=[(name, each or b"") for name, each in record.headers],
                    is_ours=is_ours,
                )
                for record in records
                if (is_wanted is None or is_wanted(record.value)) and begin <= record.offset < end
            ]
            if views:
                yield views
        way.reached(fetched)

    def _records(self, fetched: Fetched, wants: Glance | None) -> Iterator[list[Any]]:
        try:
            yield from records_of(fetched, wants)
        except CorruptBatchError as error:
            raise WorkFailedError(f"Kafka gave a damaged record batch: {error}") from error

    def _look_why(self, way: "Way") -> None:
        """Nothing came. Raises when that is no wonder, or when it has been so for too long."""
        if way.looks < len(_LOOKS_SECONDS) and way.waited > _LOOKS_SECONDS[way.looks]:
            way.looks += 1
            self._require(way.left)
        if way.waited > _PATIENCE_SECONDS:
            places = ", ".join(f"{topic}/{partition}" for topic, partition in sorted(way.left))
            why = f" ({self._fetching.trouble})" if self._fetching.trouble else ""
            raise WorkFailedError(
                f"no records came for {_PATIENCE_SECONDS:g} s from {places}{why}; "
                "what was read so far is not all"
            )


class Way:
    """How far a scan is."""

    def __init__(self, spans: Sequence[Span]) -> None:
        #: What is still to be read of each place.
        self.left = {(s.topic, s.partition): (s.begin, s.end) for s in spans if s.begin < s.end}
        self._total = sum(end - begin for begin, end in self.left.values())
        self._since = time.monotonic()
        #: How often it was looked why nothing comes.
        self.looks = 0

    @property
    def progress(self) -> Progress:
        """In offsets."""
        return Progress(
            self._total - sum(end - begin for begin, end in self.left.values()), self._total
        )

    @property
    def waited(self) -> float:
        """How long nothing has come, in seconds."""
        return time.monotonic() - self._since

    def rest(self) -> None:
        """Begin to wait anew."""
        self._since, self.looks = time.monotonic(), 0

    def reached(self, fetched: Fetched) -> None:
        """Note that something came, and was read."""
        self.rest()
        place = (fetched.topic, fetched.partition)
        _, end = self.left[place]
        if fetched.end < end:
            self.left[place] = (fetched.end, end)
        else:
            del self.left[place]
