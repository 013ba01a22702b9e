"""What the mock counts."""

from collections import Counter
from typing import Any

from pop_stream.gstv.mock.ledger import LedgerEntry


class Counts:
    """Counts attempts, and what became of them."""

    def __init__(self) -> None:
        self._times: dict[str, int] = {}
        self._delivered: set[str] = set()
        self._decisions: Counter[int | str] = Counter()
        self._received = self._received_without_id = self._delivered_again = 0
        #: Requests that were no HTTP, too large, or no POST of an event.
        self.refused = 0
        #: Attempts whose body was not read, as a rule said.
        self.unread = 0

    def arrive(self, pop_id: str | None) -> int:
        """Count an attempt by its id: the how-manieth is it."""
        if pop_id is None:
            return 1
        nth = self._times.get(pop_id, 0) + 1
        self._times[pop_id] = nth
        return nth

    def receive(self, entry: LedgerEntry) -> None:
        """Count what became of an attempt."""
        self._received += 1
        self._decisions[entry.decision] += 1
        if entry.id is None:
            self._received_without_id += 1
        elif entry.delivered:
            self._delivered_again += entry.id in self._delivered
            self._delivered.add(entry.id)

    def as_json(self) -> dict[str, Any]:
        """All figures."""
        times = self._times
        return {
            "received": self._received,
            "by_decision": {
                str(key): count
                for key, count in sorted(self._decisions.items(), key=lambda item: str(item[0]))
            },
            "distinct_ids": len(times),
            "duplicates": sum(times.values()) - len(times),
            "delivered_ids": len(self._delivered),
            "delivered_again": self._delivered_again,
            "without_id": self._received_without_id,
            "unread": self.unread,
            "refused": self.refused,
        }
