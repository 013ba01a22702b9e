"""A consumer of ours beside Faust's: made anew whenever Kafka ends it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import NoReturn

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaError

log = logging.getLogger(__name__)

AGAIN_SECONDS = 10.0
STOP_SECONDS = 3.0


async def keep_consuming(
    make: Callable[[], AIOKafkaConsumer],
    consume: Callable[[AIOKafkaConsumer], Awaitable[None]],
    on_error: Callable[[KafkaError], None],
) -> NoReturn:
    """Make a consumer and use it; after an error of Kafka's, tell of it, and begin again."""
    while True:
        consumer = make()
        try:
            await consumer.start()
            await consume(consumer)
        except KafkaError as error:
            on_error(error)
        finally:
            await _stop(consumer)
        await asyncio.sleep(AGAIN_SECONDS)


async def _stop(consumer: AIOKafkaConsumer) -> None:
    try:
        await asyncio.wait_for(consumer.stop(), STOP_SECONDS)
    except (KafkaError, TimeoutError) as error:
        log.info("consumer.left_late", extra={"error": repr(error)})
