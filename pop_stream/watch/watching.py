"""The life of `pop-stream watch`: it looks, shows what it saw, and goes on when Kafka is away."""

import asyncio
import json
import logging
import math
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from prometheus_client import CollectorRegistry, ProcessCollector

from pop_stream.errors import (
    KafkaUnreachableError,
    PopStreamError,
    TopicsMissingError,
    WorkFailedError,
)
from pop_stream.settings import Settings
from pop_stream.watch.backlog import BacklogNumbers
from pop_stream.watch.collector import TableCollector
from pop_stream.watch.health import Check, health_page
from pop_stream.watch.look import Look
from pop_stream.watch.prober import Prober
from pop_stream.watch.server import JSON, Page, serve
from pop_stream.watch.table import WATCH_METRICS

log = logging.getLogger(__name__)

#: After so many looks that should have been, what is shown is too old to rely on.
_STALE_LOOKS = 4
_REASONS = {
    KafkaUnreachableError: "unreachable",
    TopicsMissingError: "missing",
    WorkFailedError: "refused",
}


async def look_once(settings: Settings) -> Look:
    """Look once. Raises KafkaUnreachableError, TopicsMissingError, WorkFailedError."""
    return await Prober(settings).look()


async def keep_watching(settings: Settings) -> int:
    """Look again and again until SIGTERM (returns 0) or SIGINT (130).

    Raises SettingsError when the port is taken, and nothing because of Kafka.
    """
    loop = asyncio.get_running_loop()
    told: asyncio.Future[signal.Signals] = loop.create_future()

    def tell(number: signal.Signals) -> None:
        if not told.done():
            told.set_result(number)

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, tell, number)
    numbers = BacklogNumbers((settings.events_topic, settings.retry_topic, settings.failure_topic))
    server = serve(
        _registry(numbers),
        _pages(numbers, settings.watch_seconds),
        host=settings.metrics_host,
        port=settings.watch_port,
        setting="watch_port",
    )
    log.info("watch.listening", extra={"host": settings.metrics_host, "port": server.port})
    try:
        await _keep_looking(settings, numbers, told)
    finally:
        server.close()
    return 130 if told.result() is signal.SIGINT else 0


async def _keep_looking(
    settings: Settings, numbers: BacklogNumbers, told: "asyncio.Future[signal.Signals]"
) -> None:
    prober, was_blind = Prober(settings), False
    while not told.done():
        began = time.monotonic()
        looking = asyncio.ensure_future(prober.look())
        await asyncio.wait((looking, told), return_when=asyncio.FIRST_COMPLETED)
        if not looking.done():
            looking.cancel()
            with suppress(asyncio.CancelledError, PopStreamError):
                await looking
            return
        try:
            numbers.saw(looking.result())
        except (KafkaUnreachableError, TopicsMissingError, WorkFailedError) as error:
            numbers.missed(_REASONS[type(error)])
            log.log(logging.INFO if was_blind else logging.ERROR, "watch.blind",
                    extra={"error": str(error)})  # fmt: skip
            was_blind = True
        else:
            if was_blind:
                log.warning("watch.sees_again")
            was_blind = False
        rest = settings.watch_seconds - (time.monotonic() - began)
        await asyncio.wait((told,), timeout=max(rest, 0.1))


def _registry(numbers: BacklogNumbers) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(TableCollector(WATCH_METRICS, numbers))
    ProcessCollector(registry=registry)
    return registry


def _pages(numbers: BacklogNumbers, every_seconds: float) -> Mapping[str, Callable[[], Page]]:
    return {
        "/livez": lambda: health_page([Check("process", ok=True, seen="it answers")]),
        "/readyz": lambda: health_page([_is_fresh(numbers.look, every_seconds)]),
        "/statusz": lambda: Page(JSON, json.dumps(as_object(numbers.look), indent=2).encode()),
    }


def _is_fresh(look: Look | None, every_seconds: float) -> Check:
    if look is None:
        return Check("look", ok=False, seen="Kafka was not seen yet")
    ago = time.time() - look.at
    fresh = ago < _STALE_LOOKS * every_seconds
    return Check("look", ok=fresh, seen=f"Kafka was last seen {ago:.0f} s ago")


def as_object(look: Look | None) -> dict[str, Any] | None:
    """A look as one JSON object; None before the first. What is infinite becomes null."""
    if look is None:
        return None
    return {
        "at": look.at,
        "seconds": round(look.seconds, 3),
        "topics": [
            {
                "topic": topic,
                "lag_events": look.lag_of(topic),
                "oldest_produced_at": owed.produced_at,
                "deleted_at": _finite(owed.deleted_at),
                "retention_seconds": _finite(look.retention_seconds[topic]),
            }
            for topic, owed in look.owed.items()
        ],
        "parked_events": look.parked,
        "group": {"state": look.group.state, "members": len(look.group.members)},
        "partitions": [asdict(state) for state in look.partitions],
    }


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None
