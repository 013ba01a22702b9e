"""Each duplicate has a cause, and no cause explains more than it can have made."""

from collections import Counter
from collections.abc import Collection

from faults.checker.causes import CAUSES, UNEXPLAINED, Duplicate
from faults.checker.exposure import Exposures
from faults.checker.finding import Finding, counted, some


def duplicates(found: Collection[Duplicate]) -> Finding:
    """Every delivery after an event's first is explained (`causes.duplicates_of` tells by what)."""
    causes = Counter(each.cause for each in found)
    unexplained = {each.id for each in found if each.cause == UNEXPLAINED}
    told = ", ".join(f"{cause} {causes[cause]:,}" for cause in CAUSES if causes[cause])
    return Finding(
        check="duplicates",
        ok=not unexplained,
        measured=causes[UNEXPLAINED],
        allowed="0 unexplained",
        detail=f"{counted(len(found), 'duplicate')}{f': {told}' if told else ''}",
        examples=some(sorted(unexplained)),
        causes=dict(causes),
    )


def duplicate_budget(found: Collection[Duplicate], exposures: Exposures) -> Finding:
    """No event has more duplicates by crashes and rebalances than it was exposed to such.

    An event counts once for each moment and each of its records that was exposed to it, for each
    such record may be read again, once. So the sum stays below that of all exposures as well.
    """
    blamed = Counter(each.id for each in found if each.cause in ("crash", "rebalance"))
    over = sorted(
        pop_id
        for pop_id, duplicates in blamed.items()
        if duplicates > sum(exposure.times for exposure in exposures.of(pop_id))
    )
    total = exposures.total
    used = Counter(each.cause for each in found)
    told = [f"{cause} {used[cause]:,} of {total[cause]:,}" for cause in total]
    return Finding(
        check="duplicate budget",
        ok=not over,
        measured=blamed.total(),
        allowed=f"{total.total():,} exposures",
        detail=f"{', '.join(told)}; over their own: {counted(len(over), 'event')}",
        examples=some(over),
    )
