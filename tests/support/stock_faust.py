"""Runs the negative control of commit safety: a forwarder made with stock Faust, and with care."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import DEVNULL, Popen

from pop_stream.settings import Settings


@contextmanager
def running_stock_faust(settings: Settings, gstv_url: str, log_path: Path) -> Iterator[None]:
    """Run it (`faults/stock_faust.py`) on the events and in the group of `settings`.

    At the end it is killed.
    """
    environment = {
        "POP_STREAM_KAFKA_BOOTSTRAP_SERVERS": settings.kafka_bootstrap_servers,
        "POP_STREAM_GROUP": settings.group,
        "POP_STREAM_EVENTS_TOPIC": settings.events_topic,
        "POP_STREAM_GSTV_URL": gstv_url,
    }
    program = ("-m", "faults.stock_faust", "worker", "--without-web", "--loglevel", "info")
    with (
        log_path.open("wb") as log,
        Popen(
            (sys.executable, *program),
            env=os.environ | environment,
            stdin=DEVNULL,
            stdout=log,
            stderr=log,
        ) as process,
    ):
        try:
            yield
        finally:
            process.kill()
