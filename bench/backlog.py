"""The events that wait when a system starts: those of simulated players."""

import random
import time
import uuid
from datetime import UTC, datetime

import aiokafka

from bench.scenarios import Scenario
from pop_stream.kafka import topics
from pop_stream.kafka.connection import client_options
from pop_stream.player.simulation.players import Sending, SimulatedPlayers
from pop_stream.player.simulation.plays import Network, latest_begin, plays
from pop_stream.pop.identity import PopIdMaker
from pop_stream.settings import Settings

_SITES = 500
_SCREENS_PER_SITE = 12
_SEED = 1


async def fill(settings: Settings, scenario: Scenario, *, rate: float = 0.0) -> None:
    """Make the topics, and write the events with keys and headers as players do.

    `rate`: so many a second; 0: as fast as it goes.
    """
    await topics.ensure(settings, partitions=scenario.partitions)
    network = Network(
        sites=_SITES,
        screens_per_site=_SCREENS_PER_SITE,
        seed=_SEED,
        begins_at=latest_begin(
            datetime.now(UTC), number=scenario.backlog, screens=_SITES * _SCREENS_PER_SITE
        ),
    )
    async with aiokafka.AIOKafkaProducer(**client_options(settings), acks="all") as producer:
        players = SimulatedPlayers(
            producer,
            Sending(topic=settings.events_topic, events_per_second=rate),
            make_pop_id=PopIdMaker(lambda: time.time_ns() // 1_000_000, random.getrandbits),
            make_boot_id=lambda: str(uuid.uuid4()),
            ledger=None,
        )
        await players.send(plays(network, scenario.backlog))
