"""What is measured of one system; each gives plain numbers."""

import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench.player.plays import SCREENS
from bench.player.stores import Store, System, require_durable

THREADS: Final = 64
#: 15 s each, for the 120 hours that a site must go on without contact.
PLAYS_OF_120_HOURS: Final = 28_800
_PAGE: Final = 4096


def play_ms(system: System, path: Path, plays: int) -> Sequence[float]:
    """How long each of so many plays takes, one after the other: its start and its end."""
    store = _open(system, path)
    try:
        return [_timed_ms(store, n % SCREENS) for n in range(plays)]
    finally:
        store.close()


def _timed_ms(store: Store, screen: int) -> float:
    began = time.perf_counter()
    store.play(screen)
    return (time.perf_counter() - began) * 1000


def plays_per_second(system: System, path: Path, seconds: float) -> float:
    """How many plays so many threads write down at once."""
    store = _open(system, path)
    counts, failures = [0] * THREADS, list[BaseException]()
    deadline = time.monotonic() + seconds

    def work(number: int) -> None:
        try:
            while time.monotonic() < deadline:
                store.play(number % SCREENS)
                counts[number] += 1
        except BaseException as error:  # noqa: BLE001 - told below, in the thread that measures
            failures.append(error)

    began = time.monotonic()
    threads = [threading.Thread(target=work, args=(n,)) for n in range(THREADS)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    took = time.monotonic() - began
    store.close()
    if failures:
        raise failures[0]
    return sum(counts) / took


def open_ms(system: System, path: Path) -> float:
    """How long it takes to open one that is there, until a play could be written down."""
    began = time.perf_counter()
    store = system.open(path)
    took = (time.perf_counter() - began) * 1000
    store.close()
    return took


def megabytes(system: System, path: Path, plays: int = PLAYS_OF_120_HOURS) -> float:
    """What so many plays of one screen take of the disk, with all files beside."""
    store = system.open(path)
    for each in store.connections():
        # As large as with it, and in a tenth of the time.
        each.execute("PRAGMA synchronous = OFF")
    for _ in range(plays):
        store.play(0)
    store.close()
    return sum(each.stat().st_size for each in _files(path)) / 1e6


def import_ms(module: str) -> float:
    """The CPU that a fresh interpreter takes to import a module: as much on a busy machine."""
    code = (
        "import time; began = time.process_time(); "
        f"import {module}; print((time.process_time() - began) * 1000)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    return float(told.stdout)


def sync_ms(path: Path, times: int) -> Sequence[float]:
    """How long the disk takes for a page that is appended: no commit can be faster."""
    with path.open("wb", buffering=0) as file:
        taken = []
        for _ in range(times):
            file.write(bytes(_PAGE))
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            taken.append((time.perf_counter() - began) * 1000)
    return taken


def percentile(values: Sequence[float], percent: int) -> float:
    """Of at least two values."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def _open(system: System, path: Path) -> Store:
    store = system.open(path)
    require_durable(store)
    return store


def _files(path: Path) -> list[Path]:
    beside = [each for each in path.parent.glob(f"{path.name}*") if each.is_file()]
    inside = [each for each in path.rglob("*") if each.is_file()] if path.is_dir() else []
    return beside + inside
