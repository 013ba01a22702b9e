"""Players that go on sending while a test does other things."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from aiokafka import AIOKafkaProducer
from aiokafka.structs import RecordMetadata

from tests.support.kafka import DEADLINE_SECONDS
from tests.support.plays import event

_TICK_SECONDS = 0.02


@contextmanager
def feeding(bootstrap_servers: str, topic: str, events_per_second: int) -> Iterator[None]:
    """Send events until the block ends; then all of them have been confirmed."""
    ended = threading.Event()
    failures: list[BaseException] = []

    def run() -> None:
        try:
            asyncio.run(_feed(bootstrap_servers, topic, events_per_second, ended))
        except BaseException as error:  # noqa: BLE001 - raised again below
            failures.append(error)

    thread = threading.Thread(target=run, name="feeding")
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(DEADLINE_SECONDS)
    if failures:
        raise failures[0]


async def _feed(
    bootstrap_servers: str, topic: str, events_per_second: int, ended: threading.Event
) -> None:
    sent: list[asyncio.Future[RecordMetadata]] = []
    clock = asyncio.get_running_loop().time
    async with AIOKafkaProducer(bootstrap_servers=bootstrap_servers, acks="all") as producer:
        begun = clock()
        while not ended.is_set():
            while len(sent) < (clock() - begun) * events_per_second:
                play = event(len(sent))
                headers = list(play.headers)
                sent.append(await producer.send(topic, play.value, key=play.key, headers=headers))
            await asyncio.sleep(_TICK_SECONDS)
        await asyncio.gather(*sent)
