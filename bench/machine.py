"""Where the figures were taken: they mean little without."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

from bench.peers import built
from bench.receiver import Kind
from pop_stream.kafka.jar_lock import KAFKA_VERSION

_PACKAGES = ("pop-stream", "faust-streaming", "aiokafka", "aiohttp", "httptools", "uvloop")


def versions(receiver: Kind) -> dict[str, str]:
    """The versions of everything that takes part, and of the peers that could."""
    return {
        "python": platform.python_version(),
        "kafka": KAFKA_VERSION,
        receiver.name: receiver.version,
        **{package: version(package) for package in _PACKAGES},
        **built.versions(),
    }


def machine() -> dict[str, str | int | float]:
    """The machine, and how busy it was with other things when asked."""
    return {
        "processor": _first("/proc/cpuinfo", "model name") or platform.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "kernel": platform.release(),
        "load_before": round(os.getloadavg()[0], 2),
    }


def _first(path: str, name: str) -> str:
    for line in Path(path).read_text().splitlines():
        key, _, value = line.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""
