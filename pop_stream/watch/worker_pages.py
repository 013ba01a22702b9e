"""What a worker serves: its metrics, its health, its status."""

import time
from collections.abc import Callable, Mapping

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector

from pop_stream.watch.collector import TableCollector
from pop_stream.watch.facts import Facts
from pop_stream.watch.health import alive, health_page, ready
from pop_stream.watch.server import JSON, Page
from pop_stream.watch.status import PATH, Status
from pop_stream.watch.table import WORKER_FACTS, WORKER_METRICS
from pop_stream.watch.tally import Tally


def worker_registry(tally: Tally, facts: Facts) -> CollectorRegistry:
    """The metrics of a worker, and those of its process."""
    registry = CollectorRegistry()
    registry.register(TableCollector(WORKER_METRICS, tally))
    registry.register(TableCollector(WORKER_FACTS, facts))
    ProcessCollector(registry=registry)
    GCCollector(registry=registry)
    return registry


def worker_pages(look: Callable[[], Status]) -> Mapping[str, Callable[[], Page]]:
    """The pages of a worker; `look` gives its status, and is called from another thread."""
    return {
        "/livez": lambda: health_page(alive(look(), now=time.time())),
        "/readyz": lambda: health_page(ready(look())),
        PATH: lambda: Page(JSON, look().as_json()),
    }
