"""The events that wait for their attempt: those to be made at once, and those not yet due.

An event due early never waits behind one due late.
"""

import heapq
from collections import deque
from collections.abc import Iterable
from itertools import count

from pop_stream.stream.claim import Claim


class Waiting:
    """The waiting events of all stages. Times are epoch milliseconds."""

    def __init__(self) -> None:
        self._ready: deque[Claim] = deque()
        self._later: list[tuple[int, int, Claim]] = []
        # Breaks ties, so that claims are never compared and equal times keep their order.
        self._ticket = count()

    def add(self, claims: Iterable[Claim]) -> None:
        """Let events wait until their time, or for the next free slot."""
        for claim in claims:
            if claim.not_before:
                heapq.heappush(self._later, (claim.not_before, next(self._ticket), claim))
            else:
                self._ready.append(claim)

    def add_ready(self, claims: Iterable[Claim]) -> None:
        """Let events without a time of their own wait for the next free slot."""
        self._ready.extend(claims)

    def put_back(self, claim: Claim) -> None:
        """Let an event whose attempt did not count be the next again."""
        self._ready.appendleft(claim)

    def take(self, now: int, most: int) -> list[Claim]:
        """Take the next events out: as many as may be attempted now, and `most` of them."""
        later, ready = self._later, self._ready
        taken: list[Claim] = []
        while later and later[0][0] <= now and len(taken) < most:
            taken.append(heapq.heappop(later)[2])
        taken += [ready.popleft() for _ in range(min(most - len(taken), len(ready)))]
        return taken

    def take_any(self, now: int, chance: float) -> list[Claim]:
        """Take one out of all that may be attempted now; `chance` is drawn evenly from [0, 1)."""
        if not self._ready:
            return self.take(now, 1)
        index = int(chance * len(self._ready))
        claim = self._ready[index]
        del self._ready[index]
        return [claim]

    @property
    def has_later(self) -> bool:
        """Whether any event is not yet due."""
        return bool(self._later)

    def first_due(self) -> int | None:
        """When the first of those that have a time may be attempted; None when none has."""
        return self._later[0][0] if self._later else None

    def next_due(self) -> int | None:
        """When the first event may be attempted, 0 for at once; None when there is none."""
        if self._ready:
            return 0
        return self._later[0][0] if self._later else None

    def clear(self) -> None:
        """Let all go."""
        self._ready.clear()
        self._later.clear()

    def __len__(self) -> int:
        return len(self._ready) + len(self._later)
