"""Work goes on once all is well again, and comes to rest in the end."""

from bisect import bisect_left
from collections import defaultdict
from math import inf

from faults.checker.account import WORKED_TOPICS, Account, delivered_at
from faults.checker.finding import Finding, counted, some


def progress(account: Account) -> Finding:
    """After `healed_at`, something is delivered within `recovery_seconds`, if anything was left.

    Left = confirmed to a player by then, not delivered by then, and not parked: parked events may
    all be hopeless, and hopeless events make no progress. Any event's delivery counts.
    """
    run = account.evidence.run
    times = {pop_id: min(map(delivered_at, each)) for pop_id, each in account.deliveries.items()}
    left = [
        pop_id
        for pop_id, at in account.acked.items()
        if at <= run.healed_at
        and times.get(pop_id, inf) > run.healed_at
        and pop_id not in account.parked
    ]
    after = [
        at
        for deliveries in account.deliveries.values()
        for at in map(delivered_at, deliveries)
        if at > run.healed_at
    ]
    seconds = min(after, default=run.ended_at) - run.healed_at if left else 0.0
    slowest = max(seconds, _longest_calm_without_delivery(account))
    if not left:
        detail = "nothing was left to deliver when all was well again"
    elif after:
        detail = f"delivered again after {seconds:.1f} s; {counted(len(left), 'event')} waited"
    else:
        detail = f"nothing was delivered any more; {counted(len(left), 'event')} waited"
    return Finding(
        check="progress",
        ok=slowest <= run.recovery_seconds and (bool(after) or not left),
        measured=round(slowest, 3),
        allowed=f"{run.recovery_seconds:g} s",
        detail=f"{detail}; after any fault within {slowest:.1f} s" if slowest > seconds else detail,
    )


def _longest_calm_without_delivery(account: Account) -> float:
    """For how long nothing was delivered at most, from the end of a fault on while there is none.

    Players send all the while, so there is always something to deliver.
    """
    run = account.evidence.run
    delivered = sorted(
        at for deliveries in account.deliveries.values() for at in map(delivered_at, deliveries)
    )
    spells = sorted((fault.began_at, fault.ended_at) for fault in account.evidence.faults)
    longest, calm_since = 0.0, None
    for began_at, ended_at in [*spells, (run.healed_at, run.healed_at)]:
        if calm_since is not None and began_at > calm_since:
            index = bisect_left(delivered, calm_since)
            first = delivered[index] if index < len(delivered) else inf
            longest = max(longest, min(first, began_at) - calm_since)
        calm_since = max(calm_since or ended_at, ended_at)
    return longest


def fresh_events(account: Account) -> Finding:
    """Of the events that were confirmed after `healed_at`, at least one was delivered.

    Not only what had been under way comes through. Whether all of them have an outcome is judged
    as loss.
    """
    fresh = [pop_id for pop_id, at in account.acked.items() if at > account.evidence.run.healed_at]
    delivered = sum(pop_id in account.deliveries for pop_id in fresh)
    return Finding(
        check="fresh events",
        ok=delivered > 0 or not fresh,
        measured=delivered,
        allowed="1 or more" if fresh else "any",
        detail=f"of {counted(len(fresh), 'event')} sent after all was well again",
        examples=() if delivered else some(sorted(fresh)),
    )


def quiescence(account: Account) -> Finding:
    """In the end all is at rest: the run says so, and the commits have reached the last record.

    A run that was never quiet has failed, for then nothing above says what would have become of
    the rest. The commits are those of the events, retry and failure topics.
    """
    committed: dict[tuple[str, int], int] = {}
    for commit in account.evidence.commits:
        committed[commit.topic, commit.partition] = commit.offset
    lag: dict[str, int] = defaultdict(int)
    for role in WORKED_TOPICS:
        for record in account.topics[role]:
            if record.offset >= committed.get((role, record.partition), 0):
                lag[f"{role}/{record.partition}"] += 1
    behind = sum(lag.values())
    quiet = account.evidence.run.quiet
    return Finding(
        check="quiescence",
        ok=quiet and not behind,
        measured=behind,
        allowed="0 behind, and quiet",
        detail=f"{'quiet' if quiet else 'never quiet'}; "
        f"{counted(behind, 'record')} above the last commits",
        examples=some(f"{place}: {count} left" for place, count in sorted(lag.items())),
    )
