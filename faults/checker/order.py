"""The order of each screen's events, where it was asked for."""

from collections import defaultdict
from collections.abc import Iterator

from faults.checker.account import Account
from faults.checker.exposure import Exposures
from faults.checker.finding import Finding, counted, some
from faults.evidence import Produced, Record


def order(account: Account, exposures: Exposures) -> Finding:
    """For each key, the first deliveries of its events rise in `seq`, as GSTV read them.

    An inversion is an event that is first delivered after another of its key with a higher seq;
    of those others the one with the highest seq counts. It is allowed if the late event is parked
    as well, or had been exposed to a crash or a rebalance before it was delivered; and if the
    other event stands before it on the events topic, or in another partition: the player sent
    them so.
    """
    if not account.evidence.run.ordered:
        return Finding(
            check="order", ok=True, measured=0, allowed="any", detail="not asked for in this run"
        )
    inverted = list(_inversions(account))
    wrong = [late for late, at in inverted if not _is_excused(account, exposures, late, at)]
    return Finding(
        check="order",
        ok=not wrong,
        measured=len(wrong),
        allowed="0",
        detail=f"{counted(len(inverted), 'inversion')}, of which excused: "
        f"{len(inverted) - len(wrong):,}",
        examples=some(sorted(wrong)),
    )


def _inversions(account: Account) -> Iterator[tuple[str, float]]:
    """The events that were overtaken by the worker, each with the time of its first delivery."""
    keys: dict[str, list[tuple[float, Produced]]] = defaultdict(list)
    for pop_id, deliveries in account.deliveries.items():
        event = account.produced.get(pop_id)
        if event is not None and pop_id in account.on_events:
            keys[event.key].append((deliveries[0].received_at, event))
    for events in keys.values():
        events.sort(key=lambda each: each[0])
        furthest = events[0][1]
        for at, event in events:
            if event.seq >= furthest.seq:
                furthest = event
            elif _stands_before(account, event, furthest):
                yield event.id, at


def _stands_before(account: Account, event: Produced, other: Produced) -> bool:
    here, there = _first_record(account, event), _first_record(account, other)
    return here.partition == there.partition and here.offset < there.offset


def _first_record(account: Account, event: Produced) -> Record:
    return min(account.on_events[event.id], key=lambda record: record.offset)


def _is_excused(account: Account, exposures: Exposures, pop_id: str, at: float) -> bool:
    return pop_id in account.parked or any(each.since <= at for each in exposures.of(pop_id))
