"""What failed, by reason, and how far each partition is."""

from collections.abc import Mapping
from typing import Final

from pop_stream.pop.hole import GONE
from pop_stream.pop.verdict import Reason
from pop_stream.watch.figures import count, moment, span
from pop_stream.watch.findings import standing_still
from pop_stream.watch.page.markup import Markup, element, together
from pop_stream.watch.page.table import Column, table
from pop_stream.watch.status import Failures, PartitionStatus, Status, WorkStatus

#: More rows are not read by anybody; those that stand still come first.
MOST_ROWS = 200

_MEANINGS: Final[Mapping[str, str]] = {
    Reason.TRANSIENT: "GSTV or the way to it failed. Parked ones are sent back by themselves",
    Reason.REJECTED: "GSTV does not want the event as it is: a person has to look",
    "quarantined": "It cannot be posted: no JSON, a field missing, too large",
    GONE: "Records that were deleted before they were delivered",
}


def failures(work: WorkStatus, now: float) -> Markup:
    """What failed, the latest first; `now` is in epoch seconds."""
    if not work.failures:
        return element("p", "None since the worker began.", class_="note")
    columns = (
        Column("Reason"),
        Column("Last"),
        Column("Retried, 1 h", "number"),
        Column("Retried, all", "number"),
        Column("Parked, 1 h", "number"),
        Column("Parked, all", "number"),
        Column("What it means", "words"),
    )
    return together(
        element("p", "In the last hour, and all since the worker began.", class_="note"),
        table("Failures by reason", columns, [_failure(one, now) for one in work.failures]),
    )


def _failure(one: Failures, now: float) -> tuple[str, ...]:
    return (
        one.reason,
        f"{span(now - one.last_at)} ago, {moment(one.last_at, now)}",
        count(one.retried_in_hour),
        count(one.retried),
        count(one.parked_in_hour),
        count(one.parked),
        _MEANINGS.get(one.reason, ""),
    )


def partitions(status: Status, work: WorkStatus, now: float) -> Markup:
    """How far each partition is, those first that stand still; `now` is in epoch seconds."""
    if not work.partitions:
        return element("p", "It has none now.", class_="note")
    still = standing_still(status, now)
    others = sorted(set(work.partitions).difference(still), key=_by_name)
    shown = [*still, *others][:MOST_ROWS]
    columns = (
        Column("Topic"),
        Column("Partition", "number"),
        Column("State"),
        Column("Backlog", "number"),
        Column("Commit moved", "number"),
        Column("Oldest unfinished", "number"),
    )
    rows = [
        _partition(
            one, _state(one, is_still=index < len(still), is_held=work.held is not None), now
        )
        for index, one in enumerate(shown)
    ]
    drawn = table("Partitions of this worker", columns, rows, frozenset(range(len(still))))
    left_out = len(work.partitions) - len(shown)
    if not left_out:
        return drawn
    return together(drawn, element("p", f"And {count(left_out)} more.", class_="note"))


def _by_name(one: PartitionStatus) -> tuple[str, int]:
    return one.topic, one.partition


def _partition(one: PartitionStatus, state: str, now: float) -> tuple[str, ...]:
    oldest = one.oldest_unfinished_at
    return (
        one.topic,
        str(one.partition),
        state,
        "not known yet" if one.backlog is None else count(one.backlog),
        f"{span(now - one.moved_at)} ago",
        "none" if oldest is None else f"{span(now - oldest)} old",
    )


def _state(one: PartitionStatus, *, is_still: bool, is_held: bool) -> str:
    if is_still:
        return "stands still"
    if not one.backlog and one.oldest_unfinished_at is None:
        return "nothing waits"
    return "held" if is_held else "moves"
