"""Finds the records that the broker refuses among those that are sent together. Rules only.

A broker refuses a batch as a whole. So it is halved, and halved again, until what it refuses is
alone, and the others get through.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from pop_stream.player.sending.lot import Answer, Fate, Refused

#: Where nothing gets through it is not the records.
_VAIN_ROUNDS: Final = 4
#: So often a record is tried alone before it counts as what the broker cannot bear.
_SUSPECTED_TRIES: Final = 3


class Verdict(Enum):
    """What the broker said of a batch."""

    CONFIRMED = "confirmed"
    #: There is a record in it that it never takes.
    REFUSED = "refused"
    #: It has failed over it, and does not say why.
    SUSPECTED = "suspected"
    #: It was sent in a way that can be changed.
    AGAIN = "again"
    #: No answer, or one that says nothing of the records.
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Tried:
    """A batch that was sent."""

    #: Its records, by their place in the lot.
    records: tuple[int, ...]
    partition: int
    verdict: Verdict
    why: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Records that are to be sent together."""

    records: tuple[int, ...]
    partition: int

    def halves(self) -> "list[Group]":
        """Itself, in two."""
        middle = len(self.records) // 2
        return [Group(half, self.partition) for half in
                (self.records[:middle], self.records[middle:])]  # fmt: skip


class Isolation:
    """What is known of the records of one lot."""

    def __init__(self, answers: Sequence[Answer]) -> None:
        """`answers`: what is known before anything is sent."""
        self.answers = list(answers)
        self._tries: Counter[int] = Counter()
        self._taking: set[int] = set()
        self._vain = 0

    def after(self, tried: Iterable[Tried]) -> list[Group]:
        """What is to be sent now, in this order; nothing, when that is of no use any more."""
        tried = list(tried)
        confirmed = [each for each in tried if each.verdict is Verdict.CONFIRMED]
        for each in confirmed:
            self._taking.add(each.partition)
            for record in each.records:
                self.answers[record] = Fate.CONFIRMED
        self._vain = 0 if confirmed else self._vain + 1
        failed = [each for each in tried if each.verdict is not Verdict.CONFIRMED]
        left = [group for each in failed for group in self._again(each)]
        return left if self._is_of_use(failed) else []

    def _is_of_use(self, failed: Sequence[Tried]) -> bool:
        verdicts = {each.verdict for each in failed}
        if verdicts & {Verdict.REFUSED, Verdict.AGAIN}:
            return True
        return Verdict.SUSPECTED in verdicts and self._vain < _VAIN_ROUNDS

    def _again(self, tried: Tried) -> list[Group]:
        group = Group(tried.records, tried.partition)
        if tried.verdict in (Verdict.AGAIN, Verdict.LOST):
            return [group]
        if len(group.records) > 1:
            return group.halves()
        return [] if self._is_refused(tried) else [group]

    def _is_refused(self, tried: Tried) -> bool:
        (record,) = tried.records
        self._tries[record] += 1
        if tried.verdict is Verdict.REFUSED or (
            tried.partition in self._taking and self._tries[record] >= _SUSPECTED_TRIES
        ):
            self.answers[record] = Refused(tried.why)
            return True
        return False
