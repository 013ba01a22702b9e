"""Taking what has come, and no more."""

from collections import deque
from typing import cast

from confluent_kafka import Consumer

from pop_stream.analysis.asking import what_comes


class Slow:
    """A consumer with some messages; for more than there are it waits in vain."""

    def __init__(self, *messages: str) -> None:
        self._messages = deque(messages)
        self.waited = 0.0

    def consume(self, most: int, timeout: float) -> list[str]:
        found = [self._messages.popleft() for _ in range(min(most, len(self._messages)))]
        if len(found) < most:
            self.waited += timeout
        return found


def test_it_waits_for_the_first_only() -> None:
    """All that is there is given at once, though it is less than what is asked for."""
    slow = Slow("a", "b", "c")

    assert what_comes(cast(Consumer, slow), 500, 0.5) == ["a", "b", "c"]
    assert slow.waited == 0


def test_it_gives_no_more_than_is_asked_for() -> None:
    """What is beyond that comes next."""
    slow = Slow("a", "b", "c")

    assert what_comes(cast(Consumer, slow), 2, 0.5) == ["a", "b"]
    assert what_comes(cast(Consumer, slow), 2, 0.5) == ["c"]


def test_when_nothing_comes_it_has_waited() -> None:
    """As long as is asked for, and no longer."""
    slow = Slow()

    assert what_comes(cast(Consumer, slow), 500, 0.5) == []
    assert slow.waited == 0.5
