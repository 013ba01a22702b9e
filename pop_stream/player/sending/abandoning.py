"""Ends a producer of aiokafka that may never get through.

Its own `stop` waits until everything is confirmed: with an idempotent producer for ever, while
Kafka is away. There is no other way but through its parts.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError

#: For each part.
_SECONDS: Final = 3.0


async def abandon(producer: AIOKafkaProducer) -> None:
    """Close a producer without waiting for what it would still send."""
    sender = producer._sender  # noqa: SLF001
    task = sender.sender_task
    if task is not None:
        # It would report the end that it is given here.
        task.remove_done_callback(sender._fail_all)  # noqa: SLF001
        task.cancel()
    # Requests under way end with their connections, and then the task that waits for them.
    await _briefly(producer.client.close())
    if task is not None:
        await _briefly(task)
    _fail(producer._message_accumulator)  # noqa: SLF001
    await _briefly(producer.stop())


def _fail(accumulator: Any) -> None:
    """Let nobody wait for batches that will not be sent, and nobody miss that they were not."""
    accumulator.fail_all(KafkaConnectionError("given up"))
    waiting = [batch for queue in accumulator._batches.values() for batch in queue]  # noqa: SLF001
    for batch in [*waiting, *accumulator._pending_batches]:  # noqa: SLF001
        for future in (batch.future, batch._drain_waiter):  # noqa: SLF001
            if future.done() and not future.cancelled():
                future.exception()


async def _briefly(work: Coroutine[Any, Any, None] | asyncio.Task[None]) -> None:
    """Wait for it a while, then end it. How it ends is of no interest any more."""
    task = work if isinstance(work, asyncio.Task) else asyncio.create_task(work)
    for _ in range(2):
        # Not awaited: that it is cancelled must not look as if this task were.
        await asyncio.wait([task], timeout=_SECONDS)
        if task.done():
            break
        task.cancel()
    if task.done() and not task.cancelled():
        task.exception()
