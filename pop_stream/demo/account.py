"""Where every event ended: each in exactly one place, or the run has failed."""

from collections import Counter
from collections.abc import Set as AbstractSet
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What was seen from outside: in the players' ledger, in the topics, in GSTV's ledger.

    Everything is keyed by pop-id. Nothing here comes from the worker itself.
    """

    #: On the events topic, or confirmed to the players.
    produced: AbstractSet[str]
    #: How often GSTV took each event.
    accepted: Counter[str]
    #: Attempts that GSTV saw and did not take, or events seen on the retry topic.
    tried_in_vain: AbstractSet[str]
    #: On the failure topic.
    parked: AbstractSet[str]
    #: On the failure topic because GSTV could not be asked to take them.
    quarantined: AbstractSet[str]
    #: How many failure notifications there are for each event.
    notified: Counter[str]
    #: Not done, but a record of theirs is still before the worker: its offset is not committed.
    unfinished: AbstractSet[str]
    #: GSTV took other bytes than the players sent.
    altered: AbstractSet[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The sum. Unless some are unaccounted, produced = delivered + parked + unfinished + lost."""

    produced: int
    #: Produced events that GSTV took.
    delivered: int
    #: Those of them that GSTV took only at a later attempt.
    delivered_after_retry: int
    #: Produced events on the failure topic.
    parked: int
    #: Those of them that were never tried.
    quarantined: int
    #: Events on the failure topic that have a notification.
    notified: int
    #: How many times too often GSTV took an event.
    duplicates: int
    #: Produced events that are nowhere else yet, but that the worker would still take.
    unfinished: int
    #: Produced events that are nowhere else.
    lost: int
    #: Every other disagreement, a line each for people.
    unaccounted: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """0 when every event is accounted for, 1 when not."""
        return 1 if self.lost or self.unfinished or self.unaccounted else 0


def account_for(evidence: Evidence) -> Account:
    """Draw the account."""
    produced, accepted = evidence.produced, evidence.accepted
    delivered = produced & accepted.keys()
    parked = produced & evidence.parked
    nowhere = produced - delivered - parked
    return Account(
        produced=len(produced),
        delivered=len(delivered),
        delivered_after_retry=len(delivered & evidence.tried_in_vain),
        parked=len(parked),
        quarantined=len(parked & evidence.quarantined),
        notified=len(evidence.parked & evidence.notified.keys()),
        duplicates=accepted.total() - len(accepted),
        unfinished=len(nowhere & evidence.unfinished),
        lost=len(nowhere - evidence.unfinished),
        unaccounted=_disagreements(evidence),
    )


def _disagreements(evidence: Evidence) -> tuple[str, ...]:
    produced, accepted, parked = evidence.produced, evidence.accepted.keys(), evidence.parked
    notified = evidence.notified
    found = {
        "delivered and parked as well": accepted & parked,
        "parked without a notification": parked - notified.keys() - evidence.unfinished,
        "notified without being parked": notified.keys() - parked,
        "notified more than once": {pop_id for pop_id, times in notified.items() if times > 1},
        "delivered but never produced": accepted - produced,
        "delivered with other bytes than were sent": evidence.altered,
        "parked but never produced": parked - produced,
    }
    return tuple(f"{len(ids)} {what}: {_some(ids)}" for what, ids in found.items() if ids)


def _some(ids: AbstractSet[str]) -> str:
    first = sorted(ids)[:3]
    return ", ".join(first) + (", ..." if len(ids) > len(first) else "")
