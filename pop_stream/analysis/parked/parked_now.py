"""How it stands with the parked events now: read from Kafka, and read on from there."""

import asyncio
from collections.abc import Callable
from typing import Final, Self

from pop_stream.analysis.parked.parking import Parking
from pop_stream.analysis.scan import Progress, Span, Topics
from pop_stream.kafka.admin import connected_admin
from pop_stream.kafka.redrives import all_steps, passed_by
from pop_stream.pop.redrive import Passed
from pop_stream.settings import Settings

Told = Callable[[Progress], None]


def _nobody(_: Progress) -> None:
    pass


class ParkedNow:
    """The parked events as three topics and the redrives' commits tell of them.

    Use it as a context manager. What it reads from raises what `Topics.read` does.
    """

    def __init__(self, settings: Settings) -> None:
        """Reads nothing yet."""
        self._settings = settings
        passed = asyncio.run(_passed(settings))
        self._topics = Topics(settings)
        self.parking: Final = Parking(all_steps(settings), passed)
        #: Up to where each partition was read.
        self._read_to: dict[tuple[str, int], int] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._topics.__exit__()
        self.parking.__exit__()

    def read(self, told: Told = _nobody) -> list[Span]:
        """Read what is new on all three topics; the spans of the failure topic that were read."""
        settings, parking = self._settings, self.parking
        # The retry topic comes second: what is sent back meanwhile does not look as if it waited.
        spans = self._new(settings.failure_topic)
        for events in self._topics.read(spans, progress=told):
            parking.park(events)
        for events in self._topics.read(self._new(settings.retry_topic)):
            parking.sent_back(events)
        self.read_marks()
        return spans

    def read_marks(self) -> None:
        """Read what is new on the topic of marks only."""
        for events in self._topics.read(self._new(self._settings.settled_topic)):
            self.parking.mark(events)

    def _new(self, topic: str) -> list[Span]:
        spans = []
        for span in self._topics.spans([topic]):
            place = (span.topic, span.partition)
            begin = max(self._read_to.get(place, 0), span.begin)
            self._read_to[place] = max(begin, span.end)
            spans.append(span._replace(begin=min(begin, span.end)))
        return spans


async def _passed(settings: Settings) -> Passed:
    async with connected_admin(settings) as admin:
        return await passed_by(admin, settings)
