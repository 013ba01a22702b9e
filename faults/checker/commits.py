"""Commit safety, the strongest check: it finds a loss before any crash has made it one.

The clocks: Kafka dates a commit when the request comes in, and a record when it is appended, both
in whole milliseconds; the partner dates an answer just before it sends it. All are clocks of one
machine. So a worker that commits only what is safe never has a commit that is dated before the
outcome of a record below it. The partner's times are cut to whole milliseconds like Kafka's, and
that is the only allowance.
"""

from collections import defaultdict

from faults.checker.account import WORKED_TOPICS, Account, id_of
from faults.checker.finding import Finding, counted, some
from faults.checker.passed import (
    Partition,
    SafeTimes,
    earliest,
    handed_on_at_ms,
    passed_too_early,
)


def commit_safety(account: Account) -> Finding:
    """No commit passes a record that has no durable outcome dated at or before the commit.

    For each commit in its order, and each record below its offset: the event was delivered; or a
    record of it stands on the retry or the failure topic that tells of more attempts than this
    one (a player's own tells of -1); or, for a record on the failure topic, its notification does.
    Each record is judged by the first commit that passes it, whose date is the strictest. Offsets
    without a record pass. A commit beyond the end of its partition would skip what comes next,
    and counts as well.
    """
    passed = list(passed_too_early(account.evidence.commits, _safe_times(account)))
    return Finding(
        check="commit safety",
        ok=not passed,
        measured=len(passed),
        allowed="0",
        detail=f"{counted(len(account.evidence.commits), 'commit')} judged",
        examples=some(map(str, passed)),
    )


def commit_regressions(account: Account) -> Finding:
    """No partition's committed offset ever goes back.

    It does when a zombie, a worker that lost the partition without knowing it yet, commits late
    and Kafka lets it: what was committed meanwhile would be done again. Kafka should refuse that
    by the group's generation, so none is allowed.
    """
    reached: dict[Partition, int] = {}
    back = []
    for commit in account.evidence.commits:
        place = commit.topic, commit.partition
        before = reached.get(place, commit.offset)
        if commit.offset < before:
            back.append(f"{commit.topic}/{commit.partition}: from {before} to {commit.offset}")
        reached[place] = commit.offset
    return Finding(
        check="commit regressions",
        ok=not back,
        measured=len(back),
        allowed="0",
        detail=f"{counted(len(reached), 'partition')} with commits",
        examples=some(back),
    )


def _safe_times(account: Account) -> SafeTimes:
    delivered = _delivered_at_ms(account)
    safe: dict[Partition, list[tuple[int, int | None]]] = defaultdict(list)
    for role in WORKED_TOPICS:
        for record in account.topics[role]:
            if role == "failure":
                at_ms = account.told.get(id_of(record))
            else:
                at_ms = earliest(delivered.get(id_of(record)), handed_on_at_ms(account, record))
            safe[role, record.partition].append((record.offset, at_ms))
    for records in safe.values():
        records.sort(key=lambda each: each[0])
    return safe


def _delivered_at_ms(account: Account) -> dict[str, int]:
    found = {}
    for pop_id, deliveries in account.deliveries.items():
        answered = [each.answered_at for each in deliveries if each.answered_at is not None]
        if answered:
            found[pop_id] = int(min(answered) * 1000)
    return found
