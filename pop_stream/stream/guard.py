"""Looks now and then at what others may do to the worker's topics and group, and says so."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass

from pop_stream.errors import PopStreamError
from pop_stream.kafka.group import Member
from pop_stream.stream.abort import Abort
from pop_stream.stream.starting_point import foreign
from pop_stream.watch.metrics import Tally

log = logging.getLogger(__name__)

LOOK_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What there is beside this worker."""

    #: Of the topics that the worker uses those that are not there.
    missing_topics: Collection[str]
    members: Collection[Member]


class Guard:
    """Tells of a topic that is gone and of a stranger in the group, each time it looks."""

    def __init__(
        self,
        look: Callable[[], Awaitable[Surroundings]],
        tally: Tally,
        abort: Abort,
        *,
        seconds: float = LOOK_SECONDS,
    ) -> None:
        """`look` raises PopStreamError while Kafka does not answer."""
        self._look = look
        self._tally = tally
        self._abort = abort
        self._seconds = seconds
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    def stop(self) -> None:
        """Look no more."""
        if self._task is not None:
            self._task.cancel()

    async def _run(self) -> None:
        with self._abort.on_error("looking around"):
            while True:
                await asyncio.sleep(self._seconds)
                try:
                    found = await self._look()
                except PopStreamError as error:
                    # Whether Kafka is there is for others to say, who need it.
                    log.info("guard.blind", extra={"error": str(error)})
                else:
                    self._tell(found)

    def _tell(self, found: Surroundings) -> None:
        strangers = foreign(found.members)
        self._tally.missing_topics = len(found.missing_topics)
        self._tally.strangers = len(strangers)
        if found.missing_topics:
            log.error("topic.missing", extra={"topics": sorted(found.missing_topics), "remedy":
                      "what stood on it undelivered is gone; pop-stream topics ensure makes it "
                      "anew"})  # fmt: skip
        if strangers:
            log.error("group.stranger", extra={"members": strangers, "remedy":
                      "it takes partitions, and what it commits is never delivered: end it, or "
                      "give it a group of its own"})  # fmt: skip
