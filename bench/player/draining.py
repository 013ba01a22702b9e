"""How fast an outbox is sent: the whole command, on an Apache Kafka of its own."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import orjson

from bench.player.stores import OutboxSystem
from pop_stream.cli.player import COMMANDS
from pop_stream.kafka import topics
from pop_stream.kafka.local import LocalKafka, LocalKafkaOptions
from pop_stream.settings import SETTINGS, load_settings

_PARTITIONS = 12


def can_be_measured() -> bool:
    """Whether there is a command that sends."""
    return "drain" in COMMANDS


def rows_per_second(
    folder: Path, rows: int, rounds: int, say: Callable[[str], None]
) -> list[float]:
    """Of each round. Raises RuntimeError when not all was sent."""
    with LocalKafka.start(LocalKafkaOptions()) as kafka:
        servers = {SETTINGS["kafka_bootstrap_servers"].variable: kafka.bootstrap_servers}
        settings = load_settings(servers, dotenv=None)
        asyncio.run(topics.ensure(settings, partitions=_PARTITIONS))
        rates = []
        for number in range(rounds):
            path = folder / f"drained-{number}.outbox"
            OutboxSystem().fill(path, rows)
            told = subprocess.run(
                [sys.executable, "-m", "pop_stream", "player", "drain", "--outbox", str(path),
                 "--json"],
                env=os.environ | servers, capture_output=True, check=False,
            )  # fmt: skip
            if told.returncode:
                raise RuntimeError(told.stderr.decode())
            sent = orjson.loads(told.stdout)
            if sent["confirmed"] != rows:
                raise RuntimeError(f"of {rows} rows {sent['confirmed']} were sent")
            rates.append(rows / sent["seconds"])
            say(f"round {number + 1} of {rounds}: {rates[-1]:,.0f} rows sent a second")
            path.unlink()
    return rates
