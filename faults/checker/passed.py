"""What a commit passed, and whether that was safe by then, whatever a check calls safe."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from faults.checker.account import Account, attempts_of, id_of
from faults.evidence import Commit, Record

Partition = tuple[str, int]
#: Of each partition the offsets in order, each with the time, in epoch milliseconds, since when
#: its record was safe; None: it never was.
SafeTimes = Mapping[Partition, Sequence[tuple[int, int | None]]]


@dataclass(frozen=True, slots=True)
class Passed:
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


def passed_too_early(commits: Iterable[Commit], partitions: SafeTimes) -> Iterator[Passed]:
    """Judge each record by the first commit that passes it, whose date is the strictest."""
    at: dict[Partition, int] = defaultdict(int)
    for commit in commits:
        place = commit.topic, commit.partition
        records = partitions.get(place, [])
        while at[place] < len(records) and records[at[place]][0] < commit.offset:
            offset, safe_at_ms = records[at[place]]
            if safe_at_ms is None or safe_at_ms > commit.at_ms:
                yield Passed(commit, offset, is_record=True, safe_at_ms=safe_at_ms)
            at[place] += 1
        end = records[-1][0] + 1 if records else 0
        if commit.offset > end:
            yield Passed(commit, end, is_record=False, safe_at_ms=None)


def handed_on_at_ms(account: Account, record: Record) -> int | None:
    """When a record of its event came to the next topic that tells of more attempts than this."""
    pop_id, attempts = id_of(record), attempts_of(record)
    times = (
        later.timestamp_ms
        for handed_on in (account.on_retry, account.parked)
        for later in handed_on.get(pop_id, ())
        if attempts_of(later) > attempts
    )
    return min(times, default=None)


def earliest(*times: int | None) -> int | None:
    """The first of some times; None when there is none."""
    return min((at for at in times if at is not None), default=None)
