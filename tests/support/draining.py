"""`player drain` as a process of its own, and what it has brought to Kafka."""

import asyncio
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aiokafka import ConsumerRecord

from pop_stream.settings import Settings
from tests.support.command import environment_of
from tests.support.filled_outbox import pop_id_of
from tests.support.kafka import DEADLINE_SECONDS, read_all

Arrived = ConsumerRecord[bytes | None, bytes | None]


class Drain:
    """A sender that was started."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    @property
    def pid(self) -> int:
        """Its process."""
        return self._process.pid

    def kill(self) -> None:
        """`kill -9`; returns when it is dead."""
        self._process.kill()
        self._process.wait()

    def leaves(self, by: signal.Signals = signal.SIGTERM) -> int:
        """Tell it to end; the exit code."""
        self._process.send_signal(by)
        return self.ends()

    def ends(self) -> int:
        """Wait for its end; the exit code."""
        return self._process.wait(DEADLINE_SECONDS)


@contextmanager
def draining(settings: Settings, path: Path, *arguments: str) -> Iterator[Drain]:
    """Send from an outbox; at the end of the block it is killed, if it is not at its end yet."""
    argv = [sys.executable, "-m", "pop_stream", "player", "drain", "--outbox", str(path)]
    with path.with_name("drain.log").open("a") as log:
        process = subprocess.Popen(
            [*argv, *arguments], env=os.environ | environment_of(settings),
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, text=True,
        )  # fmt: skip
    try:
        yield Drain(process)
    finally:
        process.kill()
        process.wait()


def arrived(settings: Settings) -> list[Arrived]:
    """All that is on the players' topic."""
    return asyncio.run(read_all(settings.kafka_bootstrap_servers, settings.events_topic))


def header(record: Arrived, name: str) -> str:
    """A header that the record has."""
    return dict(record.headers)[name].decode()


def ids(settings: Settings) -> Counter[str]:
    """How often each pop-id is on the players' topic."""
    return Counter(header(record, "pop-id") for record in arrived(settings))


def id_text(number: int) -> str:
    """The id of the n-th play of a test, as Kafka gets it."""
    digits = pop_id_of(number).hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
