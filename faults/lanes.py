"""Plays scenarios side by side: most wait for something most of the time.

Each has topics, workers, players and a GSTV of its own; only those that strike Kafka or the way to
it would strike all, and are played alone.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from queue import SimpleQueue

from faults.plan import Scenario
from faults.run import Played


def play_all(
    scenarios: Sequence[Scenario], play: Callable[[Scenario], Played], *, lanes: int
) -> Iterator[Played]:
    """Play them all, that many at once; each is given when it is over. Raises what `play` does."""
    for one in scenarios:
        if one.strikes_kafka:
            yield play(one)
    together = [one for one in scenarios if not one.strikes_kafka]
    yield from _side_by_side(together, play, lanes)


def _side_by_side(
    scenarios: Sequence[Scenario], play: Callable[[Scenario], Played], lanes: int
) -> Iterator[Played]:
    waiting: SimpleQueue[Scenario | None] = SimpleQueue()
    ended: SimpleQueue[Played | BaseException] = SimpleQueue()
    for one in (*scenarios, *[None] * lanes):
        waiting.put(one)

    def lane() -> None:
        try:
            while (one := waiting.get()) is not None:
                ended.put(play(one))
        except BaseException as error:  # noqa: BLE001 - raised below
            ended.put(error)

    for _ in range(lanes):
        # Daemons: on Ctrl-C nobody waits for them, and what they started ends with us.
        threading.Thread(target=lane, daemon=True).start()
    for _ in scenarios:
        result = ended.get()
        if isinstance(result, BaseException):
            raise result
        yield result
