"""What failed is told of, nothing else is, and what was delivered did not fail."""

from faults.checker.account import Account, redrives_of
from faults.checker.causes import handed_on_twice
from faults.checker.exposure import Exposures
from faults.checker.finding import Finding, counted, some


def silent_failure(account: Account) -> Finding:
    """Each event on the failure topic has at least one notification.

    One that is parked anew after a redrive was told of before; the first notification counts.
    """
    silent = sorted(account.parked.keys() - account.told.keys())
    again = len(account.topics["notifications"]) - len(account.told)
    return Finding(
        check="silent failure",
        ok=not silent,
        measured=len(silent),
        allowed="0",
        detail=f"of {counted(len(account.parked), 'parked event')}; told again: {again:,}",
        examples=some(silent),
    )


def false_notification(account: Account) -> Finding:
    """Each notification is of an event that stands on the failure topic."""
    unfounded = sorted(account.told.keys() - account.parked.keys())
    return Finding(
        check="false notification",
        ok=not unfounded,
        measured=len(unfounded),
        allowed="0",
        detail=f"of {counted(len(account.told), 'notified event')}",
        examples=some(unfounded),
    )


def wrong_failure(account: Account, exposures: Exposures) -> Finding:
    """An event that is both delivered and parked went two ways, and something must explain that.

    One of: a delivery whose answer may not have reached the worker; exposure to a crash or a
    rebalance, so that it was done twice; a player or a hand-off that wrote it twice; a redrive,
    which is there to deliver what was parked.
    """
    both = sorted(account.parked.keys() & account.deliveries.keys())
    why = {pop_id: _why_two_ways(account, exposures, pop_id) for pop_id in both}
    unexplained = [pop_id for pop_id, reason in why.items() if reason is None]
    reasons = sorted({reason for reason in why.values() if reason is not None})
    told = [f"{reason} {sum(each == reason for each in why.values())}" for reason in reasons]
    return Finding(
        check="wrong failure",
        ok=not unexplained,
        measured=len(unexplained),
        allowed="0 unexplained",
        detail=f"parked and delivered: {', '.join([f'{len(both):,}', *told])}",
        examples=some(unexplained),
    )


def _why_two_ways(account: Account, exposures: Exposures, pop_id: str) -> str | None:
    if any(redrives_of(record) for record in account.on_retry.get(pop_id, ())):
        return "redriven"
    if any(map(account.is_ambiguous, account.deliveries[pop_id])):
        return "ambiguous"
    if exposed := exposures.of(pop_id):
        return min(exposure.cause for exposure in exposed)
    if len(account.on_events.get(pop_id, ())) > 1:
        return "player"
    return "handoff" if handed_on_twice(account, pop_id) else None
