"""Commit safety, the strongest check: it finds a loss before any crash has made it one.

The clocks: Kafka dates a commit when the request comes in, and a record when it is appended, both
in whole milliseconds; the partner dates an answer just before it sends it. All are clocks of one
machine. So a worker that commits only what is safe never has a commit that is dated before the
outcome of a record below it. The partner's times are cut to whole milliseconds like Kafka's, and
that is the only allowance.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from faults.checker.account import WORKED_TOPICS, Account, attempts_of, id_of
from faults.checker.finding import Finding, counted, some
from faults.evidence import Commit, Record

Partition = tuple[str, int]


@dataclass(frozen=True, slots=True)
class _Passed:
    """A record that a commit passed too early; without a record, a commit beyond the end."""

    commit: Commit
    offset: int
    #: Whether there is a record at the offset.
    is_record: bool
    #: When it was safe at last, in epoch milliseconds; None: never.
    safe_at_ms: int | None

    def __str__(self) -> str:
        commit = self.commit
        told = f"{commit.topic}/{commit.partition}@{self.offset} by commit {commit.offset}"
        if not self.is_record:
            return f"{told}: beyond the end"
        if self.safe_at_ms is None:
            return f"{told}: never safe"
        return f"{told}: safe {self.safe_at_ms - commit.at_ms} ms later"


def commit_safety(account: Account) -> Finding:
    """No commit passes a record that has no durable outcome dated at or before the commit.

    For each commit in its order, and each record below its offset: the event was delivered; or a
    record of it stands on the retry or the failure topic that tells of more attempts than this
    one (a player's own tells of -1); or, for a record on the failure topic, its notification does.
    Each record is judged by the first commit that passes it, whose date is the strictest. Offsets
    without a record pass. A commit beyond the end of its partition would skip what comes next,
    and counts as well.
    """
    passed = list(_passed_too_early(account))
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


def _passed_too_early(account: Account) -> Iterator[_Passed]:
    partitions = _safe_times(account)
    at: dict[Partition, int] = defaultdict(int)
    for commit in account.evidence.commits:
        place = commit.topic, commit.partition
        records = partitions.get(place, [])
        while at[place] < len(records) and records[at[place]][0] < commit.offset:
            offset, safe_at_ms = records[at[place]]
            if safe_at_ms is None or safe_at_ms > commit.at_ms:
                yield _Passed(commit, offset, is_record=True, safe_at_ms=safe_at_ms)
            at[place] += 1
        end = records[-1][0] + 1 if records else 0
        if commit.offset > end:
            yield _Passed(commit, end, is_record=False, safe_at_ms=None)


def _safe_times(account: Account) -> dict[Partition, list[tuple[int, int | None]]]:
    """The offsets of each partition in order, each with the time when its record was safe."""
    delivered = _delivered_at_ms(account)
    safe: dict[Partition, list[tuple[int, int | None]]] = defaultdict(list)
    for role in WORKED_TOPICS:
        for record in account.topics[role]:
            if role == "failure":
                at_ms = account.told.get(id_of(record))
            else:
                at_ms = _safe_at_ms(account, record, delivered)
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


def _safe_at_ms(account: Account, record: Record, delivered: dict[str, int]) -> int | None:
    pop_id, attempts = id_of(record), attempts_of(record)
    times = [
        later.timestamp_ms
        for handed_on in (account.on_retry, account.parked)
        for later in handed_on.get(pop_id, ())
        if attempts_of(later) > attempts
    ]
    if pop_id in delivered:
        times.append(delivered[pop_id])
    return min(times, default=None)
