"""Many schedules on several processes, in order of their seeds as far as that goes."""

import multiprocessing
from collections import Counter
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from typing import Final

from tests.simulation.driver import Found, hunt_in_process

_CHUNK: Final = 2500

Chunk = tuple[Found | None, Counter[str]]


def hunt_all(
    first: int,
    schedules: int,
    *,
    jobs: int,
    progress: Callable[[int], None] = lambda _: None,
) -> tuple[list[Found], Counter[str]]:
    """Run `schedules` seeds from `first` on; a violation ends it when the running chunks end.

    `progress` is told how many schedules have passed.
    """
    fired: Counter[str] = Counter()
    found: list[Found] = []
    chunks = iter(range(first, first + schedules, _CHUNK))
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:

        def submit(start: int) -> Future[Chunk]:
            return pool.submit(hunt_in_process, start, min(_CHUNK, first + schedules - start))

        running = {submit(start) for _, start in zip(range(jobs), chunks, strict=False)}
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for chunk in done:
                violation, seen = chunk.result()
                fired += seen
                if violation is not None:
                    found.append(violation)
                elif not found and (start := next(chunks, None)) is not None:
                    running.add(submit(start))
            progress(fired["schedules"])
    return sorted(found, key=lambda each: each.seed), fired
