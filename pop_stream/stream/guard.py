"""Looks at the worker from outside, as Kafka sees it.

A worker that is alive and consumes nothing is worse than one that is dead: nobody starts another.
So it ends once it has been of no use for a while although Kafka is there. What others do to its
topics and its group is told of.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass

from pop_stream.errors import PopStreamError
from pop_stream.kafka.group import Member
from pop_stream.stream.abort import Abort
from pop_stream.stream.starting_point import foreign
from pop_stream.watch.tally import Tally

log = logging.getLogger(__name__)

_LOOK_SECONDS = 10.0
#: What may be a rebalance, or a broker that is just coming back, is given so long.
_PATIENCE_SECONDS = 20.0
#: What stays as it is, is told again after so long.
_TELL_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What there is beside this worker."""

    #: Of the topics that the worker uses those that are not there.
    missing_topics: Collection[str]
    members: Collection[Member]


class Guard:
    """Tells of a topic that is gone and of a stranger; ends a worker that is of no use."""

    def __init__(
        self,
        look: Callable[[], Awaitable[Surroundings]],
        tally: Tally,
        abort: Abort,
        *,
        trouble: Callable[[Collection[Member]], str | None],
        seconds: float = _LOOK_SECONDS,
        patience_seconds: float = _PATIENCE_SECONDS,
    ) -> None:
        """`look` raises PopStreamError while Kafka does not answer.

        `trouble` says why nothing can be expected of this worker, if so; it is told the members.
        """
        self._look = look
        self._tally = tally
        self._abort = abort
        self._trouble = trouble
        self._seconds = seconds
        self._patience_seconds = patience_seconds
        #: Since when it is of no use, in monotonic seconds.
        self._useless_since: float | None = None
        self._told_at = float("-inf")
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
                    self._useless_since = None
                else:
                    now = time.monotonic()
                    self._tell(found, now)
                    self._judge(self._trouble(found.members), now)

    def _judge(self, trouble: str | None, now: float) -> None:
        if trouble is None:
            self._useless_since = None
            return
        if self._useless_since is None:
            self._useless_since = now
            log.warning("worker.useless", extra={"why": trouble})
        if now - self._useless_since >= self._patience_seconds:
            self._abort(f"{trouble}, for {now - self._useless_since:.0f} s")

    def _tell(self, found: Surroundings, now: float) -> None:
        strangers = foreign(found.members)
        self._tally.missing_topics = len(found.missing_topics)
        self._tally.group_strangers = len(strangers)
        if now - self._told_at < _TELL_SECONDS or not (found.missing_topics or strangers):
            return
        self._told_at = now
        if found.missing_topics:
            log.error("topic.missing", extra={"topics": sorted(found.missing_topics), "remedy":
                      "what stood on it undelivered is gone; pop-stream topics ensure makes it "
                      "anew"})  # fmt: skip
        if strangers:
            log.error("group.stranger", extra={"members": strangers, "remedy":
                      "it takes partitions, and what it commits is never delivered: end it, or "
                      "give it a group of its own"})  # fmt: skip
