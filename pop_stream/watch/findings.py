"""How things stand with a worker: what it does, and what is wrong, in sentences."""

from collections.abc import Iterator

from pop_stream.pop.hole import GONE
from pop_stream.watch.doing import doing
from pop_stream.watch.figures import count, counted, span
from pop_stream.watch.finding import Finding, Level
from pop_stream.watch.status import PartitionStatus, Status

#: The loop comes to look each second.
_LOOP_SECONDS = 10.0
#: Kafka is asked for the ends of partitions each ten.
_KAFKA_SECONDS = 60.0


def findings(status: Status, now: float) -> list[Finding]:
    """What there is to say, the most urgent first: that one is how things stand.

    `now` is in epoch seconds.
    """
    if status.looked_at is not None and now - status.looked_at > _LOOP_SECONDS:
        # All else was so when the loop last turned.
        return [_stuck_loop(now - status.looked_at)]
    found = [*_troubles(status, now), doing(status, now)]
    return sorted(found, key=lambda finding: finding.level, reverse=True)


def standing_still(status: Status, now: float) -> list[PartitionStatus]:
    """The partitions whose commit does not move although it should, the longest first.

    While everything is held none should. `now` is in epoch seconds.
    """
    work = status.work
    if work is None or work.held is not None:
        return []
    # Nothing could move before the way was free.
    still = [
        one
        for one in work.partitions
        if now - max(one.moved_at, work.circuit_since) > status.still_seconds
    ]
    return sorted(still, key=lambda one: one.moved_at)


def _stuck_loop(seconds: float) -> Finding:
    return Finding(
        Level.ACT,
        f"The worker has stood still for {span(seconds)}: its event loop does not turn",
        "It ends itself after 30 s, and is to be started again. If it does not, end it: what it "
        "has under way is delivered by the next. What stands below is what was last seen.",
    )


def _troubles(status: Status, now: float) -> Iterator[Finding]:
    if status.missing_topics:
        yield Finding(
            Level.ACT,
            f"Topics are missing: {count(status.missing_topics)} of those that it needs",
            "`pop-stream topics ensure` makes them anew. What stood on them undelivered is gone.",
        )
    if status.group_strangers:
        yield Finding(
            Level.ACT,
            f"In its group are strangers: {counted(status.group_strangers, 'member')} that should "
            "not be there",
            "They take partitions, and what they commit is never delivered: end them, or give "
            "them a group of their own.",
        )
    yield from _gone(status)
    yield from _still(status, now)
    yield from _silent_kafka(status, now)


def _gone(status: Status) -> Iterator[Finding]:
    failures = () if status.work is None else status.work.failures
    if any(one.reason == GONE and one.parked_in_hour for one in failures):
        yield Finding(
            Level.ACT,
            "Records were deleted before they were delivered, in the last hour",
            "Only the players can send them again: the failure topic has which, with reason "
            "`gone`. See the retention of the topics.",
        )


def _still(status: Status, now: float) -> Iterator[Finding]:
    still = standing_still(status, now)
    if still:
        first = still[0]
        others = f", and {count(len(still) - 1)} more" if len(still) > 1 else ""
        yield Finding(
            Level.ACT,
            f"Partition {first.topic}/{first.partition} has stood still for "
            f"{span(now - first.moved_at)}{others}",
            "Its commit does not move although events are delivered: look for "
            "`handoff.unconfirmed` and errors in the log. A restart of the worker loses nothing.",
        )


def _silent_kafka(status: Status, now: float) -> Iterator[Finding]:
    seen_at = None if status.work is None else status.work.backlog_at
    if seen_at is not None and now - seen_at > _KAFKA_SECONDS:
        yield Finding(
            Level.WATCH,
            f"Kafka does not answer: where the topics end was last known {span(now - seen_at)} ago",
            "See whether Kafka is up and whether this machine can reach it: `pop-stream doctor`.",
        )
