"""How it stands with the parked events now: read from Kafka, and read on from there."""

import asyncio
from collections.abc import Callable
from typing import Final, Self

from pop_stream.analysis.parked.parking import Parking
from pop_stream.analysis.scan import Progress, Span, Topics
from pop_stream.kafka.admin import connected_admin
from pop_stream.kafka.group import committed_by
from pop_stream.pop.redrive import REDRIVABLE, RedriveSchedule, Step, redrive_group
from pop_stream.settings import Settings
from pop_stream.settings.values import parse_waits

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
        # Those reasons, too, that are not redriven any more: what was sent back waits no more.
        schedule = RedriveSchedule(parse_waits(settings.auto_redrive), REDRIVABLE)
        passed = asyncio.run(_passed(settings, schedule))
        self._topics = Topics(settings)
        self.parking: Final = Parking(schedule, passed)
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


async def _passed(settings: Settings, schedule: RedriveSchedule) -> dict[tuple[Step, int], int]:
    """Up to where each step has sent back, by partition of the failure topic."""
    async with connected_admin(settings) as admin:
        return {
            (step, place.partition): offset
            for step in schedule.steps
            for place, offset in (
                await committed_by(admin, redrive_group(settings.group, step))
            ).items()
            if place.topic == settings.failure_topic
        }
