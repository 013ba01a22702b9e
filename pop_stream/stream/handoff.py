"""The confirmed hand-off: an event leaves its topic only once the broker has it on the next one."""

import asyncio
import hashlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from pop_stream.pop.trail import TRIMMED, own_headers
from pop_stream.stream.abort import Abort
from pop_stream.stream.claim import Claim

log = logging.getLogger(__name__)

_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 10.0
_TRIMMED_BYTES = 65_536


class Confirm(Protocol):
    """Writes a record, and returns once all in-sync replicas have it; else raises KafkaError."""

    async def __call__(  # noqa: D102
        self,
        topic: str,
        *,
        key: bytes | None,
        value: bytes | None,
        headers: list[tuple[str, bytes]],
    ) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A record to be written."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes]]

    def trimmed(self) -> "Outgoing":
        """The record as it fits on any topic: the start of value and key, our headers, a digest.

        Only a record that a player compressed can be larger than its own topic allows. The whole
        of it stays where `pop-origin` says; without this its partition would stand still for good.
        """
        key, value = self.key, self.value or b""
        digest = hashlib.sha256(value).hexdigest()
        note = f"value {len(value)} bytes, sha256 {digest}, headers {len(self.headers)}"
        if key is not None and len(key) > _TRIMMED_BYTES:
            note += f", key {len(key)} bytes"
            key = key[:_TRIMMED_BYTES]
        headers = [*own_headers(self.headers), (TRIMMED, note.encode())]
        return replace(self, key=key, value=value[:_TRIMMED_BYTES], headers=headers)


class Handoff:
    """Writes events on to other topics, many at once."""

    def __init__(self, confirm: Confirm, abort: Abort) -> None:
        self._confirm = confirm
        self._abort = abort
        self._tasks: set[asyncio.Task[None]] = set()
        #: When each write began that has not been answered, in monotonic seconds.
        self._unanswered: dict[object, float] = {}

    @property
    def in_progress(self) -> int:
        """How many records are not confirmed yet."""
        return len(self._tasks)

    def unanswered_for(self, now: float) -> float:
        """For how many seconds the oldest write has been neither confirmed nor refused."""
        return now - min(self._unanswered.values(), default=now)

    def start(self, claim: Claim, outgoing: Outgoing, then: Callable[[Claim], None]) -> None:
        """Write a record until it is confirmed, and call `then`.

        Gives up only when the partition is revoked: the event's next owner will write it.
        """
        task = asyncio.create_task(self._write(claim, outgoing, then))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _write(self, claim: Claim, outgoing: Outgoing, then: Callable[[Claim], None]) -> None:
        pause, trimmed = _FIRST_PAUSE_SECONDS, False
        with self._abort.on_error("hand-off", unless=lambda: not claim.is_ours):
            while claim.is_ours:
                error = await self._try(claim, outgoing)
                if error is None:
                    then(claim)
                    return
                # It may have been written all the same: a duplicate, never a loss.
                facts = {"topic": outgoing.topic, "pop_id": claim.pop_id,
                         "error": type(error).__name__}  # fmt: skip
                if isinstance(error, MessageSizeTooLargeError) and not trimmed:
                    log.error("handoff.trimmed", extra=facts)
                    outgoing, trimmed = outgoing.trimmed(), True
                    continue
                log.warning("handoff.unconfirmed", extra={**facts, "next_try_seconds": pause})
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    async def _try(self, claim: Claim, outgoing: Outgoing) -> KafkaError | None:
        self._unanswered[claim] = time.monotonic()
        try:
            await self._confirm(
                outgoing.topic, key=outgoing.key, value=outgoing.value, headers=outgoing.headers
            )
        except KafkaError as error:
            return error
        finally:
            del self._unanswered[claim]
        return None

    async def aclose(self) -> None:
        """Stop writing. What is unconfirmed stays unfinished."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
