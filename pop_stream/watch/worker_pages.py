"""What a worker serves: its metrics, its health, its status, and its page for people."""

import time
from collections.abc import Callable, Mapping, Sequence

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector

from pop_stream.watch.collector import TableCollector
from pop_stream.watch.facts import Facts
from pop_stream.watch.health import alive, health_page, ready
from pop_stream.watch.history import Sample
from pop_stream.watch.page.render import LIVE, REFRESH_SECONDS, STILL, render
from pop_stream.watch.server import HTML, JSON, Page
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


def worker_pages(
    look: Callable[[], Status], samples: Callable[[], Sequence[Sample]]
) -> Mapping[str, Callable[[], Page]]:
    """The pages of a worker, made from its status and its last hour.

    Both functions are called from another thread.
    """

    def status_page(refresh_seconds: int | None) -> Page:
        html = render(look(), samples(), time.time(), refresh_seconds=refresh_seconds)
        # A name that is no text, from a variable of the environment, is shown as far as it is one.
        return Page(HTML, html.encode(errors="replace"))

    return {
        LIVE: lambda: status_page(REFRESH_SECONDS),
        STILL: lambda: status_page(None),
        "/livez": lambda: health_page(alive(look(), now=time.time())),
        "/readyz": lambda: health_page(ready(look())),
        PATH: lambda: Page(JSON, look().as_json()),
    }
