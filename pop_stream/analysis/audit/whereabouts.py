"""Where an event is, by its records on the retry and the failure topic.

A worker commits an event on one topic only once it is delivered or stands on the next. So of what
is done, and is found nowhere else, follows that it was delivered:

```
pop-events   done      retry   nothing, or all done   failure   nothing         delivered
                       retry   one that is not done                             waits there
                       retry   all done               failure   parked          parked
                       retry   done, sent back        failure   parked before   delivered
pop-events   not done                                                           not done yet
```
"""

from collections.abc import Iterable
from enum import StrEnum
from functools import reduce
from typing import NamedTuple


class Outcome(StrEnum):
    """What became of one offset of the players' topic."""

    #: As far as commits tell.
    DELIVERED = "delivered"
    #: Waits on the retry topic for its next attempt, or is under way from there.
    RETRY = "retry"
    #: Waits on the failure topic, to be sent back or for a person.
    PARKED = "parked"
    #: Parked, and settled by a person.
    SETTLED = "settled"
    #: Sent back from the failure topic, whose record on the retry topic is kept no more.
    SENT_BACK = "sent-back"
    #: Sent back, and its record on the retry topic is missing.
    MISSING = "missing"
    #: Not done yet: waits on the players' topic, or is under way.
    OPEN = "open"
    #: Deleted before it was delivered.
    GONE = "gone"
    #: Likewise, and settled by a person.
    GONE_SETTLED = "gone-settled"
    #: Kept no more; the commit had passed it before.
    EXPIRED = "expired"
    #: No record: a mark of a transaction, or compaction.
    NO_RECORD = "no-record"


class Known(NamedTuple):
    """What the retry and the failure topic tell of one event. A tuple: there may be a million."""

    #: A record on the retry topic is not done.
    waits: bool = False
    #: How often it had been sent back when it was parked last; -1: it never was parked.
    parked: int = -1
    #: It was sent back from where it was parked last: the redrive has passed that, or a receipt
    #: says so.
    passed: bool = False
    #: Had it been sent back, its record on the retry topic would still be there.
    is_kept: bool = False
    #: A person has settled it.
    settled: bool = False
    #: How often it was sent back, as its records on the retry topic tell.
    redriven: int = 0


def of_retry(*, redrives: int, is_done: bool) -> Known:
    """What a record of the retry topic tells."""
    return Known(waits=not is_done, redriven=redrives)


def of_parked(*, redrives: int, passed: bool, is_kept: bool, settled: bool) -> Known:
    """What a record of the failure topic tells."""
    return Known(parked=redrives, passed=passed, is_kept=is_kept, settled=settled)


def together(known: Iterable[Known]) -> Known:
    """What several records tell of one event, in whatever order they come."""
    return reduce(_both, known, Known())


def _both(one: Known, other: Known) -> Known:
    # The last time that it was parked counts.
    last = max(one, other, key=lambda known: known.parked)
    if one.parked == other.parked:
        # Parked twice, which a killed worker may cause: one that still waits is what counts.
        last = last._replace(
            passed=one.passed and other.passed, is_kept=one.is_kept and other.is_kept
        )
    return last._replace(waits=one.waits or other.waits, redriven=max(one.redriven, other.redriven))


def outcome_of(known: Known) -> Outcome | None:
    """What became of the event; None: no other topic holds it back."""
    if known.waits:
        return Outcome.RETRY
    if known.parked < 0:
        return None
    if known.redriven > known.parked:
        # Sent back since, attempted, and not parked again.
        return Outcome.DELIVERED
    if known.settled:
        return Outcome.SETTLED
    if known.passed:
        return Outcome.MISSING if known.is_kept else Outcome.SENT_BACK
    return Outcome.PARKED


def of_sent(known: Known, *, settled: bool, is_kept: bool) -> Outcome:
    """What became of an event that was sent back for certain.

    `is_kept`: its record on the retry topic would still be there. PARKED: it was parked again, as
    where it was sent back from has been passed.
    """
    outcome = outcome_of(known)
    if outcome is not None:
        return outcome
    if known.redriven:
        return Outcome.DELIVERED
    # The failure topic keeps no record of it, either.
    if settled:
        return Outcome.SETTLED
    return Outcome.MISSING if is_kept else Outcome.SENT_BACK
