"""Keeps processes to some of the cores (Linux)."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from bench.measure import PROC
from pop_stream.errors import WorkFailedError


@contextmanager
def on_cores(number: int | None, others: Sequence[int]) -> Iterator[None]:
    """Keep this process, and what it starts meanwhile, to so many cores; and the others with it.

    None: all there are. Where everything shares one, no neighbour on the same physical core makes
    a busy system look dearer than an idle one. Raises WorkFailedError when there are fewer.
    """
    everywhere = os.sched_getaffinity(0)
    if number is not None and number > len(everywhere):
        raise WorkFailedError(f"{number} cores are needed, and there is {len(everywhere)}")
    chosen = set(sorted(everywhere)[:number])
    try:
        _keep(chosen, others)
        yield
    finally:
        _keep(everywhere, others)


def _keep(cores: set[int], others: Sequence[int]) -> None:
    for pid in (os.getpid(), *others):
        # A thread that is started meanwhile is like the one that starts it, so ask again.
        done: set[int] = set()
        while fresh := _threads(pid) - done:
            for thread in fresh:
                with suppress(ProcessLookupError):
                    os.sched_setaffinity(thread, cores)
            done |= fresh


def _threads(pid: int) -> set[int]:
    try:
        return {int(folder.name) for folder in Path(PROC, str(pid), "task").iterdir()}
    except FileNotFoundError:
        return set()
