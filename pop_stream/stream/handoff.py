"""The confirmed hand-off: an event leaves its topic only once the broker has it on the next one."""

import asyncio
import hashlib
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from typing import Any, NamedTuple, Protocol

from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from pop_stream.pop.trail import TRIMMED, own_headers
from pop_stream.stream.abort import Abort
from pop_stream.stream.claim import Claim

log = logging.getLogger(__name__)

_FIRST_PAUSE_SECONDS = 0.2
_LONGEST_PAUSE_SECONDS = 10.0
_TRIMMED_BYTES = 65_536
#: A retry waits much longer than this, and together they cost a fraction of what each did alone.
_GATHER_SECONDS = 0.05


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


class Outgoing(NamedTuple):
    """A record to be written. A tuple, for it is made with each failure."""

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
        return self._replace(key=key, value=value[:_TRIMMED_BYTES], headers=headers)


class ConfirmTogether(Protocol):
    """Writes records of one topic to any one of its partitions, and returns as `Confirm` does.

    Where it raises KafkaError some of them may have been written.
    """

    async def __call__(self, topic: str, records: Sequence[Outgoing]) -> None: ...  # noqa: D102


class _Write(NamedTuple):
    claim: Claim
    make: Callable[[], Outgoing]
    then: Callable[[Claim], None]


class Handoff:
    """Writes events on to other topics, many at once."""

    def __init__(self, confirm: Confirm, confirm_together: ConfirmTogether, abort: Abort) -> None:
        self._confirm = confirm
        self._confirm_together = confirm_together
        self._abort = abort
        self._tasks: set[asyncio.Task[None]] = set()
        #: By topic, what will be written together.
        self._gathered: dict[str, list[_Write]] = {}
        self._in_progress = 0
        #: When each write began that has not been answered, in monotonic seconds.
        self._unanswered: dict[object, float] = {}

    @property
    def in_progress(self) -> int:
        """How many records are not confirmed yet."""
        return self._in_progress

    def unanswered_for(self, now: float) -> float:
        """For how many seconds the oldest write has been neither confirmed nor refused."""
        return now - min(self._unanswered.values(), default=now)

    def start(self, claim: Claim, outgoing: Outgoing, then: Callable[[Claim], None]) -> None:
        """Write a record to the partition of its key until it is confirmed, and call `then`.

        Gives up only when the partition is revoked: the event's next owner will write it.
        """
        self._alone(claim, outgoing, then)

    def gather(
        self, claim: Claim, topic: str, make: Callable[[], Outgoing], then: Callable[[Claim], None]
    ) -> None:
        """Do as `start` does, together with what else comes soon, and to any partition.

        What cannot be written together is written one by one. The records are made together, too:
        one among other work costs twice as much.
        """
        gathered = self._gathered.get(topic)
        if gathered is None:
            gathered = self._gathered[topic] = []
            loop = asyncio.get_running_loop()
            loop.call_later(_GATHER_SECONDS, self._write_gathered, topic)
        gathered.append(_Write(claim, make, then))
        self._in_progress += 1

    def _alone(self, claim: Claim, outgoing: Outgoing, then: Callable[[Claim], None]) -> None:
        self._in_progress += 1
        self._begin(self._write(claim, outgoing, then), 1)

    def _write_gathered(self, topic: str) -> None:
        writes = self._gathered.pop(topic, [])
        self._begin(self._write_together(topic, writes), len(writes))

    def _begin(self, writing: Coroutine[Any, Any, None], records: int) -> None:
        task = asyncio.create_task(writing)
        self._tasks.add(task)
        task.add_done_callback(partial(self._ended, records))

    def _ended(self, records: int, task: asyncio.Task[None]) -> None:
        self._in_progress -= records
        self._tasks.discard(task)

    async def _write_together(self, topic: str, writes: Sequence[_Write]) -> None:
        ours = [write for write in writes if write.claim.is_ours]
        if not ours:
            return
        with self._abort.on_error("hand-off", unless=lambda: not _any_is_ours(ours)):
            records = [write.make() for write in ours]
            error = await self._try(self._confirm_together(topic, records))
            if error is not None:
                facts = {"topic": topic, "events": len(ours), "error": type(error).__name__}
                log.warning("handoff.unconfirmed", extra=facts)
            for write, record in zip(ours, records, strict=True):
                if error is None:
                    write.then(write.claim)
                else:
                    self._alone(write.claim, record, write.then)

    async def _write(self, claim: Claim, outgoing: Outgoing, then: Callable[[Claim], None]) -> None:
        pause, trimmed = _FIRST_PAUSE_SECONDS, False
        with self._abort.on_error("hand-off", unless=lambda: not claim.is_ours):
            while claim.is_ours:
                error = await self._try(
                    self._confirm(
                        outgoing.topic,
                        key=outgoing.key,
                        value=outgoing.value,
                        headers=outgoing.headers,
                    )
                )
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

    async def _try(self, writing: Awaitable[None]) -> KafkaError | None:
        this = object()
        self._unanswered[this] = time.monotonic()
        try:
            await writing
        except KafkaError as error:
            return error
        finally:
            del self._unanswered[this]
        return None

    async def aclose(self) -> None:
        """Stop writing. What is unconfirmed stays unfinished."""
        self._in_progress -= sum(map(len, self._gathered.values()))
        self._gathered.clear()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _any_is_ours(writes: Sequence[_Write]) -> bool:
    return any(write.claim.is_ours for write in writes)
