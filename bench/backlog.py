"""The events that wait when a system starts: those of simulated players."""

import asyncio
import random
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import aiokafka

from bench.variants import Topic
from pop_stream.kafka import topics
from pop_stream.kafka.connection import client_options
from pop_stream.player.simulation.players import Sending, SimulatedPlayers
from pop_stream.player.simulation.plays import Network, Play, latest_begin, plays
from pop_stream.pop.identity import PopIdMaker
from pop_stream.settings import Settings

_SITES = 500
_SCREENS_PER_SITE = 12
_SEED = 1
_TELL_SECONDS = 10.0

Say = Callable[[str], None]


async def fill(
    settings: Settings, topic: Topic, *, rate: float = 0.0, say: Say = lambda _: None
) -> None:
    """Make the topics, and write the events with keys and headers as players do.

    `rate`: so many a second; 0: as fast as it goes.
    """
    await topics.ensure(settings, partitions=topic.partitions)
    async with aiokafka.AIOKafkaProducer(**client_options(settings), acks="all") as producer:
        players = SimulatedPlayers(
            producer,
            Sending(topic=settings.events_topic, events_per_second=rate),
            make_pop_id=pop_id_maker(),
            make_boot_id=lambda: str(uuid.uuid4()),
            ledger=None,
        )
        async with _telling(players, topic.events, say):
            await players.send(some_plays(topic.events))


def some_plays(number: int) -> Iterator[Play]:
    """Give so many plays that are over by now. No two of them are the same event."""
    screens = _SITES * _SCREENS_PER_SITE
    network = Network(
        sites=_SITES,
        screens_per_site=_SCREENS_PER_SITE,
        seed=_SEED,
        begins_at=latest_begin(datetime.now(UTC), number=number, screens=screens),
    )
    return plays(network, number)


def pop_id_maker() -> PopIdMaker:
    """Make ids as players do."""
    return PopIdMaker(lambda: time.time_ns() // 1_000_000, random.getrandbits)


@asynccontextmanager
async def _telling(players: SimulatedPlayers, events: int, say: Say) -> AsyncIterator[None]:
    async def tell() -> None:
        while True:
            await asyncio.sleep(_TELL_SECONDS)
            say(f"  {players.confirmed_events:,} of {events:,} written")

    task = asyncio.create_task(tell())
    try:
        yield
    finally:
        task.cancel()
