"""When the commit of each partition last moved: one that stands still is seen, whatever others do.

Having nothing to commit counts as moving.
"""

import time

from pop_stream.stream.ledger import Ledger, Place, Standing
from pop_stream.stream.record import KafkaRecord


class Progress:
    """Looks at a ledger now and then."""

    def __init__(self, ledger: Ledger[KafkaRecord]) -> None:
        self._ledger = ledger
        #: How far each partition that is ours was at the last look. Another dictionary after each.
        self.standings: dict[Place, Standing] = {}
        #: When each partition that is ours last moved, in epoch seconds.
        self.moved_at: dict[Place, float] = {}

    def look(self) -> None:
        """Note what has moved since the last look; forget what is not ours any more."""
        now = time.time()
        standings, moved_at = {}, {}
        for standing in self._ledger.standings():
            place, before = standing.place, self.standings.get(standing.place)
            standings[place] = standing
            moved = standing.is_done or before is None or before.committed != standing.committed
            moved_at[place] = now if moved else self.moved_at[place]
        self.standings, self.moved_at = standings, moved_at
