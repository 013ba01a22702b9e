"""Tells of records that were deleted before they were delivered."""

import asyncio
import logging

from aiokafka.errors import KafkaError

from pop_stream.pop.hole import GONE, Hole
from pop_stream.stream.claim import now_ms
from pop_stream.stream.handoff import Confirm
from pop_stream.watch.tally import Tally

log = logging.getLogger(__name__)

_AGAIN_SECONDS = 1.0


class Holes:
    """Writes each hole to the failure topic, so that nobody goes on as if nothing had been."""

    def __init__(self, confirm: Confirm, *, failure_topic: str, tally: Tally) -> None:
        self._confirm = confirm
        self._failure_topic = failure_topic
        self._tally = tally

    async def tell(self, hole: Hole) -> None:
        """Return once the broker has the hole's record: only then may a commit go beyond it."""
        facts = {"topic": hole.topic, "partition": hole.partition, "from": hole.begin,
                 "to": hole.end, "events": hole.events}  # fmt: skip
        log.error("events.gone", extra=facts)
        while not await self._write(hole):  # noqa: ASYNC110 - Kafka has no event for that
            await asyncio.sleep(_AGAIN_SECONDS)
        self._tally.gone_events[(hole.topic,)] += hole.events
        self._tally.failed_events[(GONE,)] += 1

    async def _write(self, hole: Hole) -> bool:
        try:
            await self._confirm(
                self._failure_topic, key=None, value=hole.value(), headers=hole.headers(now_ms())
            )
        except KafkaError as error:
            log.warning("handoff.unconfirmed", extra={"topic": self._failure_topic,
                        "pop_id": hole.pop_id, "error": type(error).__name__})  # fmt: skip
            return False
        return True
