"""What a worker is, as against what it does: shown once, and never changing."""

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version

from pop_stream.settings import Settings


@dataclass(frozen=True, slots=True)
class Facts:
    """The metrics of `pop_stream.watch.table.WORKER_FACTS`."""

    retry_limit: int
    http_timeout_seconds: float
    build: Mapping[str, str]
    config: Mapping[str, str]


def facts_of(settings: Settings) -> Facts:
    """Give the facts of a worker with these settings."""
    return Facts(
        retry_limit=settings.retries,
        http_timeout_seconds=settings.gstv_timeout_seconds,
        build=build(),
        config={
            "group": settings.group,
            "stages": ",".join(settings.stages),
            "order": settings.order,
            "in_flight": str(settings.gstv_max_in_flight),
        },
    )


def build() -> dict[str, str]:
    """The versions of what runs here."""
    return {
        "version": version("pop-stream"),
        "faust": version("faust-streaming"),
        "aiokafka": version("aiokafka"),
        "python": platform.python_version(),
    }
