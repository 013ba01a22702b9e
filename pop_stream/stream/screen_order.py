"""The order of a screen's events: one at a time, and the others wait behind it."""

from collections import deque
from collections.abc import Iterable, Iterator

from pop_stream.stream.claim import Claim

_Screen = tuple[str, bytes]


class ScreenOrder:
    """Which events wait for an earlier one of the same screen on the same topic.

    An event without a key belongs to no screen, and waits for none.
    """

    def __init__(self) -> None:
        #: An entry for each screen with an event under way; behind it those that wait.
        self._behind: dict[_Screen, deque[Claim]] = {}

    def admit(self, claims: Iterable[Claim]) -> Iterator[Claim]:
        """Yield the events that may go now, and keep the others."""
        for claim in claims:
            screen = _screen_of(claim)
            if screen is None:
                yield claim
            elif (behind := self._behind.get(screen)) is not None:
                behind.append(claim)
            else:
                self._behind[screen] = deque()
                yield claim

    def finished(self, claim: Claim) -> Iterator[Claim]:
        """Yield the event that may go now that `claim` has its durable outcome."""
        screen = _screen_of(claim)
        if screen is None:
            return
        behind = self._behind.get(screen)
        if behind:
            yield behind.popleft()
        else:
            self._behind.pop(screen, None)

    def clear(self) -> None:
        """Let all go."""
        self._behind.clear()


def _screen_of(claim: Claim) -> _Screen | None:
    key = claim.record.key
    return None if key is None else (claim.run.place.topic, key)
