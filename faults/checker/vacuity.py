"""The run was no empty one: had something been wrong, it could have been seen."""

from collections.abc import Callable, Mapping, Sized
from types import MappingProxyType

from faults.checker.account import Account
from faults.checker.finding import Finding, counted, some


def enough_events(account: Account) -> Finding:
    """At least `least_events` events were confirmed to the players."""
    least = account.evidence.run.least_events
    return Finding(
        check="enough events",
        ok=len(account.acked) >= least,
        measured=len(account.acked),
        allowed=f"{least:,} or more",
        detail="confirmed to the players",
    )


def whole_evidence(account: Account) -> Finding:
    """Each ledger that a run cannot do without has lines: commits never read would all be safe."""
    evidence = account.evidence
    ledgers: dict[str, Sized] = {
        "produced": evidence.produced,
        "acked": evidence.acked,
        "gstv": evidence.requests,
        "records": evidence.records,
        "commits": evidence.commits,
        "workers": evidence.workers,
    }
    if evidence.run.receipted:
        ledgers["receipts"] = evidence.receipts
    empty = [f"{name}.ndjson is empty" for name, lines in ledgers.items() if not lines]
    return Finding(
        check="whole evidence",
        ok=not empty,
        measured=len(empty),
        allowed="0 empty",
        detail=f"of {len(ledgers)} ledgers",
        examples=some(empty),
    )


def faults_bit(account: Account) -> Finding:
    """Every fault was seen to bite, but for the part of them that need not."""
    faults = account.evidence.faults
    may_idle = int(len(faults) * account.evidence.run.idle_share)
    idle = [f"{fault.kind} on {fault.target} ({fault.seen})" for fault in faults if not fault.bit]
    return Finding(
        check="faults bit",
        ok=len(idle) <= may_idle,
        measured=len(idle),
        allowed=f"{may_idle} without a bite",
        detail=counted(len(faults), "fault"),
        examples=some(idle),
    )


def seen_at_least_once(account: Account) -> Finding:
    """Each of `must_have` was seen; a name that is not known was not.

    duplicate: an event was delivered twice. retry, parked: a record stands on the retry, on the
    failure topic. rebalance: the group had more than its first generation.
    """
    wanted = account.evidence.run.must_have
    missing = [name for name in wanted if not _SIGHTS.get(name, _never)(account)]
    return Finding(
        check="seen at least once",
        ok=not missing,
        measured=len(missing),
        allowed="0 missing",
        detail=f"wanted: {', '.join(wanted) or 'nothing'}",
        examples=some(missing),
    )


def _has_duplicate(account: Account) -> bool:
    return any(len(deliveries) > 1 for deliveries in account.deliveries.values())


def _has_retry(account: Account) -> bool:
    return bool(account.topics["retry"])


def _has_parked(account: Account) -> bool:
    return bool(account.topics["failure"])


def _has_rebalance(account: Account) -> bool:
    # The first is only the beginning.
    return len(account.evidence.generations) > 1


def _never(_: Account) -> bool:
    return False


_SIGHTS: Mapping[str, Callable[[Account], bool]] = MappingProxyType(
    {
        "duplicate": _has_duplicate,
        "retry": _has_retry,
        "parked": _has_parked,
        "rebalance": _has_rebalance,
    }
)
