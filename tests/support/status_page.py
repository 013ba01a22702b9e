"""States of a worker for the status page: a realistic one, and its last hour."""

import math
from collections.abc import Sequence
from dataclasses import replace

from pop_stream.watch.history import Backlog, Sample, Totals, failures_of, flows_of, growth_of
from pop_stream.watch.status import Held, PartitionStatus, Status, WorkStatus

#: 2026-11-20 03:12:45 UTC.
NOW = 1_795_144_365.0
_PARTITIONS = 4
_STILL = 3
_LAST_AT = {"transient": NOW - 21, "rejected": NOW - 400, "quarantined": NOW - 2_900}


def past(*, held_from: int = 300, held_to: int = 328) -> list[Sample]:
    """An hour with an outage of GSTV, from one sample to another, and how its backlog drains."""
    samples, delivered, taken, retried, backlog = [], 1_480_000.0, 1_481_000.0, 0.0, 300.0
    for index in range(361):
        coming = 410 + 60 * math.sin(index / 40) + 25 * math.sin(index * 1.7)
        is_held = held_from <= index < held_to
        going = 0.0 if is_held else min(coming + backlog / 10, 640 + 20 * math.sin(index * 2.3))
        taken += going * 10
        delivered += going * 10
        backlog = max(backlog + (coming - going) * 10, 150.0)
        retried += going / 90
        calm = index - max(min(index, held_to) - held_from, 0)
        again, at = 9_080 + int(retried), NOW - 3600 + index * 10
        samples.append(
            Sample(
                at=at,
                totals=Totals(int(taken), int(delivered), again + 20, again,
                              212 + calm // 40, 212 + calm // 40, 118 + calm // 60),
                retried={"transient": again - 400, "rejected": 400 + index // 12},
                parked={"transient": 160 + index // 60, "rejected": 40 + index // 90,
                        "quarantined": 12 + (index > 69)},
                in_flight=1 if is_held else int(min(going / 17, 60)),
                backlog=Backlog(int(backlog), at, 3),
            )
        )  # fmt: skip
    return samples


def partitions(number: int = _PARTITIONS, backlog: int = 0) -> tuple[PartitionStatus, ...]:
    """So many partitions of each of two topics, and all of them move."""
    events = [
        PartitionStatus(
            topic="pop-events",
            partition=index,
            backlog=backlog // number + (index * 97) % 53,
            moved_at=NOW - 0.1 - (index % 3) * 0.3,
            oldest_unfinished_at=NOW - (backlog / 410 if backlog else 0.4) - index % 4,
        )
        for index in range(number)
    ]
    retries = [
        PartitionStatus(
            topic="pop-events-retry",
            partition=index,
            backlog=index % 3,
            moved_at=NOW - 2.2 * index,
            oldest_unfinished_at=NOW - 9.3 * index if index % 3 else None,
        )
        for index in range(number)
    ]
    return (*events, *retries)


def delivering(samples: Sequence[Sample]) -> Status:
    """A worker that delivers, after that hour."""
    last = samples[-1]
    rows = partitions(backlog=last.backlog.events if last.backlog else 0)
    oldest = [row.oldest_unfinished_at for row in rows if row.oldest_unfinished_at is not None]
    work = WorkStatus(
        held=None,
        circuit="closed",
        circuit_since=NOW - 320,
        in_flight=last.in_flight,
        in_flight_limit=60,
        events_per_second_limit=None,
        unfinished=9_870,
        oldest_unfinished_at=min(oldest),
        unconfirmed=3,
        oldest_attempt_at=NOW - 0.8,
        backlog=sum(row.backlog or 0 for row in rows),
        backlog_at=NOW - 4,
        backlog_growth=growth_of(samples, last.backlog),
        flows=flows_of(samples, last.totals, NOW),
        failures=failures_of(samples, last.retried, last.parked, _LAST_AT, NOW),
        partitions=rows,
    )
    return Status(
        version="0.1.0",
        group="pop-stream",
        stages=("forward", "retry", "failure"),
        began_at=NOW - 7_900,
        looked_at=NOW - 0.4,
        joined=True,
        still_seconds=132.0,
        work=work,
    )


def with_work(status: Status, **changes: object) -> Status:
    """The same worker, and something else is so with its work."""
    assert status.work is not None
    return replace(status, work=replace(status.work, **changes))  # type: ignore[arg-type]


def held(status: Status, reason: str = "unreachable", seconds: float = 240) -> Status:
    """The same worker, and everything is held: of an hour that was held to its end."""
    assert status.work is not None
    rows = (
        replace(row, moved_at=NOW - seconds) if row.oldest_unfinished_at is not None else row
        for row in status.work.partitions
    )
    return with_work(
        status,
        held=Held(reason=reason, since=NOW - seconds, next_probe_at=NOW + 12),
        circuit="open",
        circuit_since=NOW - seconds,
        in_flight=0,
        oldest_attempt_at=None,
        unconfirmed=0,
        partitions=tuple(rows),
    )


def with_still_partition(status: Status) -> Status:
    """The same worker, and the commit of one partition has not moved for seven minutes."""
    assert status.work is not None
    rows = list(status.work.partitions)
    rows[_STILL] = replace(
        rows[_STILL], moved_at=NOW - 431, backlog=5_112, oldest_unfinished_at=NOW - 433
    )
    return with_work(status, partitions=tuple(rows))
