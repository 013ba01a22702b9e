"""Why an event was delivered more than once."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from faults.checker.account import Account, attempts_of, redrives_of
from faults.checker.exposure import Exposures
from faults.evidence import Request

#: In the order in which they are tried.
CAUSES = ("player", "ambiguous", "crash", "rebalance", "handoff")
UNEXPLAINED = "unexplained"


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A delivery of an event that had been delivered before."""

    id: str
    cause: str


def duplicates_of(account: Account, exposures: Exposures) -> Iterator[Duplicate]:
    """Find each delivery after an event's first, and the first cause that explains it.

    - player: the event stands more than once on the events topic by then. Each copy explains one.
    - ambiguous: of an earlier delivery the answer may not have reached the worker; or of this one,
      when it tells of fewer attempts than an earlier one: it was overtaken on its way. Each such
      delivery explains one.
    - crash, rebalance: the event was exposed to one before this delivery.
    - handoff: two records of it on the retry topic tell of the same attempts, by then: a hand-off
      that was written again, for want of a confirmation. Each such record explains one.
    """
    for pop_id, deliveries in account.deliveries.items():
        if len(deliveries) > 1:
            yield from _explain(_Ways(account, exposures, pop_id), deliveries)


def handed_on_twice(account: Account, pop_id: str) -> list[float]:
    """When a record came to the retry topic that tells the same of an event as one before it."""
    known: set[tuple[int, int]] = set()
    again = []
    for record in account.on_retry.get(pop_id, ()):
        # A redriven event keeps its number of attempts, so that alone would not tell it apart.
        trail = attempts_of(record), redrives_of(record)
        if trail in known:
            again.append(record.timestamp_ms / 1000)
        known.add(trail)
    return sorted(again)


class _Ways:
    """The ways in which one event can have come to GSTV again, and how many are used up."""

    def __init__(self, account: Account, exposures: Exposures, pop_id: str) -> None:
        self.id = pop_id
        self._is_ambiguous = account.is_ambiguous
        copies = sorted(record.timestamp_ms / 1000 for record in account.on_events.get(pop_id, ()))
        self._once_each = {"player": copies[1:], "handoff": handed_on_twice(account, pop_id)}
        self._since: dict[str, float] = {}
        for each in exposures.of(pop_id):
            self._since[each.cause] = min(each.since, self._since.get(each.cause, each.since))
        self._used: Counter[str] = Counter()
        self._unsure = 0
        self._most_attempts = 0

    def note(self, delivery: Request, cause: str | None) -> None:
        """Remember a delivery, and what it used up."""
        if cause is not None:
            self._used[cause] += 1
        self._unsure += self._is_ambiguous(delivery)
        self._most_attempts = max(self._most_attempts, delivery.attempt or 0)

    def explain(self, cause: str, delivery: Request) -> bool:
        """Whether a cause explains a delivery."""
        at = delivery.received_at
        if cause in self._once_each:
            return sum(each <= at for each in self._once_each[cause]) > self._used[cause]
        if cause == "ambiguous":
            overtaken = (delivery.attempt or 0) < self._most_attempts
            unsure = self._unsure + (overtaken and self._is_ambiguous(delivery))
            return unsure > self._used[cause]
        return cause in self._since and self._since[cause] <= at


def _explain(ways: _Ways, deliveries: list[Request]) -> Iterator[Duplicate]:
    # In their order: all that explains one delivery would explain a later one as well. So what
    # one uses up is never wanted by a later one that has nothing else, whatever comes first.
    ways.note(deliveries[0], None)
    for delivery in deliveries[1:]:
        found = (cause for cause in CAUSES if ways.explain(cause, delivery))
        cause = next(found, UNEXPLAINED)
        ways.note(delivery, cause)
        yield Duplicate(ways.id, cause)
