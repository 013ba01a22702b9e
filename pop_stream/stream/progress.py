"""When the commit of each partition last moved: one that stands still is seen, whatever others do.

Having nothing to commit counts as moving.
"""

import time

from pop_stream.stream.ledger import Ledger, Place
from pop_stream.stream.record import KafkaRecord


class Progress:
    """Looks at a ledger now and then."""

    def __init__(self, ledger: Ledger[KafkaRecord]) -> None:
        self._ledger = ledger
        self._committed: dict[Place, int | None] = {}
        #: When each partition that is ours last moved, in epoch seconds.
        self.moved_at: dict[Place, float] = {}

    def look(self) -> None:
        """Note what has moved since the last look; forget what is not ours any more."""
        now = time.time()
        committed, moved_at = {}, {}
        for place, offset, is_done in self._ledger.standing():
            committed[place] = offset
            moved = is_done or place not in self.moved_at or self._committed[place] != offset
            moved_at[place] = now if moved else self.moved_at[place]
        self._committed, self.moved_at = committed, moved_at
