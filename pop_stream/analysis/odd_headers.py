r"""Headers whose names are not UTF-8: librdkafka's client in Python cannot give them.

They are read once more by aiokafka, as the workers read them: such bytes written out in the name,
as in `caf\xe9`. A run of records at a time, for where there is one such record there may be many.
"""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from pop_stream.errors import WorkFailedError
from pop_stream.kafka.reading import Record, read_all
from pop_stream.settings import Settings

_RUN: Final = 500
_PATIENCE_SECONDS: Final = 30.0

Headers = Sequence[tuple[str, bytes | None]]


class OddHeaders:
    """Gives headers by the place of their record."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._known: dict[tuple[str, int, int], Headers] = {}

    def of(self, topic: str, partition: int, offset: int, *, end: int) -> Headers:
        """A record's headers; `end` is an offset up to which there are records.

        Raises WorkFailedError when it cannot be read again.
        """
        place = (topic, partition, offset)
        if place not in self._known:
            self._known = {}
            # In a thread of its own: whoever calls may have a loop that runs.
            with ThreadPoolExecutor(1) as threads:
                threads.submit(self._read, place, min(end, offset + _RUN)).result()
        try:
            return self._known[place]
        except KeyError as error:
            raise WorkFailedError(f"{topic}/{partition}/{offset} is gone") from error

    def _read(self, place: tuple[str, int, int], end: int) -> None:
        topic, partition, offset = place

        def take(record: Record) -> None:
            self._known[record.topic, record.partition, record.offset] = record.headers

        spans = {TopicPartition(topic, partition): (offset, end)}
        try:
            asyncio.run(read_all(self._settings, spans, take, within_seconds=_PATIENCE_SECONDS))
        except KafkaError as error:
            raise WorkFailedError(
                f"the headers of {topic}/{partition}/{offset} cannot be read: {error!r}"
            ) from error
